#pragma once
#include "core/config/config_table.h"
#include "train/config.h"

namespace voxgrad {

// The keys of `config`, bound to its fields.
std::vector<ConfigKey> config_keys(TrainConfig& config);

}  // namespace voxgrad
