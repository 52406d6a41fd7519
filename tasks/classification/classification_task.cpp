#include "core/config/json_values.h"
#include "tasks/classification/class_judge.h"
#include "tasks/classification/classification.h"

namespace voxgrad {
namespace {

// Beside those of values per image: sizes seldom tell classes apart.
constexpr const char* kDefaults = R"({"augment": {"scaling": 0.5, "scale_low": 0.85, "scale_high": 1.18}})";

std::vector<double> weights_from(const Json& v) {
  const std::string wanted = "none, balanced or a list of numbers above 0, one for each class, is wanted";
  check(v.is_array() && v.size() >= 2, wanted);
  std::vector<double> out;
  for (auto& w : v) {
    check(w.is_number() && w.get<double>() > 0 && w.get<double>() <= 1e6, wanted);
    out.push_back(w.get<double>());
  }
  return out;
}

void add_keys(ConfigTable& t, ClassificationOptions& o) {
  t.choice("target", o.target, {"auto", "single", "multi_label", "ordinal"},
           "single: one class for each image; multi_label: any number of them; ordinal: one, and they have an order; auto: multi_label "
           "where the data set has lists of classes, else single");
  t.add_json("class_weights",
             "of the classes in the loss: none, balanced (the rarer the heavier, by the training cases) or a list of numbers; with "
             "multi_label of positive targets",
             [&o] { return o.class_weights.empty() ? Json(o.weighting) : Json(o.class_weights); },
             [&o](const Json& v) {
               const bool word = v == "none" || v == "balanced";
               o.class_weights = word ? std::vector<double>() : weights_from(v);
               o.weighting = word ? v.get<std::string>() : "none";
             });
  t.number("label_smoothing", o.label_smoothing, 0, 1, "part of the target that is spread over all classes");
  t.number("focal_gamma", o.focal_gamma, 0, 10, "> 0: focal loss (Lin et al. 2017), in which cases that are right already count little");
  t.number("mixup", o.mixing.mixup, 0, 100, "> 0: alpha of mixup: images and classes of a batch are averaged in pairs");
  t.number("cutmix", o.mixing.cutmix, 0, 100, "> 0: alpha of CutMix: a box of each image is that of another one of the batch");
  add_image_input(t, o.image);
  t.number("temperature", o.temperature, 1e-3, 1e3,
           "that logits are divided by; at the end of a training it is fitted to the cases that validate, for the best checkpoint");
}

bool adapt(const Options& options, const Dataset& training) {
  auto& o = options.as<ClassificationOptions>();
  const bool open = o.target == "auto", counts = o.weighting == "balanced" && o.class_weights.empty();
  if (open) o.target = has_lists_of_classes(training) ? "multi_label" : "single";
  if (counts) {
    o.class_weights = balanced_weights(training, training.labels, Classification(o).target());
    o.weighting = "none";
  }
  return open || counts;
}

}  // namespace

TaskEntry classification_task() {
  return {.name = "classification",
          .summary = "one class for each image, or several, or a grade",
          .defaults = values_defaults(kDefaults),
          .options = [] { return Options::of<ClassificationOptions>(add_keys); },
          .adapt = adapt,
          .make = [](const Options& o) { return std::make_shared<Classification>(o.as<ClassificationOptions>()); },
          .describe_scores = describe_class_scores};
}

}  // namespace voxgrad
