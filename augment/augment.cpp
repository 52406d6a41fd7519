#include "augment/augment.h"

#include <algorithm>

#include "augment/intensity_plan.h"

namespace voxgrad {
namespace {

// Numbers that name the independent sources of randomness of one sample.
enum Stream : uint64_t { kPose, kMirror, kNoise, kBlur, kBrightness, kContrast, kLowResolution, kInvertedGamma, kGamma };

// Uniform below or above 1, each half the time, as far as the range goes on that side.
double about_one(const Range& r, Rng& rng) {
  if (rng.coin(0.5) && r.low < 1) return rng.uniform(r.low, std::min(1.0, r.high));
  return r.high < 1 ? rng.uniform(r.low, r.high) : rng.uniform(std::max(r.low, 1.0), r.high);
}
double draw(const Range& r, Rng& rng) { return rng.uniform(r.low, r.high); }

void change_intensities(const Tensor& image, const IntensityPlan& plan) {
  const auto each = [&](auto f) {
    for (size_t c = 0; c < plan.channels.size(); ++c) f(int(c), plan.channels[c]);
  };
  using Channel = IntensityPlan::Channel;
  if (plan.noise_sigma) add_gaussian_noise(image, *plan.noise_sigma, plan.noise);
  each([&](int c, const Channel& p) { if (p.blur_sigma) gaussian_blur(image, c, *p.blur_sigma); });
  each([&](int c, const Channel& p) { if (p.brightness) multiply_brightness(image, c, *p.brightness); });
  each([&](int c, const Channel& p) { if (p.contrast) adjust_contrast(image, c, *p.contrast); });
  each([&](int c, const Channel& p) { if (p.low_resolution) simulate_low_resolution(image, c, *p.low_resolution); });
  each([&](int c, const Channel& p) { if (p.inverted_gamma) adjust_gamma(image, c, {.gamma = *p.inverted_gamma, .invert = true}); });
  each([&](int c, const Channel& p) { if (p.gamma) adjust_gamma(image, c, {.gamma = *p.gamma}); });
}

}  // namespace

IntensityPlan draw_intensities(const AugmentOptions& o, int64_t channels, const Rng& rng) {
  IntensityPlan plan;
  plan.channels.resize(size_t(channels));
  // f(channel, source) for every channel, from the stream of one transform, with its probability.
  const auto each = [&](Stream stream, double probability, auto f) {
    Rng source = rng.at(stream);
    if (!source.coin(probability)) return;
    for (auto& channel : plan.channels) f(channel, source);
  };
  Rng noise = rng.at(kNoise);
  if (noise.coin(o.noise_probability)) {
    plan.noise_sigma = draw(o.noise_sigma, noise);
    plan.noise = noise.split();
  }
  each(kBlur, o.blur_probability, [&](auto& channel, Rng& r) {
    if (!r.coin(o.blur_channel_probability)) return;
    Double3 sigma;
    for (auto& s : sigma) s = draw(o.blur_sigma, r);
    channel.blur_sigma = sigma;
  });
  each(kBrightness, o.brightness_probability, [&](auto& channel, Rng& r) { channel.brightness = about_one(o.brightness_factor, r); });
  each(kContrast, o.contrast_probability, [&](auto& channel, Rng& r) { channel.contrast = about_one(o.contrast_factor, r); });
  each(kLowResolution, o.low_resolution_probability, [&](auto& channel, Rng& r) {
    if (!r.coin(o.low_resolution_channel_probability)) return;
    const double s = draw(o.low_resolution_scale, r);
    Double3 scale = {s, s, s};
    if (o.spatial.slice_axis >= 0) scale[size_t(o.spatial.slice_axis)] = 1;
    channel.low_resolution = scale;
  });
  each(kInvertedGamma, o.inverted_gamma_probability, [&](auto& channel, Rng& r) { channel.inverted_gamma = about_one(o.gamma, r); });
  each(kGamma, o.gamma_probability, [&](auto& channel, Rng& r) { channel.gamma = about_one(o.gamma, r); });
  return plan;
}

PatchPose draw_pose(const AugmentOptions& o, const Double3& centre, const Rng& rng) {
  PatchPose pose = random_pose(centre, o.spatial, rng.at(kPose));
  pose.mirror = random_mirror(o.mirror, rng.at(kMirror));
  return pose;
}

AugmentOptions augment_options_for(Int3 patch, const Double3& spacing) {
  AugmentOptions o;
  o.spatial = spatial_options_for(patch, spacing);
  return o;
}

AugmentOptions no_augmentation() {
  AugmentOptions o;
  for (double* p : {&o.spatial.rotation_probability, &o.spatial.scaling_probability, &o.noise_probability, &o.blur_probability,
                    &o.brightness_probability, &o.contrast_probability, &o.low_resolution_probability, &o.inverted_gamma_probability,
                    &o.gamma_probability, &o.mirror.probability})
    *p = 0;
  return o;
}

void check_options(const AugmentOptions& o) {
  const auto probability = [](const char* name, double p) {
    check(p >= 0 && p <= 1, "augment: ", name, " ", p, " is not a probability from 0 to 1");
  };
  const auto range = [](const char* name, double low, double high, double least, double most) {
    check(low <= high && low >= least && high <= most, "augment: ", name, " ", low, " to ", high, " is not a range within ", least, " to ",
          most);
  };
  probability("spatial.rotation_probability", o.spatial.rotation_probability);
  probability("spatial.scaling_probability", o.spatial.scaling_probability);
  probability("noise_probability", o.noise_probability);
  probability("blur_probability", o.blur_probability);
  probability("blur_channel_probability", o.blur_channel_probability);
  probability("brightness_probability", o.brightness_probability);
  probability("contrast_probability", o.contrast_probability);
  probability("low_resolution_probability", o.low_resolution_probability);
  probability("low_resolution_channel_probability", o.low_resolution_channel_probability);
  probability("inverted_gamma_probability", o.inverted_gamma_probability);
  probability("gamma_probability", o.gamma_probability);
  probability("mirror.probability", o.mirror.probability);
  range("spatial scale", o.spatial.scale_low, o.spatial.scale_high, 0.01, 100);
  range("noise_sigma", o.noise_sigma.low, o.noise_sigma.high, 0, 1e6);
  range("blur_sigma", o.blur_sigma.low, o.blur_sigma.high, 0, 100);
  range("brightness_factor", o.brightness_factor.low, o.brightness_factor.high, 0, 100);
  range("contrast_factor", o.contrast_factor.low, o.contrast_factor.high, 0, 100);
  range("low_resolution_scale", o.low_resolution_scale.low, o.low_resolution_scale.high, 0.01, 1);
  range("gamma", o.gamma.low, o.gamma.high, 0.1, 10);
  for (int a = 0; a < 3; ++a) {
    range("spatial.rotation_degrees", o.spatial.rotation_degrees[size_t(a)], o.spatial.rotation_degrees[size_t(a)], 0, 180);
    range("spatial.spacing", o.spatial.spacing[size_t(a)], o.spatial.spacing[size_t(a)], 1e-9, 1e9);
  }
  check(o.spatial.slice_axis >= -1 && o.spatial.slice_axis <= 2, "augment: spatial.slice_axis ", o.spatial.slice_axis,
        " is neither an axis, 0 to 2, nor -1 for none");
}

Sample augment(Sample patch, const AugmentOptions& o, Rng rng) {
  check_sample("augment", patch);
  check_options(o);
  const Bool3 axes = random_mirror(o.mirror, rng.at(kMirror));
  Tensor& image = patch.fields[0].data;
  image = image.clone();
  change_intensities(image, draw_intensities(o, image.dim(3), rng));
  return mirror(patch, axes);
}

Sample augmented_patch(const Sample& volume, const PatchPlace& place, const AugmentOptions& o, Rng rng) {
  check_options(o);
  const Sample patch = extract_patch(volume, draw_pose(o, place.centre, rng), place.size, o.resample);
  change_intensities(patch.image(), draw_intensities(o, patch.image().dim(3), rng));
  return patch;
}

}  // namespace voxgrad
