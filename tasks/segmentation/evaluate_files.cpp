#include "tasks/segmentation/evaluate_files.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/device/parallel.h"
#include "core/progress.h"
#include "data/label_map.h"
#include "io/image.h"
#include "io/numpy_planes.h"
#include "data/listing/files_by_case.h"
#include "tasks/file_pairs.h"

namespace voxgrad {
namespace {

namespace fs = std::filesystem;

// Of voxels whose reference is not ignored.
int largest_label(const Tensor& prediction, const Tensor& reference, int ignore) {
  const auto p = prediction.data<uint8_t>(), r = reference.data<uint8_t>();
  uint8_t most = 0;
  for (size_t i = 0; i < r.size(); ++i)
    if (r[i] != ignore) most = std::max({most, p[i], r[i]});
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
                           .nsd = nan,
                           .more = std::vector<double>(e.more.size(), nan)});
  }
}

// An .npz that does not say where it lies, as nnU-Net writes it, on the grid of its mask.
Tensor beside_mask(const fs::path& npz, const FilePair& files, OtherGrid other) {
  Volume p = read_volume(npz);
  const VolumeHeader mask = read_header(files.prediction);
  for (int a = 0; a < 3; ++a)
    check(p.data.dim(a) == mask.shape[a], npz.string(), ": ", p.data, " does not say where it lies, and its extents are not those of ",
          files.prediction.string());
  p.affine = mask.affine;
  const Volume r = read_volume(files.reference, {.labels = true});
  return to_canonical(on_grid(p, npz.string(), grid_of(r), files.reference.string(), other)).data.to(DType::f32);
}

// f32 {D, H, W, K}, on the grid of the reference.
Tensor probabilities_of(const FilePair& files, const EvaluateOptions& o) {
  if (o.probabilities.empty()) return {};
  const bool folder = fs::is_directory(o.probabilities);
  FilePair both = files;
  both.prediction = o.probabilities;
  if (folder) {
    both.prediction.clear();
    for (const auto& entry : fs::directory_iterator(o.probabilities))
      if (!volume_extension(entry.path()).empty() && case_name(entry.path()) == files.id &&
          (both.prediction.empty() || entry.path().extension() == ".npz"))
        both.prediction = entry.path();
    check(!both.prediction.empty(), o.probabilities.string(), ": holds no probabilities of the case ", files.id);
  }
  const OtherGrid other = o.resample ? OtherGrid::resample_linear : OtherGrid::refuse;
  if (both.prediction.extension() == ".npz" && !NumpyPlanes(both.prediction).affine()) return beside_mask(both.prediction, files, other);
  const Volume p = read_pair(both, other, false, o.series).prediction;
  return p.data.to(DType::f32);
}

// Of one region: those of what is not in it, and of what is.
Tensor region_probabilities(const Tensor& all, size_t region) {
  if (!all) return {};
  check(all.shape().rank == 4 && int64_t(region) < all.dim(3), "probabilities ", all, ": there is no channel for region ", region + 1);
  const Tensor out = Tensor::empty({all.dim(0), all.dim(1), all.dim(2), 2});
  const float* from = all.view().as<float>() + region;
  float* to = out.view().as<float>();
  for (int64_t i = 0; i < out.count() / 2; ++i) {
    const float p = from[i * all.dim(3)];
    to[2 * i] = 1 - p, to[2 * i + 1] = p;
  }
  return out;
}

// Channel k of f32 {D, H, W, K}.
Tensor channel(const Tensor& all, int64_t k) {
  check(all.shape().rank == 4 && k < all.dim(3), "probabilities ", all, ": there is no channel for class ", k);
  const Tensor out = Tensor::empty({all.dim(0), all.dim(1), all.dim(2)});
  const float* from = all.view().as<float>() + k;
  float* to = out.view().as<float>();
  for (int64_t i = 0; i < out.count(); ++i) to[i] = from[i * all.dim(3)];
  return out;
}

// What is found is numbered from 1: the classes by their value, regions in their order.
CaseScores score_case(const FilePair& files, const EvaluateOptions& o, const LabelMap& map, int classes) {
  const PairOfVolumes both = read_pair(files, o.resample ? OtherGrid::resample_nearest : OtherGrid::refuse, true, o.series);
  const Volume &p = both.prediction, &r = both.reference;
  const Tensor prediction = label_values(p, files.prediction), reference = label_values(r, files.reference);
  const Tensor probabilities = probabilities_of(files, o);
  check(o.froc.empty() || probabilities, "evaluate: FROC curves are of probabilities, which are not given");
  const FrocOptions froc = {.threshold = o.froc_threshold, .connectivity = o.connectivity};
  MetricOptions how = {.classes = classes,
                       .tolerance_mm = o.tolerance_mm,
                       .surface = !o.fast,
                       .ignore_label = map.ignore,
                       .more = o.metrics,
                       .connectivity = o.connectivity};
  try {
    if (map.regions.empty()) {
      if (classes == 0) how.classes = std::max(2, largest_label(prediction, reference, map.ignore) + 1);
      how.probabilities = probabilities;
      CaseScores out{files.id, score(prediction, reference, r.spacing(), how)};
      for (int k = 1; k < how.classes && !o.froc.empty(); ++k)
        out.froc.push_back(froc_case(channel(probabilities, k), membership(reference, {.values = {k}}, map.ignore), froc));
      return out;
    }
    how.classes = 2, how.ignore_label = kIgnored;
    CaseScores out{.id = files.id, .classes = {}};
    for (auto& region : map.regions) {
      how.probabilities = region_probabilities(probabilities, out.classes.size());
      out.classes.push_back(
          score(membership(prediction, region, -1), membership(reference, region, map.ignore), r.spacing(), how).at(0));
      out.classes.back().label = int(out.classes.size());
      if (!o.froc.empty())
        out.froc.push_back(froc_case(channel(how.probabilities, 1), membership(reference, region, map.ignore), froc));
    }
    return out;
  } catch (const Error& e) { fail(files.prediction.string(), " against ", files.reference.string(), ": ", e.what()); }
}

// Without names where there is none.
Labels labels_beside(const fs::path& references) {
  const fs::path folder = fs::is_directory(references) ? references : fs::absolute(references).parent_path();
  const fs::path beside = fs::weakly_canonical(folder).parent_path();
  return fs::exists(beside / "dataset.json") ? read_labels(beside) : Labels{};
}

}  // namespace

Tensor label_values(const Volume& v, const fs::path& file) {
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

Labels evaluated_labels(const fs::path& references, const EvaluateOptions& o) {
  Labels labels = o.labels.empty() ? labels_beside(references) : Labels{o.labels, o.map};
  if (o.ignore_label >= 0) labels.map.ignore = o.ignore_label;
  if (!labels.map.regions.empty()) labels.names.insert(labels.names.begin(), "background");
  return labels;
}

Evaluation evaluate_files(const fs::path& predictions, const fs::path& references, const EvaluateOptions& o) {
  const std::vector<FilePair> pairs = pair_files(predictions, references, {.partial = o.partial, .series = o.series});
  const Labels labels = evaluated_labels(references, o);
  Evaluation e{.label_names = labels.names, .tolerance_mm = o.tolerance_mm};
  e.more = o.metrics;
  Progress progress({.what = "evaluate", .unit = "case", .total = int64_t(pairs.size())});
  for (const FilePair& pair : pairs) {
    e.cases.push_back(score_case(pair, o, labels.map, int(e.label_names.size())));
    progress.update(int64_t(e.cases.size()), pair.id);
  }
  fill_up(e);
  return e;
}

}  // namespace voxgrad
