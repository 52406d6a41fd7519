#pragma once
#include <cstdlib>
#include <functional>
#include <string>

#include "core/cuda/chip.h"
#include "core/cuda/runtime.h"
#include "core/device/device.h"
#include "kernels/conv3d/conv3d_choice_log.h"

namespace voxgrad {

// While it lives, convolutions go by a way of the tensor cores (VOXGRAD_CONV_CUDA) wherever they have it, or by what of it they have.
class ByWay {
 public:
  explicit ByWay(const std::string& way) : way_(way) { setenv("VOXGRAD_CONV_CUDA", way.c_str(), 1); }
  ~ByWay() { unsetenv("VOXGRAD_CONV_CUDA"); }
  ByWay(const ByWay&) = delete;

  // Whether a convolution of `work` is done by it and not by another one in its place, which a test then has looked at before: what the
  // library plans, since the work is recorded and not run. Its inputs are on the device before, its results given back with it.
  bool is_had_by(Device d, const std::function<void()>& work) {
    const ConvChoiceLog log;
    cuda::Recording(current_stream(d), work);
    for (const ConvChoiceLog::Asked& one : log.asked)
      if (name_of(one.way) == way_) return had_ = true;
    return false;
  }
  // Whether something was done by it, or could not be on this device: all but mma and Winograd's is of sm_90.
  bool was_had(Device d) const {
    return had_ || (way_ != "mma" && way_ != "winograd" && cuda::chip_of(current_stream(d)).architecture != 90);
  }

 private:
  std::string way_;
  bool had_ = false;
};

}  // namespace voxgrad
