#pragma once
#include <string>

#include "core/config/config_table.h"

namespace voxgrad {

// A network's configuration whose JSON is a table of keys bound to its fields, beside "kind", the name of the model.
std::string json_text_of(const char* kind, const ConfigTable&);
// Sets the fields. who: of the configuration, for the Error about an unknown key or a value that is none.
void set_fields(const ConfigTable&, const Json&, const char* who);
// Adds the keys that a user may set: those with a help.
void add_documented(ConfigTable& to, ConfigTable of);

}  // namespace voxgrad
