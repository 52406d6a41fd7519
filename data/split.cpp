#include "data/split.h"

#include <algorithm>
#include <map>

#include "core/config/json_values.h"
#include "core/error.h"
#include "core/lists/shuffle.h"
#include "data/dataset.h"

namespace voxgrad {
namespace {

// A patient (true) or a case that is nobody's, by name.
using Owner = std::pair<std::string, bool>;

Split deal(const std::map<Owner, std::vector<std::string>>& owned, int fold, int folds) {
  check(folds >= 1 && fold >= 0 && fold < folds, "split: fold ", fold, " of ", folds, " does not exist");
  std::vector<Owner> owners;
  size_t cases = 0;
  for (auto& [owner, ids] : owned) owners.push_back(owner), cases += ids.size();
  const std::string of_patients = cases == owners.size() ? "" : " of " + std::to_string(owners.size()) + " patients";
  check(folds == 1 || int(owners.size()) >= folds, "split: ", cases, " cases", of_patients, " cannot be dealt into ", folds,
        " folds; set data.folds");
  Split out;
  Rng rng(12345);
  if (folds > 1) shuffle(owners, rng);
  std::vector<size_t> dealt(static_cast<size_t>(folds));
  for (const Owner& owner : owners) {
    const auto& ids = owned.at(owner);
    const auto least = std::min_element(dealt.begin(), dealt.end());
    *least += ids.size();
    auto& part = folds > 1 && least - dealt.begin() == fold ? out.validation : out.training;
    part.insert(part.end(), ids.begin(), ids.end());
  }
  std::sort(out.training.begin(), out.training.end());
  std::sort(out.validation.begin(), out.validation.end());
  return out;
}

}  // namespace

Split split_cases(std::vector<std::string> ids, int fold, int folds) {
  std::map<Owner, std::vector<std::string>> owned;
  for (std::string& id : ids) owned[{id, false}].push_back(id);
  return deal(owned, fold, folds);
}

Split split_cases(const std::vector<DatasetCase>& cases, int fold, int folds) {
  std::map<Owner, std::vector<std::string>> owned;
  for (const DatasetCase& c : cases) {
    const std::string patient = patient_of(c);
    owned[patient.empty() ? Owner{c.id, false} : Owner{patient, true}].push_back(c.id);
  }
  return deal(owned, fold, folds);
}

std::string patient_of(const DatasetCase& c) {
  for (const auto& [key, text] : c.targets) {
    std::string name = key;
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char l) { return char(std::tolower(l)); });
    if (name != "patient" && name != "patient_id" && name != "patientid" && name != "subject" && name != "subject_id") continue;
    const Json value = parse_json(text, c.id);
    return value.is_string() ? value.get<std::string>() : value.dump();
  }
  return {};
}

}  // namespace voxgrad
