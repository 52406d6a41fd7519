#pragma once
// How conv3d_mma_weights_cuda.cu cuts the gradient of weights into blocks. All of it follows from the shapes alone, so that sums are the
// same on every device.
#include "kernels/conv3d/cuda/conv3d_mma.cuh"

namespace voxgrad {

inline constexpr int kWeightTaps = 9;  // of a block
// Channels that a warp sums: output channels in sixteens, and 16 input channels. The four warps of a block share its kSideK warps' worth of
// output and kWeightSideC of input channels, and what is left of them the voxels.
VOXGRAD_HD constexpr int weight_sixteens(int element) { return element == 2 ? 2 : 1; }
VOXGRAD_HD constexpr int weight_side_c(int element) { return element == 2 ? 2 : 1; }
VOXGRAD_HD constexpr int most_weight_side_k(int element) { return 4 / weight_side_c(element); }

struct MmaWeightsPlan {
  // Of a part of the taps: all, or those of one plane along D, whose halo has no more planes than there are planes of outputs (axis[0] then
  // has one tap). Its `taps` are those of all parts.
  ConvGather part;
  int parts = 1, part_step = 0;  // positions along D from one part to the next
  MmaTile tile;                  // of the part, or of nine taps apart where no halo fits; extent[0] is 0 where none fits
  int apart = 0;  // taps of a block whose slots, one for each output, lie behind one another; 0: they share a halo
  int side_k = 1;
  int rows = 1;  // slots of a voxel of gy
  int64_t shared = 0;
  // How the blocks divide the sums: tap groups are of all parts together.
  int64_t tiles = 0, blocks_k = 1, blocks_c = 1, tap_groups = 1, shares = 0;
};
MmaWeightsPlan mma_weights_plan(const ConvGather&, int element);

}  // namespace voxgrad
