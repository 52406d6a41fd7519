#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "data/label_map.h"
#include "tasks/segmentation/distance.h"
#include "tasks/segmentation/froc/froc.h"

namespace voxgrad {

// Voxels by prediction and reference, for one class against all others.
struct Confusion {
  int64_t tp = 0, fp = 0, fn = 0, tn = 0;
  Confusion& operator+=(const Confusion&);
  // NaN where the denominator is 0: dice and iou if the class is in neither, precision if not predicted, recall if not in the reference.
  double dice() const;       // 2 tp / (2 tp + fp + fn)
  double iou() const;        // tp / (tp + fp + fn)
  double precision() const;  // tp / (tp + fp)
  double recall() const;     // tp / (tp + fn)
  friend bool operator==(const Confusion&, const Confusion&) = default;
};

// Of each class 0 .. classes - 1. Both u8 and of one shape; voxels whose reference is `ignore_label` (-1: none) are not counted.
std::vector<Confusion> confusion(const Tensor& prediction, const Tensor& reference, int classes, int ignore_label = -1);

// Of a region of voxels against all others. What is ignored is ignored in the reference alone.
Confusion confusion_of(const LabelMap::Region&, const Tensor& prediction, const Tensor& reference, int ignore_label = -1);

// One class of one case.
struct ClassScores {
  int label = 0;
  Confusion counts;
  double dice = 0, iou = 0, precision = 0, recall = 0;
  double hd95_mm = 0;  // 95th percentile Hausdorff distance; NaN: in neither, +inf: in one only
  double nsd = 0;      // normalised surface Dice at the tolerance; NaN: in neither, 0: in one only
  double volume_mm3 = 0, reference_volume_mm3 = 0;
  std::vector<double> more;  // of MetricOptions::more
};

struct MetricOptions {
  int classes = 0;          // with background; required
  double tolerance_mm = 1;  // of the normalised surface Dice
  bool surface = true;      // false: hd95_mm and nsd are NaN, which saves most of the time
  int ignore_label = -1;    // reference voxels left out of the counts
  std::vector<std::string> more = {};  // names of metric_registry()
  int connectivity = 26;               // of lesions: 6, 18 or 26 neighbours
  Tensor probabilities = {};           // f32 {D, H, W, classes}, for those of `more` that want them
};

// Scores of classes 1 .. classes - 1. Both u8 {D, H, W}.
std::vector<ClassScores> score(const Tensor& prediction, const Tensor& reference, const Spacing&, const MetricOptions&);

// Mean of what is not NaN, NaN if nothing is left (nnU-Net's nanmean).
double nan_mean(const std::vector<double>&);

struct CaseScores {
  std::string id;
  std::vector<ClassScores> classes;
  std::vector<FrocCase> froc = {};  // of each class, where EvaluateOptions::froc asks for it
};

// Means over the cases of one class, or over classes.
struct MeanScores {
  double dice = 0, iou = 0, precision = 0, recall = 0, nsd = 0;  // without the NaN ones
  double hd95_mm = 0;                                            // over the cases in which it is finite
  int64_t cases = 0;                                             // in which the class is in the prediction or in the reference
  int64_t surface_missing = 0;                                   // of these, the ones in which it is in one only: hd95 is infinite there
  std::vector<double> more;                                      // over the cases in which they are finite
};

struct Evaluation {
  std::vector<std::string> label_names;  // of classes 0 .. K - 1
  double tolerance_mm = 1;
  std::vector<CaseScores> cases;
  std::vector<std::string> more;  // what ClassScores::more are: names of metric_registry()

  // One per foreground class, in order.
  std::vector<MeanScores> mean_by_class() const;
  // Mean over the foreground classes of their means, as nnU-Net's foreground_mean. `cases` and `surface_missing` are summed.
  MeanScores foreground_mean() const;
};

// A table for people: one line per foreground class and their mean.
std::string table_of(const Evaluation&);
// One score of a class, by the name that it has in JSON.
struct ScoreColumn {
  std::string key;
  bool larger_is_better = true;
  std::function<double(const ClassScores&)> value;
};
std::vector<ScoreColumn> columns_of(const Evaluation&);

// Keys of nnU-Net's summary.json (foreground_mean, mean, metric_per_case; Dice, IoU, TP, FP, FN, TN, n_pred, n_ref) and beside them
// Precision, Recall, HD95_mm, NSD, volume_pred_mm3, volume_ref_mm3 and those of `more`. What is not finite is null.
Json to_json(const Evaluation&);

}  // namespace voxgrad
