#include "data/readers/csv.h"

#include <algorithm>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/formats/byte_source.h"

namespace voxgrad {
namespace {

constexpr size_t kMostFields = 10000;
constexpr uint64_t kMostBytes = 256 << 20;

// The separator that the first line has most of, outside of quotes.
char separator_of(const std::string& text) {
  int64_t commas = 0, semicolons = 0, tabs = 0;
  bool quoted = false;
  for (char c : text) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '\n') break;
    commas += c == ',', semicolons += c == ';', tabs += c == '\t';
  }
  return tabs > std::max(commas, semicolons) ? '\t' : semicolons > commas ? ';' : ',';
}

}  // namespace

int CsvTable::column(const std::string& name) const {
  const auto at = std::find(columns.begin(), columns.end(), name);
  return at == columns.end() ? -1 : int(at - columns.begin());
}

CsvTable parse_csv(const std::string& text, const std::string& who) {
  const char separator = separator_of(text);
  CsvTable table;
  std::vector<std::string> fields(1);
  bool quoted = false, was_quoted = false;
  int64_t line = 1, begun = 1;
  const auto end_row = [&] {
    const bool empty = fields.size() == 1 && fields[0].empty() && !was_quoted;
    if (!empty && table.columns.empty()) {
      table.columns = fields;
    } else if (!empty) {
      check(fields.size() == table.columns.size(), who, ": line ", begun, " has ", fields.size(), " fields, the first line has ",
            table.columns.size());
      table.rows.push_back(fields);
    }
    fields.assign(1, "");
    was_quoted = false;
  };
  size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;  // a byte order mark
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\n') ++line;
      if (c != '"') fields.back() += c;
      else if (at + 1 < text.size() && text[at + 1] == '"') fields.back() += text[++at];
      else quoted = false;
    } else if (c == '"' && fields.back().empty()) {
      quoted = was_quoted = true;
    } else if (c == separator) {
      check(fields.size() < kMostFields, who, ": line ", begun, " has more than ", kMostFields, " fields");
      fields.emplace_back();
    } else if (c == '\n') {
      end_row();
      begun = ++line;
    } else if (c != '\r' || (at + 1 < text.size() && text[at + 1] != '\n')) {
      fields.back() += c;
    }
  }
  check(!quoted, who, ": line ", begun, " has a quote that does not end");
  end_row();
  check(!table.columns.empty(), who, ": is empty, wanted is a line with the names of columns");
  return table;
}

CsvTable read_csv_table(const std::filesystem::path& path) {
  ByteSource file(path, ByteSource::Coding::plain);
  check(file.file_size() <= kMostBytes, path.string(), ": is ", file.file_size(), " bytes long, at most ", kMostBytes, " are read");
  std::string text(size_t(file.file_size()), '\0');
  file.read(text.data(), text.size());
  return parse_csv(text, path.string());
}

std::string json_of_field(const std::string& field) {
  const Json number = Json::parse(field, nullptr, false);
  return number.is_number() ? number.dump() : Json(field).dump();
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace voxgrad
