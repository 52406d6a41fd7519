#pragma once
#include <functional>
#include <optional>
#include <string>

#include "core/config/registry.h"
#include "tasks/segmentation/metrics.h"
#include "tasks/segmentation/metrics/components.h"
#include "tasks/segmentation/metrics/surface_elements.h"

namespace voxgrad {

// Voxels of one class in a prediction and in its reference. What metrics share is computed when the first one asks for it; one thread at a
// time may ask.
class ObjectPair {
 public:
  struct Facts {
    Tensor prediction, reference;  // u8 {D, H, W}; the object is what equals `label`, voxels that are ignored hold none of it
    uint8_t label = 1;
    Box box;  // holds both objects
    Spacing spacing = {1, 1, 1};
    Confusion counts;
    double tolerance_mm = 1;
    int connectivity = 26;    // of components
    Tensor probability = {};  // of the label, f32 {D, H, W}; none: not known
    Tensor ignored = {};      // u8 {D, H, W}, not 0 where the reference is not known; none: nowhere
  };
  explicit ObjectPair(Facts facts) : facts_(std::move(facts)) {}

  const Facts& facts() const { return facts_; }
  int64_t predicted() const { return facts_.counts.tp + facts_.counts.fp; }  // voxels
  int64_t real() const { return facts_.counts.tp + facts_.counts.fn; }
  double voxel_mm3() const { return facts_.spacing[0] * facts_.spacing[1] * facts_.spacing[2]; }

  const SurfaceDistances& surface() const;
  const SurfaceElements& elements() const;
  // Parts of each object, and what pairs of them share.
  struct Lesions {
    Components predicted, real;
    std::vector<Overlap> shared;  // a: of the prediction, b: of the reference
    // Parts of the reference that one of the prediction touches, and parts of the prediction that touch none.
    int found = 0, false_positives = 0;
  };
  const Lesions& lesions() const;

 private:
  Facts facts_;
  mutable std::optional<SurfaceDistances> surface_;
  mutable std::optional<SurfaceElements> elements_;
  mutable std::optional<Lesions> lesions_;
};

// A score of one class in one case, beside those that every evaluation has. One file metrics/NAME_metric.cpp defines `MetricEntry
// NAME_metric()`; a program adds its own by metric_registry().add(..).
struct MetricEntry {
  std::string name;     // by which it is asked for: "assd"
  std::string summary;  // formula and what it gives where an object is empty
  std::string key;      // in JSON and CSV: "ASSD_mm"
  bool larger_is_better = true;
  int decimals = 4;            // in the table
  bool probabilities = false;  // wants facts().probability
  // NaN: has no meaning here. Of what is not finite means are not made.
  std::function<double(const ObjectPair&)> value;
};
Registry<MetricEntry>& metric_registry();
// What `evaluate --help` says of scores of masks.
std::string describe_metrics();

}  // namespace voxgrad
