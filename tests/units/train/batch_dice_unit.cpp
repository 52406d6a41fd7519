#include "core/config/json_values.h"
#include "io/json_file.h"
#include "tasks/segmentation/segmentation.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "train/plan.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// Two patches of two voxels with the probability 1/2 of each class: of class 1 everywhere, and of class 0.
double dice_loss(const SegmentationOptions& options) {
  const Segmentation task(options);
  const Batch batch{Tensor::zeros({2, 1, 1, 2, 1}), {{"label", DataKind::labels, Tensor::from({1, 1, 0, 0}, {2, 1, 1, 2}, DType::u8)}}};
  const int64_t outputs = options.map.regions.empty() ? 2 : 1;
  return task.loss({Tensor::zeros({2, 1, 1, 2, outputs})}, batch).item();
}

// What the task's options say of Dice once the configuration is planned.
Json planned(const std::string& configuration, const std::vector<std::string>& assignments, const std::string& plans = "") {
  Dataset d;
  d.channel_names = {"MRI"};
  d.labels = {"background", "organ"};
  TrainConfig config;
  apply_assignments(config, {"plan.configuration=" + configuration});
  if (!plans.empty()) apply_assignments(config, {"plan.file=" + Json(plans).dump()});
  apply_assignments(config, assignments);
  const Fingerprint print{
      .extents = {{36, 50, 35}}, .spacings = {{1, 1, 1}}, .cropped = {{36, 50, 35}}, .foreground = {{}}, .spread = {{}}};
  const PlannedConfiguration p = plan_configuration(d, print, config, d.labels);
  const Json task = p.model.task.empty() ? Json::object() : parse_json(p.model.task, "the task");
  CHECK(task.value("batch_dice", Json("auto")) == task_options(p.config).to_json()["batch_dice"]);
  return task_options(p.config).to_json()["batch_dice"];
}

}  // namespace

TEST_CASE("Dice of a batch is that of its patches, averaged, or of all of them together") {
  // Of each: 2 / (1 + 2) and 0 / (1 + 0). Together: 2 / (2 + 2).
  const double each = -(2. / 3 + 0) / 2, together = -0.5;
  CHECK(std::abs(dice_loss({.cross_entropy_weight = 0}) - each) < 2e-5);
  CHECK(std::abs(dice_loss({.cross_entropy_weight = 0, .batch_dice = "false"}) - each) < 2e-5);
  CHECK(std::abs(dice_loss({.cross_entropy_weight = 0, .batch_dice = "true"}) - together) < 2e-5);
  const LabelMap region{.regions = {{"organ", {1}, 1}}};
  CHECK(std::abs(dice_loss({.cross_entropy_weight = 0, .map = region}) - each) < 2e-5);
  CHECK(std::abs(dice_loss({.cross_entropy_weight = 0, .batch_dice = "true", .map = region}) - together) < 2e-5);
}

TEST_CASE("Dice is that of the batch where the plan says so and the configuration leaves it open") {
  CHECK(planned("2d", {}) == true);
  CHECK(planned("2d", {"segmentation.batch_dice=false"}) == false);
  CHECK(planned("3d_fullres", {}) == "auto");
  CHECK(planned("3d_fullres", {"segmentation.batch_dice=true"}) == true);
  TrainConfig c;
  CHECK_THAT(error_of([&] { apply_assignments(c, {"segmentation.batch_dice=3"}); }), Contains("segmentation.batch_dice"));
}
