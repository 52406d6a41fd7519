#include "tasks/detection/detection.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "io/json_file.h"
#include "tasks/detection/box_judge.h"

namespace voxgrad {
namespace {

constexpr const char *kBoxes = "boxes", *kUnit = "unit";

bool has_volume(const ObjectBox& b) {
  const Double3 s = b.size();
  return s[0] > 0 && s[1] > 0 && s[2] > 0;
}

// Whether they are those of a network of anchors, not of centres.
bool has_anchors(const std::vector<Tensor>& outputs) {
  check(outputs.size() >= 2, "detection: the network gives ", outputs.size(), " outputs, which are no classes and boxes");
  return outputs.size() > 2 || outputs[1].dim(4) > 6;
}

class BoxMeter : public Meter {
 public:
  explicit BoxMeter(std::vector<std::string> classes) : classes_(std::move(classes)) {}

  void add(const Case& c, const std::vector<Field>& prediction) override {
    JudgedBoxes one{.found = {}, .real = boxes_from(c.sample.at(kBoxes), 0, c.sample.at(kBoxes).dim(0)), .spacing = {}};
    for (size_t a = 0; a < 3; ++a) one.spacing[a] = c.geometry.spacing[a];
    const Tensor& rows = prediction.at(0).data;
    one.found = boxes_from(rows, 0, rows.dim(0));
    const std::vector<double> scores = prediction.at(1).data.values();
    for (size_t i = 0; i < one.found.size(); ++i) one.found[i].score = scores.at(i);
    images_.push_back(std::move(one));
  }
  Scores scores() const override {
    const BoxJudge judge(images_, classes_);
    const std::vector<std::string> keys = judge.keys();
    const std::vector<double> values = judge.scores();
    Scores s{.name = "map", .text = "mAP@0.1:0.5", .value = values[0]};
    const size_t first_of_classes = keys.size() - classes_.size();
    for (size_t i = 1; i < first_of_classes; ++i) s.others.emplace_back(keys[i], values[i]);
    for (size_t k = 0; k < classes_.size(); ++k) s.parts.emplace_back(classes_[k], values[first_of_classes + k]);
    return s;
  }

 private:
  std::vector<std::string> classes_;
  std::vector<JudgedBoxes> images_;
};

}  // namespace

Detection::Detection(const DetectionOptions& o) : options_(o) {
  check(o.size.empty() || o.size.size() == 3, "detection: the usual size of boxes has ", o.size.size(), " numbers, three are wanted");
}

std::vector<Field> Detection::targets(const DatasetCase& c, const Geometry& g, const std::vector<std::string>& classes) const {
  check(options_.size.size() == 3, "detection: the usual size of boxes is not known");
  std::vector<ObjectBox> boxes;
  for (const ObjectBox& b : case_boxes(c, file_grid(g), classes, options_.source)) {
    const ObjectBox there = in_working_voxels(b, g);
    if (has_volume(there)) boxes.push_back(there);
  }
  std::vector<double> unit;
  for (size_t a = 0; a < 3; ++a) unit.push_back(options_.size[a] / g.spacing[a]);
  return {{kBoxes, DataKind::boxes, rows_of(boxes)}, {kUnit, DataKind::values, Tensor::from(unit, {3})}};
}

std::string Detection::decides_targets() const {
  const BoxSource& s = options_.source;
  return Json{{"kind", "detection"}, {"objects", s.objects}, {"min_voxels", s.min_voxels}, {"values", s.values}, {"size", options_.size}}
      .dump();
}

ForegroundIndex Detection::places(const Sample& sample) const {
  const Int3 size = volume_size(sample.image());
  std::map<int, std::vector<int64_t>> found;
  const Tensor& rows = sample.at(kBoxes);
  for (const ObjectBox& b : boxes_from(rows, 0, rows.dim(0))) {
    const Double3 c = b.centre();
    const auto voxel = [&](int a) { return std::clamp<int64_t>(std::lround(c[size_t(a)]), 0, size[a] - 1); };
    found[b.label].push_back((voxel(0) * size.h + voxel(1)) * size.w + voxel(2));
  }
  ForegroundIndex out{.classes = {}, .size = size};
  for (auto& [label, voxels] : found) {
    std::sort(voxels.begin(), voxels.end());
    out.classes.push_back({label + 1, VoxelList(std::move(voxels))});
  }
  return out;
}

std::vector<std::string> Detection::outputs(const Dataset& d) const {
  for (auto& c : d.cases) check(has_boxes(c), d.root.string(), ": the case ", c.id, " has neither boxes nor a label");
  return options_.classes.empty() ? box_classes(d) : options_.classes;
}

std::vector<int> Detection::classes(const DatasetCase& c, const std::vector<std::string>& labels) const {
  std::vector<int> out;
  for (const ObjectBox& b : case_boxes(c, image_grid(c), labels, options_.source))
    if (std::find(out.begin(), out.end(), b.label) == out.end()) out.push_back(b.label);
  std::sort(out.begin(), out.end());
  return out;
}

Tensor Detection::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Field* boxes = batch.find(kBoxes);
  check(boxes, "detection: the batch has no boxes");
  const std::vector<double> unit = batch.at(kUnit).values();
  const Tensor rows = boxes->data.to(Device{});
  std::vector<std::vector<ObjectBox>> of_sample;
  std::vector<Double3> units;
  for (size_t n = 0; n + 1 < boxes->offsets.size(); ++n) {
    of_sample.push_back(boxes_from(rows, boxes->offsets[n], boxes->offsets[n + 1]));
    units.push_back({unit.at(3 * n), unit.at(3 * n + 1), unit.at(3 * n + 2)});
  }
  const Int3 input = batch.image.shape().spatial();
  if (!has_anchors(outputs)) return centre_loss(outputs.at(0), outputs.at(1), {of_sample, units, input}, options_.loss);
  AnchorTargets t{.boxes = of_sample, .shapes = {}, .input = input};
  for (const Double3& u : units) t.shapes.push_back(anchors_for(u));
  return voxgrad::anchor_loss(outputs, t, options_.anchor_loss);
}

std::vector<AnchorShape> Detection::anchors_for(const Double3& unit) const {
  std::vector<AnchorShape> out = options_.anchors;
  for (AnchorShape& shape : out)
    for (size_t a = 0; a < 3; ++a) shape[a] *= unit[a] / options_.size.at(a);
  return out;
}

std::vector<ObjectBox> Detection::boxes_in(const Network& net, const ModelDescription& d, const Tensor& image, const Vec3& spacing,
                                           const PredictOptions& o) const {
  Double3 unit;
  for (size_t a = 0; a < 3; ++a) unit[a] = options_.size.at(a) / spacing[a];
  const double least = options_.boxes.min_score;
  const TileDecoder decode = [&](const std::vector<Tensor>& outputs, const Int3& patch) {
    if (has_anchors(outputs)) return decode_anchors(outputs, 0, patch, anchors_for(unit), {.min_score = least});
    return decode_centres(outputs.at(0), outputs.at(1), 0, patch, unit, {.min_score = least});
  };
  return predict_boxes(net, d, image, o, decode, options_.boxes);
}

std::vector<Field> Detection::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const std::vector<ObjectBox> found = boxes_in(net, d, c.sample.image(), c.geometry.spacing, o);
  std::vector<double> scores;
  for (const ObjectBox& b : found) scores.push_back(b.score);
  const Tensor of_scores = Tensor::from(scores, {int64_t(scores.size())}, DType::f64);
  return {{kBoxes, DataKind::boxes, rows_of(found)}, {"scores", DataKind::values, of_scores}};
}

std::unique_ptr<Meter> Detection::meter(const std::vector<std::string>& outputs) const { return std::make_unique<BoxMeter>(outputs); }

Result Detection::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  std::vector<ObjectBox> boxes = boxes_in(model.net, model.description, p.image, p.geometry.spacing, o);
  for (ObjectBox& b : boxes) b = in_file_voxels(b, p.geometry);
  return {.volume = {}, .json = json_of_boxes(boxes, model.description.labels, p.geometry.affine, options_.source).dump()};
}

bool adapt_detection(DetectionOptions& o, const Dataset& d) {
  if ((!o.size.empty() && !o.anchors.empty()) || d.cases.empty()) return false;
  if (!o.classes.empty() && o.source.values.empty()) o.source = with_classes(o.source, d, o.classes);
  const std::vector<std::string> classes = o.classes.empty() ? box_classes(d) : o.classes;
  std::vector<Double3> sizes;
  for (const DatasetCase& c : d.cases) {
    const Grid grid = image_grid(c);
    const Orientation axes = orientation_of(grid.affine);
    const Vec3 spacing = grid.affine.spacing();
    for (const ObjectBox& b : case_boxes(c, grid, classes, o.source)) {
      if (!has_volume(b)) continue;
      Double3& mm = sizes.emplace_back();
      for (size_t a = 0; a < 3; ++a) mm[a] = b.size()[size_t(axes.axis[a])] * spacing[size_t(axes.axis[a])];
    }
  }
  check(!sizes.empty(), d.root.string(), ": the cases for training have no boxes");
  if (o.size.empty())
    for (size_t a = 0; a < 3; ++a) {
      double sum = 0;
      for (const Double3& s : sizes) sum += std::log(s[a]);
      o.size.push_back(std::exp(sum / double(sizes.size())));
    }
  if (o.anchors.empty()) o.anchors = fitted_shapes(sizes, kAnchors, kAnchorLevels);
  return true;
}

}  // namespace voxgrad
