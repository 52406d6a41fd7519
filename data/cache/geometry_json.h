#pragma once
#include <string>

#include "core/config/json.h"
#include "data/preprocess.h"

namespace voxgrad {

// Numbers come back to the last bit. Error, beginning with `who`, that names what is missing or wrong.
Json to_json(const Geometry&);
Geometry geometry_from_json(const Json&, const std::string& who);

}  // namespace voxgrad
