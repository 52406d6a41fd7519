#include "io/json_file.h"

#include <set>
#include <string>
#include <vector>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/atomic_file.h"
#include "io/formats/byte_source.h"

namespace voxgrad {
namespace {
constexpr int kDeepest = 64;

// "12:5", both counted from 1, of a byte of a text.
std::string line_and_column(std::string_view text, size_t byte) {
  byte = std::min(byte, text.size());
  size_t line = 1, column = 1;
  for (char c : text.substr(0, byte)) {
    if (c == '\n') ++line, column = 1;
    else ++column;
  }
  return std::to_string(line) + ":" + std::to_string(column);
}
}  // namespace

std::string json_reason(const std::exception& e) {
  const std::string message = e.what();  // "[json.exception.type_error.302] type must be array, but is string"
  const size_t end = message.find("] ");
  return message.starts_with("[json.exception") && end != message.npos ? message.substr(end + 2) : message;
}

Json parse_json(std::string_view text, std::string_view source) {
  std::vector<std::set<std::string>> keys;  // of the objects and arrays that are open
  const auto watch = [&](int, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) keys.emplace_back();
    check(keys.size() <= kDeepest, source, ": is nested more than ", kDeepest, " deep");
    if (event == Event::object_end || event == Event::array_end) keys.pop_back();
    if (event == Event::key) {
      const auto& key = value.get_ref<const std::string&>();
      check(keys.back().insert(key).second, source, ": has the key \"", key, "\" twice in one object");
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), watch);
  } catch (const nlohmann::detail::parse_error& e) {
    std::string message = json_reason(e);  // "parse error at line 1, column 5: syntax error while ..."
    if (const size_t colon = message.find(": "); colon != message.npos) message = message.substr(colon + 2);
    const size_t at = e.byte > 0 ? e.byte - 1 : 0;
    fail(source, ":", line_and_column(text, at), ": is not JSON: ", message);
  } catch (const nlohmann::detail::out_of_range& e) { fail(source, ": holds a number that is out of range: ", json_reason(e)); }
}

Json read_json(const std::filesystem::path& path) {
  ByteSource file(path, ByteSource::Coding::plain);
  std::string text(size_t(file.file_size()), '\0');
  file.read(text.data(), text.size());
  return parse_json(text, path.string());
}

std::string json_text(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void write_json(const std::filesystem::path& path, const Json& json) {
  write_text_file(path, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace voxgrad
