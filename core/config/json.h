#pragma once
#include <nlohmann/json_fwd.hpp>

namespace voxgrad {

// Keys keep the order in which they were written. Include core/config/json_values.h to use one.
using Json = nlohmann::ordered_json;

}  // namespace voxgrad
