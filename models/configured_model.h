#pragma once
#include "models/model_registry.h"

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

}  // namespace voxgrad
