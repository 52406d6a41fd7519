#pragma once
#include <memory>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "kernels/projection/projection.h"
#include "layers/conv.h"
#include "models/network.h"

namespace voxgrad {

// The learned primal-dual reconstruction (Adler and Oktem 2018) of square slices from parallel projections over half a turn: iterations of
//   dual <- dual + G(dual, A primal[1], y),   primal <- primal + P(primal, A' dual[0]),
// with the projector A scaled to norm 1; G and P are three 3x3 convolutions with leaky ReLU (0.2) between, each iteration having its own;
// primal[0] is the result. Unlike the paper's, iterations start from filtered back-projection (Hann) in place of 0, and the last
// convolutions at a tenth.
struct LearnedPrimalDualConfig {
  int in_channels = 1, out_channels = 1;  // of the images that are measured and of those reconstructed: 1
  int iterations = 6;
  int primal = 5, dual = 5;  // channels of memory
  int features = 16;         // of the inner convolutions
};
void validate(const LearnedPrimalDualConfig&);
std::string to_json_text(const LearnedPrimalDualConfig&);
LearnedPrimalDualConfig learned_primal_dual_config_from_json(const Json&);
NetworkTraits traits_of(const LearnedPrimalDualConfig&);

// Three convolutions of a plane.
struct PlaneConvs {
  std::vector<Conv3d> convs;
  FIELDS(convs)

  PlaneConvs(int in, int features, int out, Rng&);
  Tensor operator()(const Tensor& x) const;
};

struct PrimalDualStep {
  PlaneConvs dual, primal;
  FIELDS(dual, primal)

  PrimalDualStep(const LearnedPrimalDualConfig&, Rng&);
};

// Slices of n x n pixels of side 1 seen from `views` angles over half a turn, by as many columns as the diagonal has pixels.
ProjectionGeometry square_geometry(int64_t n, int64_t views);
// The n whose square_geometry has so many columns.
int64_t square_of(int64_t columns);

struct LearnedPrimalDual {
  LearnedPrimalDualConfig config;
  std::vector<PrimalDualStep> steps;
  FIELDS(steps)

  LearnedPrimalDual(const LearnedPrimalDualConfig&, Rng&);
  // Projections {N, D, views, columns, 1} by square_geometry(n, views): slices {N, D, n, n, 1}.
  Tensor operator()(const Tensor& projections) const;

 private:
  struct Kept;  // projectors and their norms
  std::shared_ptr<Kept> kept_;
};

}  // namespace voxgrad
