#include "data/readers/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>

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

// Length of the UTF-8 character that begins at `at`; 0: none does.
size_t utf8_length(const std::string& text, size_t at) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const unsigned first = byte(at);
  const size_t n = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  for (size_t i = 1; i < n; ++i)
    if (byte(at + i) < 0x80 || byte(at + i) >= 0xc0) return 0;
  return n;
}

void check_encoding(const std::string& text, const std::string& who) {
  const bool utf16 = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff") || text.find('\0') != text.npos;
  check(!utf16, who, ": is text of two bytes for each letter (UTF-16); save the table as UTF-8");
  int64_t line = 1;
  for (size_t at = 0; at < text.size();) {
    const size_t n = utf8_length(text, at);
    check(n > 0, who, ": line ", line, " has a letter that is not UTF-8; save the table as UTF-8");
    line += text[at] == '\n';
    at += n;
  }
}

std::string without_blanks(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t"), last = text.find_last_not_of(" \t");
  return first == text.npos ? "" : text.substr(first, last - first + 1);
}

}  // namespace

int CsvTable::column(const std::string& name) const {
  const auto at = std::find(columns.begin(), columns.end(), name);
  return at == columns.end() ? -1 : int(at - columns.begin());
}

CsvTable parse_csv(const std::string& text, const std::string& who) {
  check_encoding(text, who);
  const char separator = separator_of(text);
  CsvTable table;
  std::vector<std::string> fields(1);
  bool quoted = false, was_quoted = false, any_quoted = false;  // now; this field was; one of this row was
  int64_t line = 1, begun = 1;
  const auto end_field = [&] {
    if (!was_quoted) fields.back() = without_blanks(fields.back());
    was_quoted = false;
  };
  const auto end_row = [&] {
    end_field();
    const bool empty = !any_quoted && std::all_of(fields.begin(), fields.end(), [](auto& f) { return f.empty(); });
    if (!empty && table.columns.empty()) {
      table.columns = fields;
    } else if (!empty) {
      check(fields.size() == table.columns.size(), who, ": line ", begun, " has ", fields.size(), " fields, the first line has ",
            table.columns.size());
      table.rows.push_back(fields);
    }
    fields.assign(1, "");
    any_quoted = false;
  };
  size_t at = text.starts_with("\xef\xbb\xbf") ? 3 : 0;  // a byte order mark
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\n') ++line;
      if (c != '"') fields.back() += c;
      else if (at + 1 < text.size() && text[at + 1] == '"') fields.back() += text[++at];
      else quoted = false;
    } else if (c == '"' && !was_quoted && without_blanks(fields.back()).empty()) {
      fields.back().clear();
      quoted = was_quoted = any_quoted = true;
    } else if (c == separator) {
      check(fields.size() < kMostFields, who, ": line ", begun, " has more than ", kMostFields, " fields");
      end_field();
      fields.emplace_back();
    } else if (c == '\n') {
      end_row();
      begun = ++line;
    } else if ((c != '\r' || (at + 1 < text.size() && text[at + 1] != '\n')) && !(c == ' ' && was_quoted)) {
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

double number_of_field(const std::string& field) {
  const size_t sign = !field.empty() && (field[0] == '-' || field[0] == '+'), first = field.find_first_not_of('0', sign);
  // 007 is a name, as are the words for what is no number.
  const bool zeros = first != sign && first != field.npos && std::isdigit(static_cast<unsigned char>(field[first]));
  if (zeros || field.starts_with("+-") || field.find_first_not_of("+-.0123456789eE") != field.npos) return NAN;
  double value = 0;
  const char *begin = field.data() + (field.starts_with('+') ? 1 : 0), *end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  return error == std::errc() && stop == end && std::isfinite(value) ? value : NAN;
}

std::string json_of_field(const std::string& field) {
  const Json number = Json::parse(field, nullptr, false);
  if (number.is_number()) return number.dump();
  const double value = number_of_field(field);
  return std::isnan(value) ? Json(field).dump() : Json(value).dump();
}

bool is_missing(const std::string& field) {
  constexpr const char* kMissing[] = {"", "nan", "NaN", "NAN", "NA", "<NA>", "N/A", "n/a", "#N/A", "null", "NULL"};
  return std::find(std::begin(kMissing), std::end(kMissing), field) != std::end(kMissing);
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string out = "\"";
  for (char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace voxgrad
