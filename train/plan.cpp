#include "train/plan.h"

#include <algorithm>

#include "augment/mirror/mirror.h"
#include "infer/nnunet/nnunet.h"
#include "io/json_file.h"
#include "models/model_registry.h"
#include "tasks/task.h"
#include "train/planning/plans_json.h"

namespace voxgrad {
namespace {

constexpr const char* kPreviousLabels = "previous_labels";  // key of tasks/segmentation

// What tasks/segmentation has of the meaning of label values.
LabelMap label_map_of(const TrainConfig& config) {
  const Json options = task_options(config).to_json();
  LabelMap out;
  if (options.contains("regions")) out.regions = regions_from_json(options["regions"]);
  if (options.contains("ignore_label")) out.ignore = options["ignore_label"].get<int>();
  return out;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const size_t m = v.size() / 2;
  return v.size() % 2 ? v[m] : (v[m - 1] + v[m]) / 2;
}

// The kind that a channel's name asks for, as nnU-Net reads them whatever their case; zscore where it asks for none. The colours of
// pictures keep what they are to each other.
std::string kind_of(std::string channel) {
  for (auto& c : channel) c = char(std::tolower(c));
  if (channel == "nonorm") return "none";
  if (channel == "red" || channel == "green" || channel == "blue") return "rgb_to_0_1";
  for (const char* kind : {"ct", "rescale_to_0_1", "rgb_to_0_1"})
    if (channel == kind) return kind;
  return "zscore";
}

// Which channels "use_mask_for_norm" of dataset.json names: true for all of them, or a list with one of true and false for each.
std::vector<bool> masked_channels(const Dataset& dataset) {
  const std::string who = (dataset.root / "dataset.json").string();
  const Json j = parse_json(dataset.json, who).value("use_mask_for_norm", Json(false));
  const size_t channels = dataset.channel_names.size();
  if (j.is_boolean()) return std::vector<bool>(channels, j.get<bool>());
  std::vector<bool> out;
  for (auto& v : j.is_array() ? j : Json::array()) out.push_back(v.is_boolean() && v.get<bool>());
  check(out.size() == channels, who, ": \"use_mask_for_norm\" is ", j.dump().substr(0, 60), "; true, false or one of them for each of ",
        channels, " channels is wanted");
  return out;
}

void take_over(const TrainConfig& config, ModelDescription& d) {
  d.task = task_json(config.task.name, task_options(config));
  d.nan = config.data.nan;
  d.overlap = config.predict.overlap;
  d.mirror = config.predict.mirror;
  d.mirror_axes = Augmentation(config.augment).options<MirrorOptions>("mirror").axes;
  d.dtype = config.train.dtype;
}

// A task that leaves its "batch_dice" to the plan does as that says. A file without it is an older one of nnU-Net, whose default is false.
TrainConfig with_batch_dice(TrainConfig config, const Json& configuration, const std::string& who) {
  const Json said = configuration.value("batch_dice", Json(false));
  check(said.is_boolean(), who, ": \"batch_dice\" is ", said.dump().substr(0, 40), ", true or false is wanted");
  Json options = task_options(config).to_json();
  if (!said.get<bool>() || options.value("batch_dice", Json()) != "auto") return config;
  options["batch_dice"] = true;
  config.task.options = options.dump();
  return config;
}

}  // namespace

TrainConfig adapted(TrainConfig config, const Dataset& d) {
  const Options options = task_options(config);
  bool changed = task_registry().find(config.task.name).adapt(options, d);
  if (!config.data.previous_stage.empty()) {
    check(options.to_json().contains(kPreviousLabels), "data.previous_stage: the task ", config.task.name, " sees no masks");
    TrainConfig known = config;
    known.task.options = options.to_json().dump();
    options.set({{kPreviousLabels, foreground_values(label_map_of(known), int(d.labels.size()))}}, "data.previous_stage");
    changed = true;
  }
  if (changed) config.task.options = options.to_json().dump();
  return config;
}

std::vector<int> previous_labels_of(const TrainConfig& config) {
  const Json options = task_options(config).to_json();
  return config.data.previous_stage.empty() ? std::vector<int>() : options.at(kPreviousLabels).get<std::vector<int>>();
}

std::vector<Normalization> normalizations(const std::vector<std::string>& channels, const Fingerprint& print, const DataConfig& config) {
  std::vector<Normalization> out;
  for (size_t c = 0; c < channels.size(); ++c) {
    const bool unclipped = config.normalization == "auto_unclipped";
    std::string kind = unclipped || config.normalization == "auto" ? kind_of(channels[c]) : config.normalization;
    if (unclipped && kind == "ct") kind = "hounsfield";
    const bool masked = kind == "zscore_masked";
    Normalization n = kind == "ct" ? print.foreground.at(c) : Normalization{};
    n.kind = masked ? "zscore" : kind;
    n.mask = masked;
    out.push_back(n);
  }
  return out;
}

ExperimentRequest experiment_of(const Dataset& dataset, const TrainConfig& config, int outputs) {
  return {.network = config.network.name,
          .options = network_options(config),
          .in_channels = int(dataset.channel_names.size()),
          .outputs = outputs,
          .memory_gb = config.plan.memory_gb,
          .spacing = config.data.spacing};
}

PlannedConfiguration plan_configuration(const Dataset& dataset, const Fingerprint& print, const TrainConfig& config,
                                        const std::vector<std::string>& outputs) {
  const std::string &name = config.plan.configuration, &file = config.plan.file;
  check(config.train.patch == Int3{0, 0, 0}, "train.patch: with plan.configuration=", name, " the patch is planned; for another one write "
        "the plans by voxgrad plan --out, change them and give them as plan.file");
  const std::string who = file.empty() ? "the plans" : file;
  const auto planned = [&] {
    return plans_json(plan_experiment(print, experiment_of(dataset, config, int(outputs.size()))), print, dataset.name,
                      normalizations(dataset.channel_names, print, config.data));
  };
  const Json plans = file.empty() ? planned() : read_json(file);
  const bool there = plans.is_object() && plans.contains("configurations") && plans["configurations"].contains(name);
  check(there, who, ": there is no configuration ", name, " for this data set", name == "2d" ? "" : "; voxgrad plan lists those which are");
  PlannedConfiguration out;
  out.model = nnunet_description(plans, dataset.channel_names, {.names = outputs, .map = label_map_of(config)}, name, who);
  check(out.model.previous_labels == previous_labels_of(config), who, ": ", name,
        out.model.previous_labels.empty() ? " sees no mask of a first stage, which data.previous_stage names"
                                          : " is the second stage of a cascade: data.previous_stage (--previous-stage) names a folder with "
                                            "the masks that its first stage gave of all cases, none by a model that trained on the case");
  const Json c = nnunet_configuration(plans, name, who);
  out.config = with_batch_dice(config, c, who);
  take_over(out.config, out.model);
  check(c.contains("batch_size") && c["batch_size"].is_number_integer() && c["batch_size"].get<int64_t>() > 0 &&
            c["batch_size"].get<int64_t>() <= 1024,
        who, ": ", name, " has no batch_size from 1 to 1024");
  out.batch = c["batch_size"].get<int>();
  return out;
}

ModelDescription plan(const Dataset& dataset, const Fingerprint& print, const TrainConfig& config, const std::vector<std::string>& outputs,
                      bool dense) {
  ModelDescription d;
  d.channels = dataset.channel_names;
  d.labels = outputs;
  take_over(config, d);
  d.normalization = normalizations(d.channels, print, config.data);
  const std::vector<bool> masked = masked_channels(dataset);
  for (size_t c = 0; c < masked.size(); ++c) {
    Normalization& n = d.normalization[c];
    n.mask = n.kind == "zscore" && (n.mask || masked[c]);
    d.crop = d.crop || n.mask;
  }

  const std::vector<Int3>& seen = d.crop && !print.cropped.empty() ? print.cropped : print.extents;
  std::array<double, 3> extent;
  for (size_t a = 0; a < 3; ++a) {
    std::vector<double> spacings, extents;
    for (auto& s : print.spacings) spacings.push_back(s[a]);
    d.spacing[a] = config.data.spacing.empty() ? median(spacings) : config.data.spacing[a];
    for (size_t i = 0; i < seen.size(); ++i) extents.push_back(seen[i][int(a)] * print.spacings[i][a] / d.spacing[a]);
    extent[a] = median(extents);
  }

  const ModelEntry& entry = model_registry().find(config.network.name);
  const auto what = [](bool voxels) { return voxels ? "a value for each voxel" : "values for the image"; };
  check(entry.dense == dense, "network.kind: ", entry.name, " gives ", what(entry.dense), ", the task ", config.task.name, " wants ",
        what(dense));
  check(bool(entry.plan), "network.kind: ", entry.name, " is made of trained networks and not trained itself");
  d.previous_labels = previous_labels_of(config);
  const NetworkPlan planned = entry.plan(network_options(config), {.in_channels = int(d.channels.size() + d.previous_labels.size()),
                                                                   .out_channels = int(outputs.size()),
                                                                   .patch = config.train.patch,
                                                                   .extent = extent,
                                                                   .spacing = d.spacing});
  d.network = planned.config;
  d.traits = network_traits(parse_json(planned.config, "the plan"));
  d.patch = planned.patch;
  return d;
}

}  // namespace voxgrad
