#pragma once
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/config/json.h"
#include "core/config/json_values.h"

namespace voxgrad {

// Errors name the file, line and column. A key that occurs twice in an object is an error.
Json read_json(const std::filesystem::path&);
Json parse_json(std::string_view text, std::string_view source);  // `source` names the text in messages
// What an exception of the JSON library says, without its numbers.
std::string json_reason(const std::exception&);
// In one line. Bytes that are not UTF-8, as names of files may have, are replaced.
std::string json_text(const Json&);
// Two spaces of indent, through AtomicFile. Such bytes are replaced here too.
void write_json(const std::filesystem::path&, const Json&);

}  // namespace voxgrad
