#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "augment/batch_kernels.h"
#include "augment/pose.h"
#include "core/config/options.h"
#include "core/config/registry.h"
#include "core/rng.h"

// What a transform is: one folder, whose file NAME_transform.cpp defines `TransformEntry NAME_transform()`. A program brings its own by
// transform_registry().add(..). Which are used, and in which order, says an Augmentation (augment/augment.h).
namespace voxgrad {

// The patch that a transform is to change, before it draws.
struct PatchFacts {
  Int3 size;           // voxels
  int64_t channels;    // of the network's input
  Double3 spacing;     // between voxels per axis, in any unit
  int slice_axis = -1;  // across the slices of a flat patch, on which only what stays within slices makes sense; -1: none
};

struct TransformEntry {
  std::string name, summary;
  // Keys are "augment.KEY" in the configuration; the custom is NAME for the probability and NAME_.. for the rest. Transforms with a key in
  // common are set by it together.
  std::function<Options()> options;

  // What is random comes from the source given and is a function of the arguments alone, so that every device draws the same.
  // A transform of space changes the pose in which the patch is cut: all of a pipeline are one resampling, before the first of intensities.
  std::function<void(const Options&, const PatchFacts&, Rng, PatchPose&)> pose;
  // One of intensities: what is done to one sample, null for nothing; done to an image f32 {D, H, W, C} in place; and to a whole batch on a
  // device, with what was drawn for each sample. Without the last, batches for a device are made on the CPU and copied.
  std::function<std::shared_ptr<const void>(const Options&, const PatchFacts&, Rng)> draw;
  std::function<void(const Tensor& image, const void* drawn)> apply;
  std::function<void(Cuda, const BatchImage&, const std::vector<const void*>& drawn)> apply_cuda;

  // The source of a sample's randomness for this transform, sample_rng.at(stream); absent: one that follows from the name.
  std::optional<uint64_t> stream;
};

// The library's, listed by CMake, and a program's own.
Registry<TransformEntry>& transform_registry();

// The entry of a transform of space with options O.
template <class O>
struct SpaceTransform {
  std::string name, summary;
  void (*keys)(ConfigTable&, O&);
  void (*pose)(const O&, const PatchFacts&, Rng, PatchPose&);
  std::optional<uint64_t> stream = {};

  operator TransformEntry() const {
    TransformEntry e{.name = name, .summary = summary, .stream = stream};
    e.options = [keys = keys] { return Options::of<O>(keys); };
    e.pose = [pose = pose](const Options& o, const PatchFacts& facts, Rng rng, PatchPose& to) { pose(o.as<O>(), facts, rng, to); };
    return e;
  }
};

// The entry of a transform of intensities with options O, which draws a P for a sample, or nothing where the sample stays as it is.
template <class O, class P>
struct IntensityTransform {
  std::string name, summary;
  void (*keys)(ConfigTable&, O&);
  std::optional<P> (*draw)(const O&, const PatchFacts&, Rng);
  void (*apply)(const Tensor& image, const P&);
  void (*apply_cuda)(Cuda, const BatchImage&, const std::vector<const P*>& per_sample) = nullptr;  // null: that sample stays
  std::optional<uint64_t> stream = {};

  operator TransformEntry() const {
    TransformEntry e{.name = name, .summary = summary, .stream = stream};
    e.options = [keys = keys] { return Options::of<O>(keys); };
    e.draw = [draw = draw](const Options& o, const PatchFacts& facts, Rng rng) -> std::shared_ptr<const void> {
      std::optional<P> drawn = draw(o.as<O>(), facts, rng);
      return drawn ? std::make_shared<const P>(std::move(*drawn)) : nullptr;
    };
    e.apply = [apply = apply](const Tensor& image, const void* drawn) { apply(image, *static_cast<const P*>(drawn)); };
    if (apply_cuda)
      e.apply_cuda = [apply_cuda = apply_cuda](Cuda on, const BatchImage& image, const std::vector<const void*>& drawn) {
        std::vector<const P*> per_sample;
        for (const void* p : drawn) per_sample.push_back(static_cast<const P*>(p));
        apply_cuda(on, image, per_sample);
      };
    return e;
  }
};

// Uniform in the range.
inline double draw_from(const Range& r, Rng& rng) { return rng.uniform(r.low, r.high); }
// Uniform below or above 1, each half the time, as far as the range goes on that side.
double draw_about_one(const Range&, Rng&);

// What is drawn channel by channel; absent: that channel stays as it is.
template <class P>
using PerChannel = std::vector<std::optional<P>>;

// With this probability f(rng) for every channel.
template <class P, class F>
std::optional<PerChannel<P>> draw_channels(const PatchFacts& facts, double probability, Rng rng, F&& f) {
  if (!rng.coin(probability)) return {};
  PerChannel<P> channels(size_t(facts.channels));
  for (auto& channel : channels) channel = f(rng);
  return channels;
}

// f(number of the channel, what was drawn for it) for the channels that something was drawn for.
template <class P, class F>
void each_channel(const PerChannel<P>& channels, F&& f) {
  for (size_t c = 0; c < channels.size(); ++c)
    if (channels[c]) f(int(c), *channels[c]);
}

// The channels of a batch that something was drawn for, as kernels take them.
template <class P>
struct DrawnChannels {
  std::vector<BatchChannel> places;
  std::vector<P> drawn;

  explicit DrawnChannels(const std::vector<const PerChannel<P>*>& samples) {
    for (size_t i = 0; i < samples.size(); ++i)
      if (samples[i])
        each_channel(*samples[i], [&](int c, const P& p) {
          places.push_back({int64_t(i), c});
          drawn.push_back(p);
        });
  }
  bool empty() const { return places.empty(); }
  int64_t count() const { return int64_t(places.size()); }
};

}  // namespace voxgrad
