#include "tasks/landmarks/landmarks.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "tasks/landmarks/heat_maps.h"
#include "tasks/landmarks/landmark_errors.h"

namespace voxgrad {
namespace {

constexpr const char *kPoints = "points", *kSigma = "sigma";
constexpr const char *kMaps = "maps", *kKnown = "known", *kEmpty = "empty";

Double3 voxels_of_sigma(double mm, const Vec3& spacing) { return {mm / spacing[0], mm / spacing[1], mm / spacing[2]}; }

// Rows of a field of points.
std::vector<HeatPoint> points_from(const Tensor& rows, int64_t begin, int64_t end) {
  const std::vector<double> v = rows.rows(begin, end).values();
  std::vector<HeatPoint> out;
  for (size_t i = 0; i < v.size(); i += 4) out.push_back({{v[i], v[i + 1], v[i + 2]}, v[i + 3] > 0});
  return out;
}

std::vector<HeatPeak> peaks_in(const Network& net, const ModelDescription& d, const Tensor& image, const PredictOptions& o,
                               const Double3& sigma) {
  const Inference quiet;
  const Tensor heat = predict_volume(net, d, image, o);
  std::vector<HeatPeak> out;
  for (int64_t k = 0; k < heat.dim(3); ++k) out.push_back(peak_of(heat, k, sigma));
  return out;
}

class LandmarkMeter : public Meter {
 public:
  explicit LandmarkMeter(std::vector<std::string> names) : errors_(std::move(names)) {}

  void add(const Case& c, const std::vector<Field>& prediction) override {
    const Tensor& real = c.sample.at(kPoints);
    const std::vector<HeatPoint> wanted = points_from(real, 0, real.dim(0));
    const std::vector<double> said = prediction.at(0).data.values();
    std::vector<double> mm;
    for (size_t k = 0; k < wanted.size(); ++k) {
      double square = 0;
      for (size_t a = 0; a < 3; ++a) square += std::pow((said.at(3 * k + a) - wanted[k].place[a]) * c.geometry.spacing[a], 2);
      mm.push_back(wanted[k].known ? std::sqrt(square) : NAN);
    }
    errors_.add(mm);
  }
  Scores scores() const override {
    Scores s{.name = "mean_error", .text = "mean error in mm", .value = NAN, .larger_is_better = false};
    const std::vector<double> values = errors_.scores();
    const std::vector<std::string> keys = errors_.keys();
    s.value = values.at(0);
    for (size_t i = 1; i < LandmarkErrors::kShared; ++i) s.others.emplace_back(keys[i], values[i]);
    for (size_t k = 0; k < errors_.names().size(); ++k) s.parts.emplace_back(errors_.names()[k], values[LandmarkErrors::kShared + k]);
    return s;
  }

 private:
  LandmarkErrors errors_;
};

// In voxels of the network; far from the image it was meant in other axes or units.
Double3 place_in(const Geometry& g, const Landmark& l, const DatasetCase& c) {
  const Vec3 at = g.affine.inverse().apply(l.mm);
  const Grid grid = file_grid(g);
  for (size_t a = 0; a < 3; ++a) {
    const double size = double(grid.size[a]);
    check(at[a] > -size && at[a] < 2 * size, c.images.empty() ? c.id : c.images[0].string(), ": the case ", c.id, ": the landmark ", l.name,
          " lies at voxel ", at[a], " along the axis ", "kji"[a], ", far from its image of ", size);
  }
  return in_working_voxels(at, g);
}

}  // namespace

std::vector<Field> Landmarks::targets(const DatasetCase& c, const Geometry& g, const std::vector<std::string>& names) const {
  std::vector<double> rows;
  for (const Landmark& l : case_landmarks(c, names, options_.source)) {
    const Double3 at = l.known ? place_in(g, l, c) : Double3{};
    rows.insert(rows.end(), {at[0], at[1], at[2], l.known ? 1.0 : 0.0});
  }
  const Double3 sigma = voxels_of_sigma(options_.sigma_mm, g.spacing);
  return {{kPoints, DataKind::points, Tensor::from(rows, {int64_t(names.size()), 4})},
          {kSigma, DataKind::values, Tensor::from({sigma[0], sigma[1], sigma[2]}, {3})}};
}

std::string Landmarks::decides_targets() const {
  return Json{{"kind", "landmarks"}, {"from", options_.source.from}, {"sigma_mm", options_.sigma_mm}}.dump();
}

ForegroundIndex Landmarks::places(const Sample& sample) const {
  const Int3 size = volume_size(sample.image());
  const Tensor& rows = sample.at(kPoints);
  ForegroundIndex out{.classes = {}, .size = size};
  int label = 0;
  for (const HeatPoint& p : points_from(rows, 0, rows.dim(0))) {
    ++label;
    const auto voxel = [&](int a) { return std::clamp<int64_t>(std::lround(p.place[size_t(a)]), 0, size[a] - 1); };
    if (p.known) out.classes.push_back({label, VoxelList({(voxel(0) * size.h + voxel(1)) * size.w + voxel(2)})});
  }
  return out;
}

Batch Landmarks::prepare(const Batch& batch, const Rng&) const {
  const Field* field = batch.find(kPoints);
  check(field, "landmarks: the batch has no points");
  const Tensor rows = field->data.to(Device{});
  const std::vector<double> sigma = batch.at(kSigma).values();
  std::vector<std::vector<HeatPoint>> points;
  std::vector<Double3> sigmas;
  for (size_t n = 0; n + 1 < field->offsets.size(); ++n) {
    points.push_back(points_from(rows, field->offsets[n], field->offsets[n + 1]));
    sigmas.push_back({sigma.at(3 * n), sigma.at(3 * n + 1), sigma.at(3 * n + 2)});
  }
  const HeatTargets t = heat_targets(points, sigmas, batch.image.shape().spatial(), DType::f32, batch.image.device());
  return {batch.image, {{kMaps, DataKind::image, t.maps}, {kKnown, DataKind::values, t.known}, {kEmpty, DataKind::values, t.empty}}};
}

Tensor Landmarks::loss(const std::vector<Tensor>& outputs, const Batch& batch) const {
  if (!batch.find(kMaps)) return loss(outputs, prepare(batch, Rng(0)));
  return heat_map_loss(outputs.at(0), HeatTargets{batch.at(kMaps), batch.at(kKnown), batch.at(kEmpty)});
}

std::vector<Field> Landmarks::predict(const Network& net, const ModelDescription& d, const Case& c, const PredictOptions& o) const {
  std::vector<double> places;
  for (const HeatPeak& p : peaks_in(net, d, c.sample.image(), o, voxels_of_sigma(options_.sigma_mm, c.geometry.spacing)))
    places.insert(places.end(), p.place.begin(), p.place.end());
  return {{kPoints, DataKind::points, Tensor::from(places, {int64_t(places.size() / 3), 3})}};
}

std::unique_ptr<Meter> Landmarks::meter(const std::vector<std::string>& outputs) const { return std::make_unique<LandmarkMeter>(outputs); }

Result Landmarks::apply(const Model& model, const Preprocessed& p, const PredictOptions& o) const {
  const auto peaks = peaks_in(model.net, model.description, p.image, o, voxels_of_sigma(options_.sigma_mm, p.geometry.spacing));
  std::vector<Landmark> out;
  for (size_t k = 0; k < peaks.size(); ++k)
    out.push_back({.name = model.description.labels.at(k),
                   .mm = p.geometry.affine.apply(in_file_voxels(peaks[k].place, p.geometry)),
                   .score = peaks[k].value});
  return {.volume = {}, .json = json_of_landmarks(out, p.geometry.affine, options_.source).dump()};
}

}  // namespace voxgrad
