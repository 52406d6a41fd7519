#include "augment/sample.h"

#include "augment/channel.h"
#include "core/device/parallel.h"

namespace voxgrad {

Int3 volume_size(const Tensor& t) { return {int(t.dim(0)), int(t.dim(1)), int(t.dim(2))}; }

void check_sample(const char* who, const Sample& s) {
  check(s.image && s.image.shape().rank == 4 && s.image.dtype() == DType::f32 && s.image.device().is_cpu() && s.image.count() > 0, who,
        ": an image f32 {D, H, W, C} on the CPU is wanted, not ", s.image, " on ", s.image.device());
  if (!s.label) return;
  check(s.label.shape().rank == 3 && s.label.dtype() == DType::u8 && s.label.device().is_cpu(), who,
        ": a label u8 {D, H, W} on the CPU is wanted, not ", s.label, " on ", s.label.device());
  check(volume_size(s.image) == volume_size(s.label), who, ": the image is ", volume_size(s.image), " voxels, its label ",
        volume_size(s.label));
}

Channel::Channel(const char* who, const Tensor& image, int channel) : image_(image), plane_(image), channel_(channel) {
  check_sample(who, {image, {}});
  const int64_t channels = image.dim(3);
  check(channel >= 0 && channel < channels, who, ": channel ", channel, " of an image with ", channels);
  if (channels == 1) return;
  plane_ = Tensor::empty(image.shape().with(3, 1));
  const float* from = image.view().as<float>() + channel;
  float* to = data();
  parallel_for(count(), 1 << 14, [&](int64_t i) { to[i] = from[i * channels]; });
}

Channel::~Channel() {
  const int64_t channels = image_.dim(3);
  if (channels == 1) return;
  float* to = image_.view().as<float>() + channel_;
  const float* from = data();
  parallel_for(count(), 1 << 14, [&](int64_t i) { to[i * channels] = from[i]; });
}

}  // namespace voxgrad
