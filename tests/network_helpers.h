#pragma once
#include "core/rng.h"
#include "io/json_file.h"
#include "models/model_registry.h"

namespace voxgrad {

inline Network network_of(const std::string& json) {
  Rng rng(3);
  return build_network(parse_json(json, "test"), rng);
}

// How many numbers it trains.
inline int64_t weights_of(Network net) {
  int64_t n = 0;
  for (auto& p : parameters(net)) n += p.tensor.count();
  return n;
}

}  // namespace voxgrad
