#pragma once
#include <array>
#include <string>

#include "core/config/json.h"

namespace voxgrad {

// Values in JSON that other programs wrote; an Error begins with `who`, which names the value.
// The value under a key of an object, which it must have.
const Json& field(const Json&, const std::string& key, const std::string& who);
int whole_of(const Json&, const std::string& who);
double number_of(const Json&, const std::string& who);
std::string text_of(const Json&, const std::string& who);  // not empty
bool flag_of(const Json&, const std::string& who);

}  // namespace voxgrad
