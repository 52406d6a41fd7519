#include "models/learned_primal_dual/learned_primal_dual.h"

#include <cmath>
#include <map>
#include <mutex>
#include <tuple>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/slice/slice.h"
#include "layers/init.h"
#include "layers/tomography/filtered_backprojection.h"

namespace voxgrad {

// By (n, views, dtype, device).
struct LearnedPrimalDual::Kept {
  struct Scaled {
    Projector projector;
    double norm;
  };
  std::mutex mutex;
  std::map<std::tuple<int64_t, int64_t, DType, int>, Scaled> projectors;

  Scaled get(int64_t n, int64_t views, DType dtype, Device device) {
    const std::lock_guard lock(mutex);
    const std::tuple key(n, views, dtype, device.cuda_index);
    auto found = projectors.find(key);
    if (found == projectors.end()) {
      const Projector p(square_geometry(n, views), dtype, device);
      const double norm = norm_of(projection_map(p), Tensor::full({1, 1, n, n, 1}, 1, dtype, device), 10);
      found = projectors.emplace(key, Scaled{p, norm}).first;
    }
    return found->second;
  }
};

ProjectionGeometry square_geometry(int64_t n, int64_t views) { return parallel_geometry(n, n, views); }
int64_t square_of(int64_t columns) { return int64_t(double(columns) / std::sqrt(2.0)); }

PlaneConvs::PlaneConvs(int in, int features, int out, Rng& rng) {
  for (int i = 0; i < 3; ++i)
    convs.emplace_back(Conv3dLayer{.in = i == 0 ? in : features, .out = i == 2 ? out : features, .kernel = {1, 3, 3}}, rng);
  convs.back().weight = scaled_parameter(convs.back().weight, 0.1);
}

Tensor PlaneConvs::operator()(const Tensor& x) const {
  return convs[2](leaky_relu(convs[1](leaky_relu(convs[0](x), 0.2)), 0.2));
}

PrimalDualStep::PrimalDualStep(const LearnedPrimalDualConfig& c, Rng& rng)
    : dual(c.dual + 2, c.features, c.dual, rng), primal(c.primal + 1, c.features, c.primal, rng) {}

LearnedPrimalDual::LearnedPrimalDual(const LearnedPrimalDualConfig& c, Rng& rng) : config(c), kept_(std::make_shared<Kept>()) {
  validate(c);
  check(c.in_channels == 1 && c.out_channels == 1, "LearnedPrimalDual: reconstructs images of one channel, not ", c.in_channels, " to ",
        c.out_channels);
  for (int i = 0; i < c.iterations; ++i) steps.emplace_back(c, rng);
}

Tensor LearnedPrimalDual::operator()(const Tensor& projections) const {
  check(projections && projections.shape().rank == 5 && projections.dim(4) == 1,
        "LearnedPrimalDual: projections {N, D, views, columns, 1} ", "are wanted, not ", projections);
  const int64_t count = projections.dim(0) * projections.dim(1), views = projections.dim(2), n = square_of(projections.dim(3));
  const Kept::Scaled a = kept_->get(n, views, projections.dtype(), projections.device());
  const Tensor given = projections.reshape({count, 1, views, projections.dim(3), 1}), y = given * (1 / a.norm);
  const Tensor start = filtered_backprojection(given, a.projector.geometry(), RampWindow::hann);
  Tensor primal = concat(std::vector<Tensor>(size_t(config.primal), start), 4);
  Tensor dual = Tensor::zeros(y.shape().with(4, config.dual), y.dtype(), y.device());
  for (const PrimalDualStep& s : steps) {
    const int seen = config.primal > 1 ? 1 : 0;
    dual = dual + s.dual(concat({dual, a.projector(slice(primal, 4, seen, seen + 1)) * (1 / a.norm), y}, 4));
    primal = primal + s.primal(concat({primal, a.projector.adjoint(slice(dual, 4, 0, 1)) * (1 / a.norm)}, 4));
  }
  return hooked(*this, slice(primal, 4, 0, 1).reshape({projections.dim(0), projections.dim(1), n, n, 1}));
}

}  // namespace voxgrad
