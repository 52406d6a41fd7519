#pragma once
#include <vector>

#include "kernels/conv3d/cuda/conv3d_choice_kernels.h"

namespace voxgrad {

// What its thread asks the table of conv3d_choice_cuda.cpp while it lives, and the ways that came out.
class ConvChoiceLog {
 public:
  struct Asked {
    ConvShape shape;
    ConvWay way;
  };
  ConvChoiceLog();
  ~ConvChoiceLog();
  ConvChoiceLog(const ConvChoiceLog&) = delete;
  std::vector<Asked> asked;

 private:
  ConvChoiceLog* before_;
};
// "mma", "wgmma", "tma", "lines", "lines_tma" or "winograd", as VOXGRAD_CONV_CUDA names them.
const char* name_of(ConvWay);

}  // namespace voxgrad
