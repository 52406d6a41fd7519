#include <algorithm>
#include <cmath>
#include <set>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_fields.h"
#include "io/json_file.h"
#include "tasks/segmentation/postprocessing/postprocessing.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;
using Kind = PostprocessingStep::Kind;

constexpr const char* kFile = "postprocessing.json";
constexpr const char* kLargest = "remove_all_but_largest_component_from_segmentation";  // of nnU-Net
constexpr std::pair<Kind, const char*> kKinds[] = {
    {Kind::keep_largest, "keep_largest"}, {Kind::fill_holes, "fill_holes"}, {Kind::remove_small, "remove_small"}};

const char* name_of(Kind kind) {
  for (auto& [k, name] : kKinds)
    if (k == kind) return name;
  return "";
}

// A label, or a list of labels and of lists of them, which are regions.
void add_labels(std::set<int>& to, const Json& j, const std::string& who, int depth = 0) {
  if (j.is_array() && depth < 2) {
    for (const Json& one : j) add_labels(to, one, who, depth + 1);
    return;
  }
  const int label = whole_of(j, who);
  check(label >= 1 && label <= 255, who, ": ", label, " is no label from 1 to 255");
  to.insert(label);
}

std::vector<int> labels_in(const Json& j, const std::string& who) {
  std::set<int> out;
  add_labels(out, j, who);
  check(!out.empty(), who, ": is empty");
  return {out.begin(), out.end()};
}

Postprocessing from_nnunet(const Json& j, const std::string& who) {
  const Json &names = field(j, "postprocessing_fns", who), &given = field(j, "postprocessing_kwargs", who);
  check(names.is_array() && given.is_array() && names.size() == given.size(), who,
        ": postprocessing_fns and postprocessing_kwargs are no lists of one length");
  Postprocessing out;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string at = who + ": step " + std::to_string(i + 1), name = text_of(names[i], at);
    check(name == kLargest, at, ": the function \"", name, "\" is not known, ", kLargest, " alone is");
    for (auto& [key, value] : given[i].items())
      check(key == "labels_or_regions" || (key == "background_label" && value == 0), at, ": its argument ", key, " = ",
            value.dump().substr(0, 40), " is not known");
    out.push_back({.kind = Kind::keep_largest, .labels = labels_in(field(given[i], "labels_or_regions", at), at)});
  }
  return out;
}

}  // namespace

std::string describe(const PostprocessingStep& step) {
  std::string out = std::string(name_of(step.kind)) + " of ";
  for (size_t i = 0; i < step.labels.size(); ++i) out += (i ? ", " : "") + std::to_string(step.labels[i]);
  if (step.kind == Kind::remove_small) out += " below " + Json(step.minimum_mm3).dump() + " mm3";
  return out;
}

Json to_json(const Postprocessing& steps) {
  Json list = Json::array();
  for (const PostprocessingStep& s : steps) {
    Json one = {{"step", name_of(s.kind)}, {"labels", s.labels}};
    if (s.kind == Kind::remove_small) one["minimum_mm3"] = s.minimum_mm3;
    list.push_back(one);
  }
  return {{"postprocessing", list}};
}

Postprocessing postprocessing_from_json(const Json& j, const std::string& who) {
  check(j.is_object(), who, ": an object with the key \"postprocessing\" is wanted");
  if (j.contains("postprocessing_fns")) return from_nnunet(j, who);
  const Json& list = field(j, "postprocessing", who);
  check(list.is_array(), who, ": \"postprocessing\" is no list of steps");
  Postprocessing out;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string at = who + ": step " + std::to_string(i + 1);
    check(list[i].is_object(), at, ": is no object");
    const std::string name = text_of(field(list[i], "step", at), at);
    const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](auto& k) { return name == k.second; });
    check(kind != std::end(kKinds), at, ": \"", name, "\" is none of keep_largest, fill_holes, remove_small");
    PostprocessingStep step{.kind = kind->first, .labels = labels_in(field(list[i], "labels", at), at + ": labels")};
    if (step.kind == Kind::remove_small) {
      step.minimum_mm3 = number_of(field(list[i], "minimum_mm3", at), at + ": minimum_mm3");
      check(step.minimum_mm3 >= 0 && std::isfinite(step.minimum_mm3), at, ": minimum_mm3 is ", step.minimum_mm3);
    }
    out.push_back(step);
  }
  return out;
}

Postprocessing read_postprocessing(const fs::path& file) {
  check(file.extension() != ".pkl", file.string(), ": is a pickle of Python, which could run code and is not read; nnU-Net writes the ",
        "same as ", kFile, " beside it");
  return postprocessing_from_json(read_json(file), file.string());
}

fs::path postprocessing_of(const fs::path& model) {
  const fs::path folder = fs::is_directory(model) ? model : model.has_parent_path() ? model.parent_path() : fs::path(".");
  if (fs::exists(folder / kFile)) return folder / kFile;
  if (!fs::is_directory(model)) return {};
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(model))
    if (entry.path().filename().string().starts_with("crossval_results") && fs::exists(entry.path() / kFile))
      found.push_back(entry.path() / kFile);
  return found.size() == 1 ? found[0] : fs::path();
}

}  // namespace voxgrad
