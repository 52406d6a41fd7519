#pragma once
#include "augment/sample.h"

namespace voxgrad {

// One channel of an image f32 {D, H, W, C} as contiguous memory: the image's own where C is 1, else a copy that goes back on
// destruction.
class Channel {
 public:
  Channel(const char* who, const Tensor& image, int channel);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;
  float* data() const { return plane_.view().as<float>(); }
  int64_t count() const { return plane_.count(); }
  Int3 size() const { return volume_size(plane_); }

 private:
  Tensor image_, plane_;
  int channel_;
};

}  // namespace voxgrad
