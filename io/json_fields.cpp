#include "io/json_fields.h"

#include <cmath>
#include <utility>

#include "core/config/json_values.h"
#include "core/error.h"

namespace voxgrad {
namespace {
void wanted(bool ok, const Json& j, const std::string& who, const char* what) {
  check(ok, who, ": is ", ok ? "" : j.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 60), ", wanted ", what);
}
}  // namespace

const Json& field(const Json& j, const std::string& key, const std::string& who) {
  check(j.is_object() && j.contains(key), who, ": has no \"", key, "\"");
  return j[key];
}

int whole_of(const Json& j, const std::string& who) {
  wanted(j.is_number_unsigned() ? std::in_range<int>(j.get<uint64_t>()) : j.is_number_integer() && std::in_range<int>(j.get<int64_t>()), j,
         who, "an integer");
  return j.get<int>();
}

double number_of(const Json& j, const std::string& who) {
  wanted(j.is_number() && std::isfinite(j.get<double>()), j, who, "a number");
  return j.get<double>();
}

std::string text_of(const Json& j, const std::string& who) {
  wanted(j.is_string() && !j.get_ref<const std::string&>().empty(), j, who, "a text");
  return j.get<std::string>();
}

bool flag_of(const Json& j, const std::string& who) {
  wanted(j.is_boolean(), j, who, "true or false");
  return j.get<bool>();
}

}  // namespace voxgrad
