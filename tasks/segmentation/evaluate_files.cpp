#include "tasks/segmentation/evaluate_files.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/device/parallel.h"
#include "core/progress.h"
#include "data/dataset.h"
#include "io/image.h"
#include "tasks/file_pairs.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

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

CaseScores score_case(const FilePair& files, const EvaluateOptions& o, int classes) {
  const PairOfVolumes both = read_pair(files, o.resample ? OtherGrid::resample_nearest : OtherGrid::refuse, true);
  const Volume &p = both.prediction, &r = both.reference;
  const Tensor prediction = labels_of(p, files.prediction), reference = labels_of(r, files.reference);
  const int used = classes > 0 ? classes : std::max(2, largest_label(prediction, reference) + 1);
  try {
    return {files.id, score(prediction, reference, r.spacing(),
                            {.classes = used, .tolerance_mm = o.tolerance_mm, .surface = !o.fast, .ignore_label = o.ignore_label})};
  } catch (const Error& e) { fail(files.prediction.string(), " against ", files.reference.string(), ": ", e.what()); }
}

// Empty where there is none.
std::vector<std::string> label_names_beside(const fs::path& references) {
  const fs::path folder = fs::is_directory(references) ? references : fs::absolute(references).parent_path();
  const fs::path beside = fs::weakly_canonical(folder).parent_path();
  return fs::exists(beside / "dataset.json") ? read_dataset(beside).labels : std::vector<std::string>{};
}

}  // namespace

Evaluation evaluate_files(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) {
  const std::vector<FilePair> pairs = pair_files(predictions, references, {.partial = o.partial});
  Evaluation e{.label_names = o.labels.empty() ? label_names_beside(references) : o.labels, .tolerance_mm = o.tolerance_mm};
  Progress progress({.what = "evaluate", .unit = "case", .total = int64_t(pairs.size())});
  for (const FilePair& pair : pairs) {
    e.cases.push_back(score_case(pair, o, int(e.label_names.size())));
    progress.update(int64_t(e.cases.size()), pair.id);
  }
  fill_up(e);
  return e;
}

}  // namespace voxgrad
