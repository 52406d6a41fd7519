#pragma once

namespace voxgrad {

// Kernels on the tensor cores; lines: wgmma with three taps along H as columns of a product; tma: halos are boxes that are copied as such;
// winograd: mma with F(2, 3) along H, a trial that the table does not name.
enum class ConvWay { mma, wgmma, tma, lines, lines_tma, winograd };

// A gather, or the gradient of its weights, as the table of conv3d_choice_cuda.cpp asks for it.
struct ConvShape {
  int architecture = 80;  // of the device; 90: sm_90
  int element = 4;        // bytes
  bool exact = false;     // f32 without tf32
  int outputs = 1;        // channels of a group
  int taps = 1;
  double waste = 1;       // products that the tiles of wgmma compute per product that there is; 0: it has none for this shape
  bool boxes = false;     // whether halos of wgmma can be boxes
  double lines = 0;       // how many times as fast as wgmma lines should be; 0: they have none for this shape
  bool line_boxes = false;  // whether halos of lines can be boxes
  bool winograd = false;    // whether it has a kernel for this shape
};
// The way that the table names; VOXGRAD_CONV_CUDA=mma, wgmma, tma, lines, lines_tma or winograd forces one wherever it is possible, or what
// of it is.
ConvWay conv_way(const ConvShape&);
// Whether blocks share activations as clusters where a device has places for these: not with VOXGRAD_CONV_CLUSTERS=0.
bool conv_blocks_share();

}  // namespace voxgrad
