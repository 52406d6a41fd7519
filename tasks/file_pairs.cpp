#include "tasks/file_pairs.h"

#include <map>

#include "core/error.h"
#include "core/lists/first_few.h"
#include "data/listing/files_by_case.h"
#include "io/image.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

// Of a file for every case.
bool is_folder(const fs::path& place, const PairOptions& o) { return fs::is_directory(place) && o.series.empty(); }

// Files by case id: those of a folder, or one file.
std::map<std::string, fs::path> files_in(const fs::path& place, const PairOptions& o) {
  if (!is_folder(place, o)) return {{case_name(place), place}};
  std::map<std::string, fs::path> out = files_by_case(place, o.id);
  check(!out.empty(), place.string(), ": holds no ", o.what);
  return out;
}

}  // namespace

PairOfVolumes read_pair(const FilePair& files, OtherGrid otherwise, bool labels, const std::string& series) {
  const ReadOptions how = {.series = series, .labels = labels};
  return on_one_grid(files, read_volume(files.prediction, how), read_volume(files.reference, how), otherwise);
}

PairOfVolumes on_one_grid(const FilePair& files, const Volume& prediction, const Volume& reference, OtherGrid otherwise) {
  const Volume p = on_grid(prediction, files.prediction.string(), grid_of(reference), files.reference.string(), otherwise);
  return {to_canonical(p), to_canonical(reference)};
}

std::vector<FilePair> pair_files(const fs::path& predictions, const fs::path& references, const PairOptions& o) {
  const auto predicted = files_in(predictions, o);
  auto wanted = files_in(references, o);
  if (predicted.size() == 1 && wanted.size() == 1 && !is_folder(predictions, o) && !is_folder(references, o))
    wanted = {{predicted.begin()->first, wanted.begin()->second}};
  std::vector<std::string> without_reference, without_prediction;
  for (const auto& [id, file] : predicted)
    if (!wanted.count(id)) without_reference.push_back(id);
  for (const auto& [id, file] : wanted)
    if (!predicted.count(id)) without_prediction.push_back(id);
  check(without_reference.empty(), references.string(), ": there is no reference for ", first_few(without_reference));
  check(without_prediction.empty() || o.partial, predictions.string(), ": there is no prediction for ", first_few(without_prediction),
        "; --partial evaluates the cases that are there");
  std::vector<FilePair> out;
  for (const auto& [id, file] : predicted) out.push_back({id, file, wanted.at(id)});
  return out;
}

}  // namespace voxgrad
