#pragma once
#include "augment/resample_kernels.h"
#include "core/device/execution.h"

// Augmentation on a device, a whole batch per launch. Tables are in memory of the host; everything else is on the device.
namespace voxgrad {

// A patch to be cut: `problem` with pointers to the box [begin, begin + size) of its volume that it reaches into.
struct BatchPatch {
  ResampleProblem problem;
  int64_t begin[3], size[3];
};
void batch_resample(Cuda, const BatchPatch*, int64_t count);

// f32 {n, size, channels}, changed in place.
struct BatchImage {
  float* data;
  int64_t n, size[3], channels;
};

// Per sample; sigma 0: none.
struct BatchNoise {
  uint64_t key;
  float sigma;
};
void batch_noise(Cuda, const BatchImage&, const BatchNoise* per_sample);

// A channel of a sample, and the parameters of what is done to it.
struct BatchChannel {
  int64_t sample = 0, channel = 0;
  double factor = 1;             // of brightness and contrast, exponent of gamma
  bool invert = false;           // gamma
  int64_t coarse[3] = {};        // extents at low resolution
  int64_t taps[3] = {};          // blur: where the weights of an axis start in the table,
  int half[3] = {};              // 2 half + 1 of them
};
void batch_blur(Cuda, const BatchImage&, const BatchChannel*, int64_t count, const float* weights, int64_t weight_count);
void batch_brightness(Cuda, const BatchImage&, const BatchChannel*, int64_t count);
void batch_contrast(Cuda, const BatchImage&, const BatchChannel*, int64_t count);  // keeps the range
void batch_low_resolution(Cuda, const BatchImage&, const BatchChannel*, int64_t count);
void batch_gamma(Cuda, const BatchImage&, const BatchChannel*, int64_t count);  // keeps mean and deviation

}  // namespace voxgrad
