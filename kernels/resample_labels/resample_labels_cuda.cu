#include "core/cuda/launch.h"
#include "core/cuda/scratch.h"
#include "kernels/resample_labels/resample_labels_kernels.h"

namespace voxgrad {
namespace {

// A thread per voxel.
__global__ void resample_labels_kernel(LabelResampling p, const LabelTaps* depth, const LabelTaps* height, const LabelTaps* width,
                                       const uint8_t* x, uint8_t* y) {
  for (int64_t i : grid_stride(p.n * p.out[0] * p.out[1] * p.out[2])) {
    const int64_t w = i % p.out[2], h = i / p.out[2] % p.out[1], d = i / (p.out[2] * p.out[1]) % p.out[0];
    const int64_t n = i / (p.out[0] * p.out[1] * p.out[2]);
    y[i] = label_at(p, x + n * p.in[0] * p.in[1] * p.in[2], depth[d], height[h], width[w]);
  }
}

}  // namespace

void resample_labels(Cuda on, const LabelResampling& p, const LabelTaps* const (&taps)[3], const uint8_t* x, uint8_t* y) {
  constexpr int64_t kBytes = int64_t(sizeof(LabelTaps));
  const Scratch depth(on, taps[0], p.out[0] * kBytes), height(on, taps[1], p.out[1] * kBytes), width(on, taps[2], p.out[2] * kBytes);
  launch<resample_labels_kernel>(on, grid_over(p.n * p.out[0] * p.out[1] * p.out[2]), p, depth.as<const LabelTaps>(),
                                 height.as<const LabelTaps>(), width.as<const LabelTaps>(), x, y);
}

}  // namespace voxgrad
