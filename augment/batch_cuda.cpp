#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "augment/batch_kernels.h"
#include "augment/batch_plan.h"
#include "augment/gaussian_taps.h"
#include "augment/voxel_formulas.h"
#include "core/cuda/scratch.h"
#include "core/cuda/staging.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {

// Copies of boxes of volumes on the device, for as long as this lives.
class DeviceBoxes {
 public:
  explicit DeviceBoxes(Cuda on) : on_(on) {}

  // The box [begin, begin + size) of x {volume, channels}.
  template <class T>
  const T* copy_of(const T* x, const int64_t (&volume)[3], int64_t channels, const BatchPatch& box) {
    const int64_t row = box.size[2] * channels, rows = box.size[0] * box.size[1];
    const int64_t bytes = rows * row * int64_t(sizeof(T));
    const cuda::Staging staging(on_, size_t(bytes));
    T* const cut = staging.as<T>();
    parallel_for(rows, std::max<int64_t>(1, (1 << 16) / row), [&](int64_t r) {
      const int64_t d = box.begin[0] + r / box.size[1], h = box.begin[1] + r % box.size[1];
      std::copy_n(x + ((d * volume[1] + h) * volume[2] + box.begin[2]) * channels, row, cut + r * row);
    });
    copies_.push_back(std::make_unique<Scratch>(on_, cut, bytes));
    return copies_.back()->template as<const T>();
  }

 private:
  Cuda on_;
  std::vector<std::unique_ptr<Scratch>> copies_;
};

// The voxels of the volume that the patch may read, taps outside counted as the nearest voxel.
void set_box(BatchPatch& b) {
  const ResampleProblem& p = b.problem;
  for (int a = 0; a < 3; ++a) {
    double low = p.origin[a], high = p.origin[a];
    for (int k = 0; k < 3; ++k) {
      const double far = p.step[k][a] * double(p.patch[k] - 1);
      low += std::min(0.0, far), high += std::max(0.0, far);
    }
    const auto inside = [&](double v) { return int64_t(std::clamp(v, 0.0, double(p.size[a] - 1))); };
    b.begin[a] = inside(std::floor(low) - 1);
    b.size[a] = inside(std::floor(high) + 2) - b.begin[a] + 1;
  }
}

// The memory of field i of a batch whose samples have the fields of a volume.
const Tensor& field_of(const Batch& b, int i) { return i == 0 ? b.image : b.targets[size_t(i - 1)].data; }

void resample(Cuda on, const std::vector<PatchPlan>& plans, const ResamplePass& pass, const Batch& out) {
  DeviceBoxes boxes(on);
  std::vector<BatchPatch> patches;
  const int64_t voxels = out.image.shape().count(1, 4);
  for (size_t i = 0; i < plans.size(); ++i) {
    BatchPatch b{.problem = plans[i].geometry.problem};
    ResampleProblem& p = b.problem;
    for (int a = 0; a < 3 && plans[i].geometry.whole; ++a) p.origin[a] = std::round(p.origin[a]);
    set_box(b);
    const std::vector<Field>& fields = plans[i].volume.fields;
    p.channels = 0;
    if (pass.image >= 0) {
      const Tensor& image = fields[size_t(pass.image)].data;
      p.channels = image.dim(3);
      p.image = boxes.copy_of(image.view().as<const float>(), p.size, p.channels, b);
      p.out_image = field_of(out, pass.image).view().as<float>() + int64_t(i) * voxels * p.channels;
    }
    if (pass.labels >= 0) {
      p.label = boxes.copy_of(fields[size_t(pass.labels)].data.view().as<const uint8_t>(), p.size, 1, b);
      p.out_label = field_of(out, pass.labels).view().as<uint8_t>() + int64_t(i) * voxels;
    }
    patches.push_back(b);
  }
  batch_resample(on, patches.data(), int64_t(patches.size()));
}

// f(entry, plan of the channel) says whether the channel takes part, and sets what it needs.
template <class F>
std::vector<BatchChannel> channels_of(const std::vector<PatchPlan>& plans, F&& f) {
  std::vector<BatchChannel> out;
  for (size_t i = 0; i < plans.size(); ++i)
    for (size_t c = 0; c < plans[i].intensities.channels.size(); ++c) {
      BatchChannel entry{.sample = int64_t(i), .channel = int64_t(c)};
      if (f(entry, plans[i].intensities.channels[c])) out.push_back(entry);
    }
  return out;
}

}  // namespace

void make_batch(Cuda on, const std::vector<PatchPlan>& plans, const Batch& out) {
  for (const ResamplePass& pass : resample_passes(plans[0].volume.fields)) resample(on, plans, pass, out);
  const Shape& s = out.image.shape();
  const BatchImage image = {out.image.view().as<float>(), s[0], {s[1], s[2], s[3]}, s[4]};
  using Plan = IntensityPlan::Channel;

  std::vector<BatchNoise> noise(plans.size());
  bool any = false;
  for (size_t i = 0; i < plans.size(); ++i)
    if (const IntensityPlan& p = plans[i].intensities; p.noise_sigma) {
      Rng source = p.noise;
      noise[i] = {source.split().key(), float(*p.noise_sigma)};
      any = true;
    }
  if (any) batch_noise(on, image, noise.data());

  std::vector<float> weights;
  const auto blurred = channels_of(plans, [&](BatchChannel& entry, const Plan& p) {
    for (int a = 0; a < 3 && p.blur_sigma; ++a) {
      const std::vector<float> taps = gaussian_taps((*p.blur_sigma)[size_t(a)]);
      entry.taps[a] = int64_t(weights.size());
      entry.half[a] = int(taps.size() / 2);
      weights.insert(weights.end(), taps.begin(), taps.end());
    }
    return p.blur_sigma.has_value();
  });
  const auto with_factor = [&](auto member, bool invert = false) {
    return channels_of(plans, [&](BatchChannel& entry, const Plan& p) {
      entry.factor = (p.*member).value_or(1);
      entry.invert = invert;
      return (p.*member).has_value();
    });
  };
  const auto coarse = channels_of(plans, [&](BatchChannel& entry, const Plan& p) {
    for (int a = 0; a < 3 && p.low_resolution; ++a) entry.coarse[a] = coarse_extent(s[a + 1], (*p.low_resolution)[size_t(a)]);
    return p.low_resolution.has_value();
  });
  const auto run = [&](auto kernel, const std::vector<BatchChannel>& entries) {
    if (!entries.empty()) kernel(on, image, entries.data(), int64_t(entries.size()));
  };
  if (!blurred.empty()) batch_blur(on, image, blurred.data(), int64_t(blurred.size()), weights.data(), int64_t(weights.size()));
  run(batch_brightness, with_factor(&Plan::brightness));
  run(batch_contrast, with_factor(&Plan::contrast));
  run(batch_low_resolution, coarse);
  run(batch_gamma, with_factor(&Plan::inverted_gamma, true));
  run(batch_gamma, with_factor(&Plan::gamma));
}

}  // namespace voxgrad
