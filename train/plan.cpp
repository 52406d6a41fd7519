#include "train/plan.h"

#include <algorithm>

#include "io/json_file.h"
#include "models/model_registry.h"
#include "tasks/task.h"

namespace voxgrad {
namespace {

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const size_t m = v.size() / 2;
  return v.size() % 2 ? v[m] : (v[m - 1] + v[m]) / 2;
}

bool is_ct(std::string name) {
  for (auto& c : name) c = char(std::tolower(c));
  return name == "ct";
}

}  // namespace

ModelDescription plan(const Dataset& dataset, const Fingerprint& print, const TrainConfig& config, const std::vector<std::string>& outputs,
                      bool dense) {
  ModelDescription d;
  d.channels = dataset.channel_names;
  d.labels = outputs;
  d.task = task_json(config.task.name, task_options(config));
  d.nan = config.data.nan;
  d.overlap = config.predict.overlap;
  d.mirror = config.predict.mirror;
  d.dtype = config.train.dtype;

  std::array<double, 3> extent;
  for (size_t a = 0; a < 3; ++a) {
    std::vector<double> spacings, extents;
    for (auto& s : print.spacings) spacings.push_back(s[a]);
    d.spacing[a] = config.data.spacing.empty() ? median(spacings) : config.data.spacing[a];
    for (size_t i = 0; i < print.extents.size(); ++i) extents.push_back(print.extents[i][int(a)] * print.spacings[i][a] / d.spacing[a]);
    extent[a] = median(extents);
  }

  for (size_t c = 0; c < d.channels.size(); ++c) {
    const std::string& wanted = config.data.normalization;
    const bool ct = wanted == "ct" || (wanted == "auto" && is_ct(d.channels[c]));
    Normalization n = ct ? print.foreground.at(c) : Normalization{};
    n.kind = ct ? "ct" : wanted == "none" ? "none" : "zscore";
    d.normalization.push_back(n);
  }

  const ModelEntry& entry = model_registry().find(config.network.name);
  const auto what = [](bool voxels) { return voxels ? "a value for each voxel" : "values for the image"; };
  check(entry.dense == dense, "network.kind: ", entry.name, " gives ", what(entry.dense), ", the task ", config.task.name, " wants ",
        what(dense));
  const NetworkPlan planned = entry.plan(network_options(config), {.in_channels = int(d.channels.size()),
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
