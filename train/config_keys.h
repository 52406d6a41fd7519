#pragma once
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "train/config.h"

namespace voxgrad {

// One documented key of the configuration: how it is read, written and checked.
struct ConfigKey {
  std::string name, help;
  std::function<Json()> get;
  std::function<void(const Json&)> set;  // throws Error that says what is wanted, without the key's name
};

// The keys of `config`, bound to its fields.
std::vector<ConfigKey> config_keys(TrainConfig& config);

// The known name with the smallest edit distance.
std::string nearest_key(const std::string& name, const std::vector<ConfigKey>&);

}  // namespace voxgrad
