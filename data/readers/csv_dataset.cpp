// A table of files: a column image (file, path, filename), one of label (class; several with ; or | between them; or, where all of them end
// as images do, the file of a mask or of a second image), and what else is known of a case. Without that column, two or more columns of
// nothing but 0 and 1 are classes, which a case is of where it has a 1: of any number of them unless each row has one. split (part, subset,
// set) says train, val or test, id names a case; cases of one patient (or subject) are in one fold (split.h). Paths count from the folder
// of the table. Other columns are targets of a case by their names, as numbers where they are some: task=regression learns "target" or
// "value", or what its option "values" names. A column label is a class whatever is in it, and numbers in it are a target too. Fields that
// say that nothing is known (is_missing) are as if they were empty.
#include <algorithm>
#include <cctype>
#include <cmath>

#include "data/readers/csv.h"
#include "data/readers/dataset_reader.h"
#include "data/readers/labelled.h"
#include "io/formats/formats.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

constexpr const char* kImage[] = {"image", "file", "path", "filename", "image_path", "filepath"};
constexpr const char* kLabel[] = {"label", "class", "diagnosis"};
constexpr const char* kPart[] = {"split", "part", "subset", "set"};
constexpr const char* kId[] = {"id", "case", "case_id", "name"};

template <class Names>
int column_of(const CsvTable& t, const Names& names) {
  for (const char* name : names)
    for (size_t k = 0; k < t.columns.size(); ++k) {
      std::string column = t.columns[k];
      std::transform(column.begin(), column.end(), column.begin(), [](unsigned char c) { return char(std::tolower(c)); });
      if (column == name) return int(k);
    }
  return -1;
}

// The columns of a table without labels that are classes by themselves.
std::vector<size_t> columns_of_classes(const CsvTable& t, const std::vector<int>& others) {
  std::vector<size_t> out;
  for (size_t k = 0; k < t.columns.size(); ++k) {
    const auto zero_or_one = [k](const auto& row) { return row[k] == "0" || row[k] == "1" || row[k] == "0.0" || row[k] == "1.0"; };
    if (std::find(others.begin(), others.end(), int(k)) == others.end() && std::all_of(t.rows.begin(), t.rows.end(), zero_or_one))
      out.push_back(k);
  }
  return out.size() > 1 ? out : std::vector<size_t>{};
}

// As a column of labels says it: the name of the one class, or lists.
std::vector<std::string> labels_of_columns(const CsvTable& t, const std::vector<size_t>& classes, const std::string& who) {
  std::vector<std::string> out(t.rows.size());
  if (classes.empty()) return out;
  bool lists = false;
  for (size_t r = 0; r < t.rows.size(); ++r) {
    int n = 0;
    for (const size_t k : classes) {
      check(t.columns[k].find_first_of(";|") == std::string::npos, who, ": the name \"", t.columns[k], "\" of a class has a ; or | in it");
      if (t.rows[r][k][0] == '1') out[r] += (n++ ? "|" : "") + t.columns[k];
    }
    lists |= n != 1;
  }
  for (std::string& names : out)
    if (lists) names += '|';
  return out;
}

// Whether each label that there is ends as a file of an image does.
bool are_files(const CsvTable& t, int label) {
  bool any = false;
  for (const auto& row : t.rows) {
    if (label < 0 || row[size_t(label)].empty()) continue;
    if (volume_extension(row[size_t(label)]).empty()) return false;
    any = true;
  }
  return any;
}

// A file that a row names, from the folder of the table on.
fs::path file_of_row(const std::string& named, const fs::path& table, const std::string& line) {
  const fs::path file = fs::path(named).is_absolute() ? fs::path(named) : table.parent_path() / named;
  check(fs::exists(file), line, ": there is no file ", file.string());
  return file;
}

Dataset read_csv(const fs::path& path) {
  const std::string who = path.string();
  const CsvTable t = read_csv_table(path);
  const int image = column_of(t, kImage), label = column_of(t, kLabel), part = column_of(t, kPart), id = column_of(t, kId);
  check(image >= 0, who, ": has no column \"image\" with the names of files; it has ", [&] {
    std::string all;
    for (auto& c : t.columns) all += (all.empty() ? "" : ", ") + c;
    return all;
  }());
  const std::vector<size_t> classes = label < 0 ? columns_of_classes(t, {image, part, id}) : std::vector<size_t>{};
  const std::vector<std::string> labels = labels_of_columns(t, classes, who);
  const bool label_files = are_files(t, label);
  std::vector<LabelledImage> images;
  for (size_t r = 0; r < t.rows.size(); ++r) {
    const auto& row = t.rows[r];
    const std::string line = who + ": row " + std::to_string(r + 1);
    LabelledImage one;
    const std::string& named = row[size_t(image)];
    check(!named.empty(), line, " names no image");
    one.image.images = {file_of_row(named, path, line)};
    if (id >= 0) one.image.id = row[size_t(id)];
    one.named_by_file = one.image.id.empty();
    check(one.image.id.find('/') == std::string::npos, line, ": the name \"", one.image.id, "\" of a case has a / in it");
    if (!label_files && label >= 0) {
      const std::string& text = row[size_t(label)];
      if (!is_missing(text)) one.label = text;
      if (!std::isnan(number_of_field(text))) one.image.targets[t.columns[size_t(label)]] = json_of_field(text);
    } else if (!label_files) {
      one.label = labels[r];
    } else if (!row[size_t(label)].empty()) {
      one.image.label = file_of_row(row[size_t(label)], path, line);
    }
    if (part >= 0 && !row[size_t(part)].empty()) {
      const auto known = part_of(row[size_t(part)]);
      check(bool(known), line, ": \"", row[size_t(part)], "\" is none of train, val and test");
      one.part = *known;
    }
    for (size_t k = 0; k < row.size(); ++k)
      if (int(k) != image && int(k) != label && int(k) != part && int(k) != id && !is_missing(row[k]))
        one.image.targets[t.columns[k]] = json_of_field(row[k]);
    images.push_back(std::move(one));
  }
  std::set<std::string> named;
  for (const size_t k : classes) named.insert(t.columns[k]);
  return labelled_dataset(path.parent_path(), path.stem().string(), std::move(images), who, std::move(named));
}

}  // namespace

DatasetReader csv_dataset() {
  return {
      "csv",
      "a table (.csv, .tsv) with a column image of file names, and label (classes, or files), split (train, val, test) and others as they "
      "are there; "
      "numbers to be learned are a column target or value, or those that regression.values names",
      [](const fs::path& p) { return fs::is_regular_file(p) && (p.extension() == ".csv" || p.extension() == ".tsv"); }, read_csv};
}

}  // namespace voxgrad
