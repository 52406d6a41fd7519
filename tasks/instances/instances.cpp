#include "tasks/instances/instances.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "kernels/dice_cross_entropy/dice_cross_entropy.h"
#include "kernels/reduce/reduce.h"
#include "kernels/slice/slice.h"

namespace voxgrad {
namespace {

constexpr const char *kClass = "class", *kOffsets = "offsets", *kHeat = "heat", *kSigmas = "sigma";
constexpr size_t kBeside = 4;  // outputs beside background and classes: the heat map and three offsets

// The heat map of an output, which starts near 0: a large loss in the beginning would slow down everything else.
constexpr double kStartLogit = -3;
Tensor heat_of(const Tensor& output) { return sigmoid(output + kStartLogit); }

// Numbers at the working grid of what lies there in the file.
Tensor at_working_grid(const Tensor& number, const Geometry& g) {
  const Tensor out = Tensor::empty({g.working.d, g.working.h, g.working.w}, DType::i32);
  const Int3 size = volume_size(number);
  const auto from = number.data<int32_t>();
  const auto to = out.mutable_data<int32_t>();
  size_t i = 0;
  for (int d = 0; d < g.working.d; ++d)
    for (int h = 0; h < g.working.h; ++h)
      for (int w = 0; w < g.working.w; ++w) {
        const Double3 at = in_file_voxels(Double3{double(d), double(h), double(w)}, g);
        int64_t v[3];
        for (int a = 0; a < 3; ++a) v[a] = std::clamp<int64_t>(std::lround(at[size_t(a)]), 0, size[a] - 1);
        to[i++] = from[size_t((v[0] * size.h + v[1]) * size.w + v[2])];
      }
  return out;
}

// The reverse, i32 {D, H, W, 1} in the geometry of the file; outside of what the network saw 0.
Volume in_file_grid(const Tensor& number, const Geometry& g) {
  const Grid grid = file_grid(g);
  const Tensor out = Tensor::zeros({grid.size[0], grid.size[1], grid.size[2], 1}, DType::i32);
  const auto from = number.data<int32_t>();
  const auto to = out.mutable_data<int32_t>();
  size_t i = 0;
  for (int64_t d = 0; d < grid.size[0]; ++d)
    for (int64_t h = 0; h < grid.size[1]; ++h)
      for (int64_t w = 0; w < grid.size[2]; ++w, ++i) {
        const Double3 at = in_working_voxels(Double3{double(d), double(h), double(w)}, g);
        int64_t v[3];
        bool inside = true;
        for (int a = 0; a < 3; ++a) {
          inside = inside && at[size_t(a)] >= -0.5 && at[size_t(a)] <= g.working[a] - 0.5;
          v[a] = std::clamp<int64_t>(std::lround(at[size_t(a)]), 0, g.working[a] - 1);
        }
        if (inside) to[i] = from[size_t((v[0] * g.working.h + v[1]) * g.working.w + v[2])];
      }
  return {out, g.affine, g.unit};
}

Double3 sigma_in(const Vec3& spacing, double mm) { return {mm / spacing[0], mm / spacing[1], mm / spacing[2]}; }

std::vector<std::string> classes_among(const std::vector<std::string>& outputs) {
  check(outputs.size() > kBeside + 1, "instances: ", outputs.size(), " outputs are no background, classes, centre and offsets");
  return {outputs.begin() + 1, outputs.end() - std::ptrdiff_t(kBeside)};
}

class PanopticMeter : public Meter {
 public:
  explicit PanopticMeter(std::vector<std::string> classes) : classes_(std::move(classes)), counts_(classes_.size()) {}

  void add(const Case& c, const std::vector<Field>& prediction) override {
    const NumberedObjects real = regrouped({c.sample.at(kClass), c.sample.at(kOffsets), c.sample.at(kHeat)});
    NumberedObjects found{.number = prediction.at(0).data, .label = {}};
    for (double l : prediction.at(1).data.values()) found.label.push_back(int(l));
    const auto one = panoptic_counts(found, real, int(classes_.size()));
    for (size_t k = 0; k < one.size(); ++k) counts_[k].add(one[k]);
  }
  Scores scores() const override {
    Scores s{.name = "panoptic_quality", .text = "panoptic quality"};
    double sum = 0, recognition = 0, n = 0;
    for (size_t k = 0; k < classes_.size(); ++k) {
      s.parts.emplace_back(classes_[k], counts_[k].quality());
      if (std::isfinite(counts_[k].quality())) sum += counts_[k].quality(), recognition += counts_[k].recognition(), ++n;
    }
    if (n > 0) s.value = sum / n;
    s.others.emplace_back("recognition", n > 0 ? recognition / n : NAN);
    return s;
  }

 private:
  std::vector<std::string> classes_;
  std::vector<PanopticCounts> counts_;
};

}  // namespace

std::vector<Field> Instances::targets(const DatasetCase& c, const Geometry& g, const std::vector<std::string>& outputs) const {
  const LabelledObjects objects = case_objects(c, file_grid(g), classes_among(outputs), options_.source);
  const Double3 sigma = sigma_in(g.spacing, options_.sigma_mm);
  const InstanceMaps maps = maps_of({at_working_grid(objects.number, g), objects.label}, sigma);
  return {{kClass, DataKind::labels, maps.label},
          {kOffsets, DataKind::vectors, maps.offsets},
          {kHeat, DataKind::image, maps.heat},
          {kSigmas, DataKind::values, Tensor::from({sigma[0], sigma[1], sigma[2]}, {3})}};
}

std::string Instances::decides_targets() const {
  const BoxSource& s = options_.source;
  return Json{{"kind", "instances"}, {"objects", s.objects}, {"min_voxels", s.min_voxels}, {"sigma_mm", options_.sigma_mm}}.dump();
}

ForegroundIndex Instances::places(const Sample& sample) const { return find_foreground(sample.at(kClass), Rng(1234)); }

std::vector<std::string> Instances::outputs(const Dataset& d) const {
  check_all_labelled(d);
  std::vector<std::string> out = {"background"};
  for (auto& name : box_classes(d)) out.push_back(name);
  for (const char* name : {"centre", "offset d", "offset h", "offset w"}) out.push_back(name);
  return out;
}

Tensor Instances::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  const Tensor& y = outputs.at(0);
  const int64_t classes = y.dim(4) - int64_t(kBeside);
  const DType type = accum_of(y.dtype());
  const Tensor &label = batch.at(kClass), &heat = batch.at(kHeat);
  const Tensor of_class = dice_cross_entropy(slice(y, 4, 0, classes), label);
  const Shape s = label.shape();
  const Tensor within = minimum(label.to(type), Tensor::full(s, 1, type, label.device())).reshape({s[0], s[1], s[2], s[3], 1});
  // What is counted stays on the device.
  const Tensor one = Tensor::full({}, 1, type, label.device()), mass = maximum(sum(square(heat.to(type))), one);
  const Tensor inside = maximum(sum(within) * 3, one);
  const Tensor of_heat = sum(square(heat_of(slice(y, 4, classes, classes + 1).to(type)) - heat.to(type))) / mass;
  const Tensor sigma = batch.at(kSigmas).to(type).reshape({s[0], 1, 1, 1, 3});
  const Tensor off = abs(slice(y, 4, classes + 1, classes + 4).to(type) - batch.at(kOffsets).to(type) / sigma);
  return of_class + of_heat * options_.heat_weight + sum(off * within) * options_.offset_weight / inside;
}

NumberedObjects Instances::objects_in(const Network& net, const ModelDescription& d, const Tensor& image, const Vec3& spacing,
                                      const PredictOptions& o) const {
  const Inference quiet;
  const Tensor y = predict_volume(net, d, image, o);
  const int64_t classes = y.dim(3) - int64_t(kBeside);
  const Double3 sigma = sigma_in(spacing, options_.sigma_mm);
  InstanceMaps maps{argmax_labels(slice(y, 3, 0, classes)), slice(y, 3, classes + 1, classes + 4).clone(),
                    heat_of(slice(y, 3, classes, classes + 1))};
  const auto offset = maps.offsets.mutable_data<float>();
  for (size_t i = 0; i < offset.size(); ++i) offset[i] *= float(sigma[i % 3]);
  return grouped(maps, sigma, options_.grouping);
}

std::vector<Field> Instances::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  const NumberedObjects found = objects_in(net, d, c.sample.image(), c.geometry.spacing, o);
  const std::vector<double> labels(found.label.begin(), found.label.end());
  return {{"objects", DataKind::values, found.number}, {"classes", DataKind::values, Tensor::from(labels, {int64_t(labels.size())})}};
}

std::unique_ptr<Meter> Instances::meter(const std::vector<std::string>& outputs) const {
  return std::make_unique<PanopticMeter>(classes_among(outputs));
}

Result Instances::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  const NumberedObjects found = objects_in(model.net, model.description, p.image, p.geometry.spacing, o);
  Json instances = Json::object();
  for (size_t k = 0; k < found.label.size(); ++k) instances[std::to_string(k + 1)] = found.label[k];
  const Json j = {{"instances", instances},
                  {"labels", classes_among(model.description.labels)},
                  {"objects", options_.source.objects},
                  {"min_voxels", options_.source.min_voxels}};
  return {.volume = in_file_grid(found.number, p.geometry), .json = j.dump()};
}

}  // namespace voxgrad
