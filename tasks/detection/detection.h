#pragma once
#include "tasks/detection/anchor_head.h"
#include "tasks/detection/case_boxes.h"
#include "tasks/detection/centre_head.h"
#include "tasks/detection/tile_boxes.h"
#include "tasks/task.h"

namespace voxgrad {

struct DetectionOptions {
  std::vector<std::string> classes;  // that are looked for; empty: all of the data set
  BoxSource source;
  std::vector<double> size;    // usual size of boxes along D, H, W in mm, from which the network's are factors; empty: not known yet
  CentreLossWeights loss;      // of a network of centres
  std::vector<Double3> anchors;  // shapes in mm along D, H, W, of a network of anchors; empty: not fitted yet
  AnchorLoss anchor_loss;
  TileBoxOptions boxes;        // that a prediction has
};

// Boxes around objects of some classes, with a score each. Networks: centre_net (centre_head.h) and, where the
// outputs are more than two or the second has more than six channels, retina_net (anchor_head.h). Cases are as case_boxes.h says;
// the loss chooses cells and anchors on the host, their number with the boxes, so that steps of training are not recorded;
// validation and `evaluate` give the scores of box_judge.h. Results are ID.json, ID.csv and ID.mrk.json (ROIs of 3D Slicer).
class Detection : public Task {
 public:
  explicit Detection(const DetectionOptions&);

  // "boxes", and "unit": the usual size in voxels.
  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>& classes) const override;
  std::string decides_targets() const override;
  // The middles of boxes by class.
  ForegroundIndex places(const Sample&) const override;
  std::vector<std::string> outputs(const Dataset&) const override;
  std::vector<int> classes(const DatasetCase&, const std::vector<std::string>& labels) const override;
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override;
  std::vector<Field> predict(const Network&, const ModelDescription&, const Case&, const PredictOptions&) const override;
  std::unique_ptr<Meter> meter(const std::vector<std::string>& outputs) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override;
  const char* product() const override { return "lists of boxes"; }
  std::vector<std::filesystem::path> files(const std::filesystem::path& stem, const std::string& ending) const override;
  void write(const Result&, const std::filesystem::path& stem, const std::string& ending) const override;
  // predictions.csv, the boxes of all cases.
  void write_summary(const std::filesystem::path& folder, const std::vector<std::pair<std::string, std::string>>&) const override;
  // Slices with the outlines of boxes.
  Picture picture(const Volume& image, const Result&, const Volume& reference, const std::string& title,
                  const ModelDescription&) const override;
  Evaluated evaluate(const std::filesystem::path& predictions, const std::filesystem::path& references,
                     const EvaluateOptions&) const override;

 private:
  std::vector<ObjectBox> boxes_in(const Network&, const ModelDescription&, const Tensor& image, const Vec3& spacing,
                                  const PredictOptions&) const;
  // Shapes of anchors in voxels, where `unit` is the usual size in them.
  std::vector<AnchorShape> anchors_for(const Double3& unit) const;

  DetectionOptions options_;
};

// Of options that leave them open the usual size, the geometric mean over the boxes of the cases, and kAnchors shapes of anchors, fitted to
// them for kAnchorLevels levels.
inline constexpr int kAnchors = 6, kAnchorLevels = 3;
bool adapt_detection(DetectionOptions&, const Dataset&);

// The result of a case as JSON: {"boxes": [{"label", "score", "voxels", "centre_mm", "size_mm"}, ..] as case_boxes.h and below, "labels":
// names, "affine": 4 x 4, from (i, j, k, 1) to mm in RAS+, "objects" and "min_voxels": what of label files is an object for the model}.
// centre_mm is in RAS+, size_mm along the axes i, j, k of the file.
Json json_of_boxes(const std::vector<ObjectBox>& in_file, const std::vector<std::string>& classes, const Affine&, const BoxSource& = {});
// One line a box, "label,score,i_low,..,k_high,x_mm,y_mm,z_mm,size_i_mm,..", behind `before`, such as the case.
std::string csv_lines_of_boxes(const Json& result, const std::string& before);
std::string csv_columns_of_boxes();
// A file of markups for 3D Slicer: a ROI for each box, in LPS+.
Json markups_of_boxes(const Json& result);
std::string describe_detection_scores();

}  // namespace voxgrad
