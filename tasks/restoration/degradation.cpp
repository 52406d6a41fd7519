#include "tasks/restoration/degradation.h"

#include <algorithm>

#include "core/config/config_table.h"
#include "core/config/json_values.h"

namespace voxgrad {
namespace {

template <class Strength>
Tensor each_in_turn(const Tensor& image, const std::vector<Degradation>& all, const Rng& rng, const Vec3& spacing, Strength&& strength) {
  check(image && image.dtype() == DType::f32 && image.shape().rank == 4, "degraded: an image f32 {D, H, W, C} is wanted, not ", image);
  Tensor out = image;
  for (size_t i = 0; i < all.size(); ++i) {
    Rng draw = rng.at(i, 0);
    out = degradation_registry().find(all[i].kind).apply(out, all[i], {strength(all[i].strength, draw), spacing, rng.at(i, 1)});
  }
  return out;
}

}  // namespace

Tensor degraded(const Tensor& image, const std::vector<Degradation>& all, Rng rng, const Vec3& spacing) {
  return each_in_turn(image, all, rng, spacing, [](const Range& r, Rng& draw) { return draw.uniform(r.low, r.high); });
}
Tensor degraded_in_the_middle(const Tensor& image, const std::vector<Degradation>& all, Rng rng, const Vec3& spacing) {
  return each_in_turn(image, all, rng, spacing, [](const Range& r, Rng&) { return (r.low + r.high) / 2; });
}

bool act_in_mm(const std::vector<Degradation>& all) {
  return std::any_of(all.begin(), all.end(), [](const Degradation& d) { return degradation_registry().find(d.kind).in_mm; });
}

std::vector<Degradation> degradations_from(const Json& j) {
  check(j.is_array(), "a list of objects is wanted, such as {\"kind\": \"rician\", \"strength\": [0.05, 0.1]}");
  std::vector<Degradation> out;
  for (size_t i = 0; i < j.size(); ++i) {
    const std::string where = "number " + std::to_string(i);
    check(j[i].is_object(), where, ": an object is wanted");
    Degradation d;
    ConfigTable t;
    t.choice("kind", d.kind, degradation_registry().names(), "");
    t.range("strength", d.strength, 0, 1e9, "");
    t.integers("axes", d.axes, 0, 2, "");
    for (auto& [name, value] : j[i].items()) set_key(t.keys, name, value, where);
    const DegradationEntry& kind = degradation_registry().find(d.kind);
    check(d.strength.low >= kind.least && d.strength.high <= kind.most, where, ": strength of ", d.kind, " is ", kind.strength,
          ", at most ", kind.most);
    out.push_back(d);
  }
  return out;
}

Json json_of(const std::vector<Degradation>& all) {
  Json out = Json::array();
  for (const Degradation& d : all) out.push_back({{"kind", d.kind}, {"strength", {d.strength.low, d.strength.high}}, {"axes", d.axes}});
  return out;
}

std::string describe_degradations() {
  std::string out;
  for (const DegradationEntry& e : degradation_registry().entries()) out += (out.empty() ? "" : "; ") + e.name + ": " + e.summary;
  return out;
}

}  // namespace voxgrad
