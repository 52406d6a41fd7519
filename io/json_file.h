#pragma once
#include <filesystem>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace voxgrad {

// Keys keep the order in which they were written. Include <nlohmann/json.hpp> to use one.
using Json = nlohmann::ordered_json;

// Errors name the file, line and column. A key that occurs twice in an object is an error.
Json read_json(const std::filesystem::path&);
Json parse_json(std::string_view text, std::string_view source);  // `source` names the text in messages
// Two spaces of indent, through AtomicFile.
void write_json(const std::filesystem::path&, const Json&);

}  // namespace voxgrad
