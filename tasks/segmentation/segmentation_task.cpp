#include "tasks/segmentation/segmentation.h"

#include "core/config/json_values.h"
#include "tasks/segmentation/metrics/metric.h"

namespace voxgrad {
namespace {

std::vector<int> labels_from(const Json& v) {
  check(v.is_array() && v.size() < 255, "a list of label values is wanted");
  std::vector<int> out;
  for (auto& l : v) {
    check(l.is_number_integer() && l.get<int64_t>() > (out.empty() ? 0 : out.back()) && l.get<int64_t>() < 255,
          "values from 1 to 254, ascending, are wanted");
    out.push_back(l.get<int>());
  }
  return out;
}

void add_keys(ConfigTable& t, SegmentationOptions& o) {
  t.number("dice_weight", o.dice_weight, 0, 100, "weight of soft Dice in the loss");
  t.number("cross_entropy_weight", o.cross_entropy_weight, 0, 100, "weight of cross-entropy in the loss");
  t.number("centreline_weight", o.centreline_weight, 0, 100,
           "weight in the loss of soft clDice, by which vessels and other nets keep their connections");
  t.add_json("batch_dice",
             "soft Dice of all patches of a batch together (true) or of each (false), as nnU-Net's \"batch_dice\"; \"auto\": as a "
             "plan.configuration says, else of each",
             [&o] { return o.batch_dice == "auto" ? Json("auto") : Json(o.batch_dice == "true"); },
             [&o](const Json& v) {
               check(v.is_boolean() || v == "auto", "true, false or \"auto\" is wanted");
               o.batch_dice = v.is_boolean() ? (v.get<bool>() ? "true" : "false") : "auto";
             });
  t.integer("ignore_label", o.map.ignore, -1, 255,
            "label value of voxels that nobody has annotated, in no loss or score; -1: what dataset.json names \"ignore\"");
  t.add_json("regions",
             "sets of label values to be found for themselves, [{\"name\", \"values\": [..], \"written\": value in masks}, ..]; []: those "
             "of dataset.json",
             [&o] { return json_of_regions(o.map.regions); }, [&o](const Json& v) { o.map.regions = regions_from_json(v); });
  t.add_json("previous_labels", "values of the masks in data.previous_stage that the second stage of a cascade sees, as it is planned",
             [&o] { return Json(o.previous_labels); }, [&o](const Json& v) { o.previous_labels = labels_from(v); });
  t.number("previous_operators", o.previous.operators, 0, 1,
           "probability that masks of the first stage are dilated, eroded, opened or closed in training, each label in half of the cases");
  t.integer("previous_radius", o.previous.radius, 1, 64, "of the largest ball for that, in voxels");
  t.number("previous_removal", o.previous.removal, 0, 1,
           "probability that a connected part of their labels is left out, of each label in half of the cases");
}

bool adapt(const Options& options, const Dataset& dataset) {
  LabelMap& map = options.as<SegmentationOptions>().map;
  const bool ignores = map.ignore < 0 && dataset.label_map.ignore >= 0;
  const bool has_regions = map.regions.empty() && !dataset.label_map.regions.empty();
  if (ignores) map.ignore = dataset.label_map.ignore;
  if (has_regions) map.regions = dataset.label_map.regions;
  return ignores || has_regions;
}

}  // namespace

TaskEntry segmentation_task() {
  return {.name = "segmentation",
          .summary = "a label for each voxel",
          .options = [] { return Options::of<SegmentationOptions>(add_keys); },
          .adapt = adapt,
          .make = [](const Options& o) { return std::make_shared<Segmentation>(o.as<SegmentationOptions>()); },
          .describe_scores = describe_metrics};
}

}  // namespace voxgrad
