#pragma once
#include <string>

#include "core/config/json.h"
#include "tasks/task.h"

namespace voxgrad {

// A task of values per image, whose result is a JSON object: ID.json for each case, and predictions.csv with a line for each.
class ValuesTask : public Task {
 public:
  bool dense() const override { return false; }
  std::vector<std::filesystem::path> files(const std::filesystem::path& stem, const std::string& ending) const override;
  void write(const Result&, const std::filesystem::path& stem, const std::string& ending) const override;
  void write_summary(const std::filesystem::path& folder, const std::vector<std::pair<std::string, std::string>>&) const override;
  // Slices of the image with the result in the title.
  Picture picture(const Volume& image, const Result&, const Volume& reference, const std::string& title,
                  const ModelDescription&) const override;

 protected:
  // Names and values of the columns behind "case", the same names for all cases of a model.
  virtual std::vector<std::pair<std::string, std::string>> columns(const Json& result) const = 0;
  virtual std::string in_words(const Json& result) const = 0;
};

// What networks of a few hundred to a few thousand images are trained by, with `own`, a JSON object, in its place where both say something
// (tasks/classification/README.md and tasks/regression/README.md have what was tried). Nothing is mirrored unless that is asked for, since
// left and right may be what makes a difference, and nothing is scaled, since sizes may be what is asked for.
std::string values_defaults(const std::string& own);

}  // namespace voxgrad
