#pragma once

namespace voxgrad {

// Kernels on the tensor cores.
enum class ConvWay { mma, wgmma };

// A gather, as the table of conv3d_choice_cuda.cpp asks for it.
struct ConvShape {
  int architecture = 80;  // of the device; 90: sm_90
  int element = 4;        // bytes
  bool exact = false;     // f32 without tf32
  int outputs = 1;        // channels of a group
  int taps = 1;
  double waste = 1;       // outputs that the tiles of wgmma compute per output that there is; 0: it has none for this shape
};
// The way that the table names; VOXGRAD_CONV_CUDA=mma or wgmma forces one wherever it is possible.
ConvWay conv_way(const ConvShape&);

}  // namespace voxgrad
