#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace voxgrad {

// A table of text: fields between commas (or semicolons or tabs, whichever the first line has most of), in quotes where they hold one or a
// line break (RFC 4180). Spaces around a field count only within quotes. Lines whose fields are all empty are left out. Text that is not
// UTF-8 is an Error.
struct CsvTable {
  std::vector<std::string> columns;            // of the first line
  std::vector<std::vector<std::string>> rows;  // as many fields as columns each, else an Error by the number of the line
  // -1: none.
  int column(const std::string& name) const;
};
// who: the file, for messages.
CsvTable parse_csv(const std::string& text, const std::string& who);
// Of a file of at most 256 MiB.
CsvTable read_csv_table(const std::filesystem::path&);

// A number, also as .5, 1. and +3; NaN for anything else, and for digits behind a 0 (007), which are a name.
double number_of_field(const std::string& field);
// A number as such, anything else as text.
std::string json_of_field(const std::string& field);
// Nothing, or what pandas, R and spreadsheets write for it: NaN, NA, N/A, null.
bool is_missing(const std::string& field);
// Text as a field: in quotes where it holds a comma, a quote or a line break.
std::string csv_field(const std::string& text);

}  // namespace voxgrad
