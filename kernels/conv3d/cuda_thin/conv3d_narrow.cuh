#pragma once
// How conv3d_narrow_cuda.cu cuts a convolution to one to four channels: a block has 8 x 16 outputs of planes and walks along D.
#include "kernels/conv3d/cuda/conv3d_gather.cuh"

namespace voxgrad {

inline constexpr int kNarrowRows = 8, kNarrowWidth = 16, kNarrowHalo = kNarrowWidth + 2;
inline constexpr int kNarrowThreads = 192, kNarrowVoxels = 192;  // voxels of a plane of the halo, of which 180 are there
inline constexpr int kNarrowTaps = 9, kMostNarrowOutputs = 4;    // along H and W
inline constexpr int kNarrowStages = 4, kNarrowStageBytes = kNarrowVoxels * 64;
inline constexpr int kNarrowPitch = kNarrowVoxels + 4;  // of the sums of a column: those of a lane's four columns lie in different banks
inline constexpr int64_t kMostNarrowShared = 99 << 10;
// Products of eight columns.
VOXGRAD_HD constexpr int narrow_eights(int outputs) { return (kNarrowTaps * outputs + 7) / 8; }

struct NarrowPlan {
  int chunks = 1;  // of 64 bytes of channels
  int outputs = 1;
  int taps_d = 3;
  int planes = 1;  // of outputs, of a block
  int blocks[3] = {1, 1, 1};
  int64_t shared = 0;

  VOXGRAD_HD int weight_bytes() const { return taps_d * chunks * narrow_eights(outputs) * 32 * 16; }
};
// Of a device with so many multiprocessors, of which results do not depend.
NarrowPlan narrow_plan(const ConvGather&, int element, int multiprocessors);

// 3x3x3 or 1x3x3 taps with stride 1, to up to four channels, of whole pieces of 16 bytes of channels; f32 as tf32.
bool narrow_is_possible(const ConvGather&, int element);
ConvTraffic narrow_traffic(const ConvGather&, int element, int multiprocessors);
template <class T>
void conv_gather_narrow(Cuda, const ConvGather&, const WeightPack&, const T* x, const float* w, const GatherOutput<T>&);

}  // namespace voxgrad
