#pragma once
#include "tasks/landmarks/case_points.h"
#include "tasks/task.h"

namespace voxgrad {

struct LandmarkOptions {
  PointSource source;
  double sigma_mm = 3;  // of the heat maps
};

// Named points in each image, by heat maps (Payer et al., MedIA 2019): the network learns one for each name, whose largest value is the
// point (heat_maps.h). What a data set knows of points: case_points.h. Results are CASE.json, CASE.csv, and CASE.fcsv and CASE.mrk.json of
// 3D Slicer; scores are distances in mm.
class Landmarks : public Task {
 public:
  explicit Landmarks(const LandmarkOptions& o) : options_(o) {}

  // "points", whose fourth number is 1 where the point is known, and "sigma" in voxels.
  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>& names) const override;
  std::string decides_targets() const override;
  ForegroundIndex places(const Sample&) const override;
  std::vector<std::string> outputs(const Dataset& d) const override { return landmark_names(d, options_.source); }
  // In place of these, "maps", "known" and "empty" of heat_maps.h, so that the loss waits for nothing from the host.
  Batch prepare(const Batch&, const Rng&) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>& outputs) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
  const char* product() const override { return "sets of landmarks"; }
  std::vector<std::filesystem::path> files(const std::filesystem::path& stem, const std::string& ending) const override;
  void write(const Result&, const std::filesystem::path& stem, const std::string& ending) const override;
  // predictions.csv, the landmarks of all cases.
  void write_summary(const std::filesystem::path& folder, const std::vector<std::pair<std::string, std::string>>&) const override;
  // Slices with a cross at each landmark.
  Picture picture(const Volume& image, const Result&, const Volume& reference, const std::string& title,
                  const ModelDescription&) const override;
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

 private:
  LandmarkOptions options_;
};

// {"landmarks": {name: [x, y, z]}, in mm, RAS+, "scores": {name: value}, "voxels": {name: [i, j, k]}, "from"}.
Json json_of_landmarks(const std::vector<Landmark>&, const Affine& of_file, const PointSource&);
// Back; scores that are missing are 1.
std::vector<Landmark> landmarks_from(const Json& result, const std::string& where);
std::string describe_landmark_scores();

}  // namespace voxgrad
