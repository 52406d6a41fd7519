#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace voxgrad {

// A table of text: fields between commas (or semicolons or tabs, whichever the first line has most of), in quotes where they hold one or a
// line break (RFC 4180). Lines without a field are left out.
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

// A number as such, anything else as text.
std::string json_of_field(const std::string& field);
// Text as a field: in quotes where it holds a comma, a quote or a line break.
std::string csv_field(const std::string& text);

}  // namespace voxgrad
