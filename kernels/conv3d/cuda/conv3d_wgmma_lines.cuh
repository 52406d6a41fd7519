#pragma once
// How conv3d_wgmma_lines_cuda.cu cuts a gather. All of it but the number of blocks follows from the shapes alone.
#include "kernels/conv3d/cuda/conv3d_wgmma.cuh"

namespace voxgrad {

inline constexpr int kLineTaps = 3, kLineColumns = 32;

// A block of the GPU keeps the weights of its group and works through items: outputs of 2 x 64 places of D and W at `segment` positions
// along H. It walks along H: a line of x, with its halo along D and W, is multiplied by the weights of all three taps along H side by side,
// and so adds to three lines of outputs, of which the first is complete then.
struct WgmmaLinesPlan {
  ConvGather cut;   // of the lines of x: without taps along H
  WgmmaPlan place = {};  // of the outputs of a line; place.tile.extent[0]: 0 where none fits
  int segment = 0, segments = 0;
  int buffers = 0;  // of lines of x
  int64_t items = 0;
  double cycles = 0;   // of the slowest block, about
  int64_t shared = 0;  // bytes

  // Of the taps along D and W, the three along H together; those of a group.
  VOXGRAD_HD int tap_bytes() const { return kLineTaps * kLineColumns * kSlot; }
  VOXGRAD_HD int weight_bytes() const { return place.chunks * cut.taps * tap_bytes(); }
  VOXGRAD_HD int line_bytes() const { return place.chunks * place.halo_bytes(); }
};

// For elements of so many bytes; by boxes: WgmmaPlan::boxes.
WgmmaLinesPlan wgmma_lines_plan(const ConvGather&, int element, bool boxes = false);

}  // namespace voxgrad
