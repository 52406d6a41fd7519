#pragma once
#include <cstdint>

#include "core/device/execution.h"

// What transforms of intensities change on a device: a whole batch per launch. Tables are in memory of the host, one entry for each sample
// or channel that is changed; everything else is on the device.
namespace voxgrad {

// f32 {n, size, channels}, changed in place.
struct BatchImage {
  float* data;
  int64_t n, size[3], channels;
};

// A channel of a sample.
struct BatchChannel {
  int64_t sample, channel;
};

}  // namespace voxgrad
