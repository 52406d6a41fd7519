#include "augment/augment.h"

#include <algorithm>

#include "augment/pipeline.h"
#include "augment/spatial/patch_geometry.h"
#include "augment/spatial/spatial.h"
#include "core/config/json_values.h"

namespace voxgrad {
namespace {

const std::vector<std::string> kNnunet = {"spatial",        "noise",          "blur",  "brightness", "contrast",
                                          "low_resolution", "inverted_gamma", "gamma", "mirror"};

// A source that follows from the name: FNV-1a, with the highest bit set, which the numbers of the library's transforms lack.
uint64_t stream_of(const TransformEntry& t) {
  if (t.stream) return *t.stream;
  uint64_t hash = 0xcbf29ce484222325ull;
  for (unsigned char c : t.name) hash = (hash ^ c) * 0x100000001b3ull;
  return hash | uint64_t(1) << 63;
}

void check_order(const std::vector<std::string>& order) {
  for (size_t i = 0; i < order.size(); ++i) {
    transform_registry().find(order[i]);
    const bool again = std::find(order.begin() + int64_t(i) + 1, order.end(), order[i]) != order.end();
    check(!again, "augment.order: \"", order[i], "\" is there twice");
  }
}

// What the keys say about values that were set past them.
void check_ranges(const Options& o) {
  const Options copy = o.clone();
  for (const ConfigKey& key : copy.keys()) set_key(copy.keys(), key.name, key.get(), "augment");
}

}  // namespace

double draw_about_one(const Range& r, Rng& rng) {
  if (rng.coin(0.5) && r.low < 1) return rng.uniform(r.low, std::min(1.0, r.high));
  return r.high < 1 ? rng.uniform(r.low, r.high) : rng.uniform(std::max(r.low, 1.0), r.high);
}

Augmentation::Augmentation() : order(kNnunet) {
  const auto hold = [&](const TransformEntry& t) { held_.emplace_back(t.name, t.options ? t.options() : Options()); };
  for (const std::string& name : kNnunet) hold(transform_registry().find(name));
  for (const TransformEntry& t : transform_registry().entries())
    if (std::find(kNnunet.begin(), kNnunet.end(), t.name) == kNnunet.end()) hold(t);
}

const Options& Augmentation::options_of(const std::string& transform) const {
  for (const Held& h : held_)
    if (h.transform == transform) return h.options;
  transform_registry().find(transform);
  fail("augment: the transform \"", transform, "\" was added after this augmentation had been made");
}

void Augmentation::add_keys(ConfigTable& t) {
  t.add("augment.order", "transforms in their order; one that is not listed is off", order, [](const Json& v) {
    const auto is_word = [](const Json& e) { return e.is_string(); };
    check(v.is_array() && std::all_of(v.begin(), v.end(), is_word), "a list of names is wanted");
    const auto names = v.get<std::vector<std::string>>();
    check_order(names);
    return names;
  });
  for (const Held& h : held_)
    for (const ConfigKey& key : h.options.keys()) {
      const std::string name = "augment." + key.name;
      const auto known = std::find_if(t.keys.begin(), t.keys.end(), [&](const ConfigKey& k) { return k.name == name; });
      if (known == t.keys.end()) t.keys.push_back({name, key.help, key.get, key.set});
      else
        known->set = [first = known->set, second = key.set](const Json& v) {
          first(v);
          second(v);
        };
    }
}

Augmentation& Augmentation::set(const Json& object, const std::string& where) {
  check(object.is_object(), where, ": an object of options is wanted, not ", object.dump());
  ConfigTable t;
  add_keys(t);
  for (const auto& [name, value] : object.items()) set_key(t.keys, "augment." + name, value, where);
  return *this;
}

Augmentation no_augmentation() {
  Augmentation none;
  none.order.clear();
  return none;
}

Pipeline::Pipeline(const Augmentation& a) : augmentation_(a) {
  check_order(a.order);
  for (const std::string& name : a.order) {
    const TransformEntry& t = transform_registry().find(name);
    check(bool(t.pose) != bool(t.draw && t.apply), "augment: the transform \"", name, "\" is neither one of space nor one of intensities");
    const Options& options = a.options_of(name);
    check_ranges(options);
    (t.pose ? space_ : intensities_).push_back({&t, &options});
  }
}

bool Pipeline::runs_on_cuda() const {
  return std::all_of(intensities_.begin(), intensities_.end(), [](const Step& s) { return bool(s.transform->apply_cuda); });
}

PatchPose Pipeline::pose(const PatchPlace& place, const PatchFacts& facts, const Rng& rng) const {
  PatchPose pose{.centre = place.centre};
  for (const Step& s : space_) s.transform->pose(*s.options, facts, rng.at(stream_of(*s.transform)), pose);
  return pose;
}

std::vector<std::shared_ptr<const void>> Pipeline::draw(const PatchFacts& facts, const Rng& rng) const {
  std::vector<std::shared_ptr<const void>> out;
  for (const Step& s : intensities_) out.push_back(s.transform->draw(*s.options, facts, rng.at(stream_of(*s.transform))));
  return out;
}

PatchFacts facts_of(const PatchPlace& place, int64_t channels) {
  return {place.size, channels, place.spacing, spatial_options_for(place.size).slice_axis};
}

Sample Pipeline::patch(const Sample& volume, const PatchPlace& place, const Rng& rng) const {
  check_sample("augmented_patch", volume);
  const PatchFacts facts = facts_of(place, volume.image().dim(3));
  Sample patch = extract_patch(volume, pose(place, facts, rng), place.size, augmentation_.resample);
  const auto drawn = draw(facts, rng);
  for (size_t i = 0; i < drawn.size(); ++i)
    if (drawn[i]) intensities_[i].transform->apply(patch.image(), drawn[i].get());
  return patch;
}

Sample augmented_patch(const Sample& volume, const PatchPlace& place, const Augmentation& a, Rng rng) {
  return Pipeline(a).patch(volume, place, rng);
}

VoxelBox augmented_reach(Int3 volume, int64_t channels, const PatchPlace& place, const Augmentation& a, Rng rng) {
  const PatchPose pose = Pipeline(a).pose(place, facts_of(place, channels), rng);
  return reach_of(patch_geometry("augmented_reach", volume, pose, place.size, a.resample));
}

Sample augment(const Sample& sample, const Augmentation& a, Rng rng) {
  check_sample("augment", sample);
  const Int3 size = volume_size(sample.image());
  return augmented_patch(sample, {{(size.d - 1) / 2.0, (size.h - 1) / 2.0, (size.w - 1) / 2.0}, size}, a, rng);
}

}  // namespace voxgrad
