#pragma once
#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "core/tensor.h"

namespace voxgrad {

// Which columns (places along W, the phase-encoding axis) of Cartesian k-space are measured, as fastMRI's masks (Zbontar et al. 2018,
// fastmri/data/subsample.py): the middle round(n f) of n columns always, and of the others
//   random               each with the probability (n / R - low) / (n - low);
//   equispaced           every R-th from a random one on, so that there are more than n / R in all;
//   equispaced_fraction  such a distance that about n / R columns are measured in all;
//   magic                the same distance, with opposite offsets in the two halves of k-space, which conjugate symmetry makes use of.
enum class Sampling { random, equispaced, equispaced_fraction, magic };

struct SamplingOptions {
  Sampling kind = Sampling::equispaced_fraction;
  double centre_fraction = 0.08;  // f
  double acceleration = 4;        // R
};

// 1 for each column that is measured, else 0. Error for an acceleration below 1 or a fraction beyond [0, 1].
std::vector<uint8_t> sampling_mask(int64_t columns, const SamplingOptions&, Rng);
// The same, f32 {1, 1, 1, W, 1}, to multiply k-space with.
Tensor mask_tensor(const std::vector<uint8_t>&);
// Of any tensor that has W elements: which are not 0.
std::vector<uint8_t> mask_of(const Tensor&);

// How many columns around n / 2 are measured without a gap, the same number on both sides; at least 1.
int64_t centre_columns(const std::vector<uint8_t>& mask);

// The rectangle around (H / 2, W / 2) that is measured without a gap, of at most `most` rows and columns: as wide as the row in the middle
// has it and as high as the column, made smaller until its corners are measured too. mask: {1, 1, H, W, 1}.
struct CentreOfKspace {
  int64_t rows = 1, columns = 1;
};
CentreOfKspace centre_of(const Tensor& mask, int64_t most);

}  // namespace voxgrad
