#include "cli/predict_inputs.h"

#include <algorithm>
#include <filesystem>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/listing/files_by_case.h"
#include "infer/model_source.h"
#include "io/image.h"
#include "io/json_fields.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

std::vector<DatasetCase> each_volume(const std::vector<DatasetCase>& cases) {
  std::vector<DatasetCase> out;
  for (const DatasetCase& one : cases) {
    int64_t volumes = 1;
    try {
      volumes = read_header(one.images[0], {.series = one.series}).shape[3];
    } catch (const Error&) {}  // said when it is read
    for (int64_t k = 0; k < volumes; ++k) {
      out.push_back(one);
      out.back().volume = int(k);
      if (volumes > 1) out.back().id += "_" + std::to_string(k);
    }
  }
  return out;
}

bool names_models(const std::vector<std::string>& paths) {
  const fs::path p = paths.empty() ? fs::path() : fs::path(paths[0]);
  return !paths.empty() && (paths.size() > 1 || !fs::is_directory(p) || source_of(p) || fs::exists(p / "best.safetensors") ||
                            fs::exists(p / "last.safetensors"));
}

void find_masks(std::vector<DatasetCase>& cases, const std::string& folder) {
  const auto masks = files_by_case(folder);
  for (DatasetCase& one : cases)
    if (const auto found = masks.find(one.id); found != masks.end()) one.previous = found->second;
    else if (one.fault.empty()) one.fault = folder + ": has no mask of the case " + one.id;
}

std::vector<DatasetCase> validating(const std::vector<DatasetCase>& cases, const PredictCommand& c) {
  const fs::path run = fs::is_directory(c.models[0]) ? fs::path(c.models[0]) : fs::path(c.models[0]).parent_path();
  check(c.models.size() == 1 && fs::exists(run / "split.json"), run.string(), ": has no split.json; --validation wants one run of train");
  const std::string who = (run / "split.json").string();
  const Json ids = field(read_json(who), "validation", who);
  std::vector<DatasetCase> out;
  for (const DatasetCase& one : cases)
    if (std::any_of(ids.begin(), ids.end(), [&](const Json& id) { return id == one.id; })) out.push_back(one);
  check(!out.empty(), c.in, ": holds none of the cases that validated ", run.string());
  return out;
}

fs::path probabilities_of(const DatasetCase& one, const PredictCommand& c) { return fs::path(c.out) / (one.id + ".npz"); }

std::vector<fs::path> files_of(const DatasetCase& one, const Task& task, const PredictCommand& c) {
  std::vector<fs::path> out = task.files(fs::path(c.out) / one.id, c.ending);
  if (c.probabilities) out.push_back(probabilities_of(one, c));
  return out;
}

void check_apart(const std::vector<DatasetCase>& cases, const Task& task, const PredictCommand& c) {
  for (const DatasetCase& one : cases)
    for (const fs::path& image : one.images)
      for (const fs::path& file : files_of(one, task, c))
        check(!fs::exists(file) || !fs::equivalent(file, image), file.string(), ": is an input; --out must be another folder");
}

std::vector<std::pair<std::string, std::string>> take_done(std::vector<DatasetCase>& cases, const Task& task, const PredictCommand& c) {
  std::vector<std::pair<std::string, std::string>> done;
  std::erase_if(cases, [&](const DatasetCase& one) {
    std::vector<fs::path> files = files_of(one, task, c);
    if (c.picture) files.push_back(fs::path(c.out) / (one.id + ".png"));
    if (!std::all_of(files.begin(), files.end(), [](const fs::path& f) { return fs::exists(f); })) return false;
    done.emplace_back(one.id, files[0].extension() == ".json" ? json_text(read_json(files[0])) : "");
    return true;
  });
  return done;
}

}  // namespace voxgrad
