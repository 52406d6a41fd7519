#include "core/config/json_values.h"
#include "tasks/detection/detection.h"

namespace voxgrad {
namespace {

std::vector<double> sizes_from(const Json& v) {
  check(v.is_array() && (v.empty() || v.size() == 3), "three lengths in mm, or none, are wanted");
  std::vector<double> out;
  for (auto& x : v) {
    check(x.is_number() && x.get<double>() > 0 && x.get<double>() < 1e6, "lengths in mm above 0 are wanted");
    out.push_back(x.get<double>());
  }
  return out;
}

std::vector<Double3> anchors_from(const Json& v) {
  check(v.is_array() && v.size() <= 256, "a list of three lengths in mm each is wanted");
  std::vector<Double3> out;
  for (auto& shape : v) {
    const std::vector<double> s = sizes_from(shape);
    check(s.size() == 3, "three lengths in mm each are wanted");
    out.push_back({s[0], s[1], s[2]});
  }
  return out;
}

std::vector<std::string> class_names_from(const Json& v) {
  check(v.is_array() && v.size() <= 4096, "a list of names is wanted");
  std::vector<std::string> out;
  for (auto& x : v) {
    check(x.is_string() && !x.get<std::string>().empty(), "a list of names is wanted");
    out.push_back(x.get<std::string>());
  }
  return out;
}

void detection_keys(ConfigTable& t, DetectionOptions& o) {
  t.add_json(
      "classes", "names of the classes that are looked for; []: all of the data set", [&o] { return Json(o.classes); },
      [&o](const Json& v) { o.classes = class_names_from(v); });
  t.integers("values", o.source.values, 1, 65535, "of these classes in label files, and their numbers among all; []: by their names");
  t.choice("objects", o.source.objects, {"components", "labels"},
           "of label files: each connected part of a label is an object, or all voxels of a label are one, such as an organ");
  t.integer("min_voxels", o.source.min_voxels, 1, 1000000000, "of objects in label files; smaller ones are none");
  t.add_json(
      "size", "usual size of boxes along D, H, W in mm; []: the geometric mean of those for training", [&o] { return Json(o.size); },
      [&o](const Json& v) { o.size = sizes_from(v); });
  t.number("heat_weight", o.loss.heat, 0, 100, "weight of the focal loss of the heat maps");
  t.number("giou_weight", o.loss.giou, 0, 100, "weight of the generalised IoU of boxes in the loss");
  t.number("l1_weight", o.loss.l1, 0, 100, "weight of absolute differences of centres and sizes in the loss");
  t.add_json(
      "anchors",
      "of retina_net: sizes of the boxes that each place of the finest level is asked for, [[D, H, W], ..] in mm; []: fitted to the boxes "
      "for training",
      [&o] { return Json(o.anchors); }, [&o](const Json& v) { o.anchors = anchors_from(v); });
  t.choice("anchor_loss", o.anchor_loss.classes, {"focal", "sampled"},
           "of retina_net: focal loss of all anchors, or cross-entropy of positives and hard negatives in the ratio 1 to 2");
  t.number("anchor_giou_weight", o.anchor_loss.giou, 0, 100, "of retina_net: weight of the generalised IoU of boxes in the loss");
  t.number("anchor_l1_weight", o.anchor_loss.l1, 0, 100, "of retina_net: weight of absolute differences of boxes in the loss");
  t.number("min_score", o.boxes.min_score, 1e-4, 0.99, "of predicted boxes");
  t.number("nms", o.boxes.nms, 0, 1, "overlap (IoU) above which a box is dropped for a better one of its class");
  t.number("merge", o.boxes.merge, 0, 1, "overlap (IoU) above which boxes of several tiles or mirror images are one");
  t.integer("keep", o.boxes.keep, 1, 100000, "the most boxes of an image");
}

}  // namespace

TaskEntry detection_task() {
  return {.name = "detection",
          .summary = "boxes around objects: where lesions, organs or cells are",
          .defaults = R"({"network": {"kind": "centre_net"},
                          "train": {"optimizer": "adamw", "learning_rate": 0.001, "weight_decay": 0.0001, "average_weights": 0.99,
                                    "oversample_foreground": 0.5, "validate_cases": 100},
                          "augment": {"rotation": 0, "low_resolution": 0}})",
          .options = [] { return Options::of<DetectionOptions>(detection_keys); },
          .adapt = [](const Options& o, const Dataset& d) { return adapt_detection(o.as<DetectionOptions>(), d); },
          .make = [](const Options& o) { return std::make_shared<Detection>(o.as<DetectionOptions>()); },
          .describe_scores = describe_detection_scores};
}

}  // namespace voxgrad
