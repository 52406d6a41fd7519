#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "core/device/parallel.h"
#include "io/dataset.h"
#include "io/image.h"
#include "train/metrics.h"
#include "train/progress.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

struct EvaluateCommand {
  std::string prediction, reference, json, labels;
  double tolerance_mm = 1;
  int ignore_label = -1;
  bool partial = false, fast = false;
};

// Label maps by case id: those of a folder, or one file.
std::map<std::string, fs::path> maps_in(const fs::path& place) {
  std::map<std::string, fs::path> out;
  const auto add = [&](const fs::path& file) {
    const std::string id = case_id(file.string());
    const auto [at, fresh] = out.emplace(id, file);
    check(fresh, place.string(), ": the case ", id, " occurs twice, as ", at->second.filename().string(), " and ",
          file.filename().string());
  };
  if (!fs::is_directory(place)) return add(place), out;
  for (const auto& entry : fs::directory_iterator(place)) {
    const std::string name = entry.path().filename().string();
    const std::string ending = volume_extension(name);
    if (entry.is_regular_file() && !name.starts_with(".") && !ending.empty() && ending != ".png" && ending != ".jpg") add(entry.path());
  }
  check(!out.empty(), place.string(), ": holds no label maps");
  return out;
}

std::string first_few(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 5; ++i) out += (i ? ", " : "") + names[i];
  return names.size() > 5 ? out + " and " + std::to_string(names.size() - 5) + " more" : out;
}

// u8 {D, H, W} of a label map of any dtype.
Tensor labels_of(const Volume& v, const fs::path& file) {
  check(v.data.shape().rank < 4 || v.data.dim(3) == 1, file.string(), ": has ", v.data.dim(3), " channels, a label map has one");
  const Tensor out = Tensor::empty({v.data.dim(0), v.data.dim(1), v.data.dim(2)}, DType::u8);
  uint8_t* to = out.view().as<uint8_t>();
  on_any_dtype(v.data.dtype(), [&]<class T>() {
    const T* from = v.data.view().as<T>();
    parallel_for(out.count(), 1 << 16, [&](int64_t i) {
      const double value = double(from[i]);
      check(value >= 0 && value <= 255 && value == std::floor(value), file.string(), ": the value ", value,
            " is no label, an integer from 0 to 255");
      to[i] = uint8_t(value);
    });
  });
  return out;
}

// The largest distance in mm between the same corner of two grids of the same extents.
double corner_distance(const Affine& a, const Affine& b, const Shape& s) {
  double worst = 0;
  for (int corner = 0; corner < 8; ++corner) {
    const Vec3 v = {double(corner & 1 ? s[0] - 1 : 0), double(corner & 2 ? s[1] - 1 : 0), double(corner & 4 ? s[2] - 1 : 0)};
    const Vec3 p = a.apply(v), q = b.apply(v);
    const double distance = std::hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    if (!(distance <= worst)) worst = distance;
  }
  return worst;
}

void check_same_grid(const Volume& p, const fs::path& prediction, const Volume& r, const fs::path& reference) {
  check(p.data.shape() == r.data.shape(), prediction.string(), ": its shape is ", p.data.shape(), ", that of ", reference.string(), " is ",
        r.data.shape(), " (canonical axes); masks must have the geometry of the reference");
  const Vec3 mm = r.spacing();
  const double limit = 0.05 * std::min({mm[0], mm[1], mm[2]}), distance = corner_distance(p.affine, r.affine, r.data.shape());
  check(distance <= limit, prediction.string(), ": lies elsewhere in space than ", reference.string(), ", by up to ", distance, " mm; ",
        limit, " mm (a twentieth of a voxel) is allowed");
}

bool is_number(const std::string& text) { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; }

// For CLI::Option::check.
std::string check_labels(const std::string& text) {
  if (!is_number(text)) return fs::exists(text) ? "" : text + ": is neither a number of classes nor a file that exists";
  const int classes = text.size() > 3 ? 0 : std::stoi(text);
  return classes >= 2 && classes <= 256 ? "" : text + " classes; 2 to 256 are possible, the background is one";
}

// Names of the classes 0 .. K - 1 from --labels or, without it, from a dataset.json beside the references. Empty: not known.
std::vector<std::string> label_names(const EvaluateCommand& c) {
  if (is_number(c.labels)) {
    std::vector<std::string> names = {"background"};
    for (int k = 1; k < std::stoi(c.labels); ++k) names.push_back("class " + std::to_string(k));
    return names;
  }
  if (!c.labels.empty()) return read_dataset(fs::is_directory(c.labels) ? fs::path(c.labels) : fs::absolute(c.labels).parent_path()).labels;
  const fs::path folder = fs::is_directory(c.reference) ? fs::path(c.reference) : fs::absolute(c.reference).parent_path();
  const fs::path beside = fs::weakly_canonical(folder).parent_path();
  return fs::exists(beside / "dataset.json") ? read_dataset(beside).labels : std::vector<std::string>{};
}

int largest_label(const Tensor& a, const Tensor& b) {
  uint8_t most = 0;
  for (const Tensor* t : {&a, &b})
    for (uint8_t v : t->data<uint8_t>()) most = std::max(most, v);
  return most;
}

// Every case gets the classes that any case has, where they were not declared.
void fill_up(Evaluation& e) {
  size_t most = 0;
  for (const CaseScores& c : e.cases) most = std::max(most, c.classes.size());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (CaseScores& c : e.cases) {
    const Confusion first = c.classes.empty() ? Confusion{} : c.classes[0].counts;
    const int64_t voxels = first.tp + first.fp + first.fn + first.tn;
    while (c.classes.size() < most)
      c.classes.push_back({.label = int(c.classes.size()) + 1,
                           .counts = {.tn = voxels},
                           .dice = nan,
                           .iou = nan,
                           .precision = nan,
                           .recall = nan,
                           .hd95_mm = nan,
                           .nsd = nan});
  }
}

CaseScores score_case(const std::string& id, const std::array<fs::path, 2>& files, const EvaluateCommand& c, int classes) {
  const auto& [predicted_file, reference_file] = files;
  const Volume p = to_canonical(read_volume(predicted_file)), r = to_canonical(read_volume(reference_file));
  check_same_grid(p, predicted_file, r, reference_file);
  const Tensor prediction = labels_of(p, predicted_file), reference = labels_of(r, reference_file);
  const int used = classes > 0 ? classes : std::max(2, largest_label(prediction, reference) + 1);
  try {
    return {id, score(prediction, reference, r.spacing(),
                      {.classes = used, .tolerance_mm = c.tolerance_mm, .surface = !c.fast, .ignore_label = c.ignore_label})};
  } catch (const Error& e) { fail(predicted_file.string(), " against ", reference_file.string(), ": ", e.what()); }
}

void run(const EvaluateCommand& c) {
  const auto predictions = maps_in(c.prediction);
  auto references = maps_in(c.reference);
  if (predictions.size() == 1 && references.size() == 1 && !fs::is_directory(c.prediction) && !fs::is_directory(c.reference))
    references = {{predictions.begin()->first, references.begin()->second}};  // two files belong together whatever their names
  std::vector<std::string> without_reference, without_prediction;
  for (const auto& [id, file] : predictions)
    if (!references.count(id)) without_reference.push_back(id);
  for (const auto& [id, file] : references)
    if (!predictions.count(id)) without_prediction.push_back(id);
  check(without_reference.empty(), c.reference, ": there is no reference for ", first_few(without_reference));
  check(without_prediction.empty() || c.partial, c.prediction, ": there is no prediction for ", first_few(without_prediction),
        "; --partial evaluates the cases that are there");

  Evaluation e{.label_names = label_names(c), .tolerance_mm = c.tolerance_mm};
  Progress progress({.what = "evaluate", .unit = "case", .total = int64_t(predictions.size())});
  for (const auto& [id, file] : predictions) {
    e.cases.push_back(score_case(id, {file, references.at(id)}, c, int(e.label_names.size())));
    progress.update(int64_t(e.cases.size()), id);
  }
  fill_up(e);
  std::fputs(table_of(e).c_str(), stdout);
  if (!c.json.empty()) write_json(c.json, to_json(e));
}

}  // namespace

void add_evaluate(CLI::App& program) {
  auto o = std::make_shared<EvaluateCommand>();
  CLI::App* command = program.add_subcommand("evaluate", "Compare masks with references: Dice, IoU, Hausdorff distance, surface Dice");
  command->add_option("--pred", o->prediction, "Folder of masks, or one")->required()->check(CLI::ExistingPath)->type_name("DIR");
  command->add_option("--ref", o->reference, "Folder of references with the same case names, or one")
      ->required()
      ->check(CLI::ExistingPath)
      ->type_name("DIR");
  command->add_option("--json", o->json, "Write scores of every case and their means, in the form of nnU-Net's summary.json")
      ->type_name("FILE");
  command
      ->add_option("--labels", o->labels,
                   "Number of classes with the background, or a dataset.json (the one beside --ref, else what occurs)")
      ->check(check_labels)
      ->type_name("N_or_FILE");
  command->add_option("--tolerance", o->tolerance_mm, "Of the normalised surface Dice (NSD), in mm")
      ->check(number_within(0, 1e6))
      ->type_name("MM")
      ->capture_default_str();
  command->add_option("--ignore", o->ignore_label, "Reference label whose voxels are left out")
      ->check(whole_number_within(0, 255))
      ->type_name("LABEL");
  command->add_flag("--partial", o->partial, "Allow references without a prediction");
  command->add_flag("--no-surface", o->fast, "Leave out HD95 and NSD, which take most of the time");
  add_threads(*command);
  command->callback([o] { run(*o); });
}

}  // namespace voxgrad
