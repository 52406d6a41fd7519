#pragma once
#include "models/model_registry.h"
#include "models/patch_plan.h"

namespace voxgrad {

// ModelEntry::build and ::traits of a network that is made of a configuration: read is that of its JSON, such as resnet_config_from_json,
// and there are traits_of(Config) and to_json_text(Config).
template <class Net, class Config>
std::function<Network(const Json&, Rng&)> built_from(Config (*read)(const Json&)) {
  return [read](const Json& j, Rng& rng) {
    const Config c = read(j);
    return Network(Net(c, rng), traits_of(c), to_json_text(c));
  };
}
template <class Config>
std::function<NetworkTraits(const Json&)> traits_from(Config (*read)(const Json&)) {
  return [read](const Json& j) { return traits_of(read(j)); };
}

// ModelEntry::plan of a network with a value for each voxel, whose configuration has the fields in_channels, classes and flat: flat for
// slices, and for volumes of one.
template <class Config>
NetworkPlan planned_volumes(Config c, const PlanRequest& r, double most_voxels) {
  c.in_channels = r.in_channels;
  c.classes = r.out_channels;
  c.flat = r.patch.d == 1 || (r.patch.d == 0 && r.extent[0] < 1.5);
  validate(c);
  return {to_json_text(c), planned_patch(r, traits_of(c).divisor, most_voxels)};
}

}  // namespace voxgrad
