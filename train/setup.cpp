#include "train/setup.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/listing/files_by_case.h"
#include "io/checkpoint.h"
#include "io/json_file.h"
#include "train/transfer/fine_tune.h"
#include "train/plan.h"

namespace voxgrad {
namespace {

// Sets the batch and what of the task is planned, where they are left to the plan.
ModelDescription planned(TrainingSetup& s, const std::filesystem::path& last) {
  TrainConfig& config = s.config;
  check(config.train.init.empty() || config.plan.configuration == "default", "train.init: a model brings its own plan, so ",
        "plan.configuration cannot be ", config.plan.configuration);
  if (s.initial.net) return plan_from(s.initial.description, s.dataset, config, s.outputs, s.task->dense());
  if (!config.train.init.empty()) return description_of({.metadata = load_metadata(last)}, last.string());
  if (config.plan.configuration == "default")
    return plan(s.dataset, fingerprint(s.dataset, s.split.training, config.data, *s.task, s.outputs), config, s.outputs, s.task->dense());
  Fingerprint print;  // which a file of plans has been made of
  if (config.plan.file.empty()) print = fingerprint(s.dataset, ids_of(s.dataset), config.data, *s.task, s.outputs);
  const PlannedConfiguration p = plan_configuration(s.dataset, print, config, s.outputs);
  config.task = p.config.task;
  s.task = task_registry().find(config.task.name).make(task_options(config));
  if (config.train.batch == 0) config.train.batch = p.batch;
  return p.model;
}

// Steps of the schedule, for n training cases.
int64_t steps_of(const ScheduleConfig& t, size_t n) {
  return t.epochs > 0 ? std::clamp<int64_t>(int64_t(std::ceil(t.epochs * double(n) / (double(t.batch) * t.accumulate))), 1, t.steps)
                      : t.steps;
}

// Steps between validations of so many cases. Predicting a case takes a third of the time of training on it, so that validations take a
// seventh of the time at most.
int64_t validation_interval(const ScheduleConfig& t, size_t cases) {
  constexpr int64_t kLeast = 100;
  if (t.validate_every > 0) return t.validate_every;
  const int64_t each = std::min(t.validate_cases, int64_t(cases)), batch = t.batch * t.accumulate;
  return std::max(kLeast, (2 * each + batch - 1) / batch);
}

Dataset training_part(Dataset d, const Split& split) {
  const std::set<std::string> training(split.training.begin(), split.training.end());
  std::erase_if(d.cases, [&](const DatasetCase& c) { return !training.contains(c.id); });
  return d;
}

}  // namespace

Dataset training_dataset(const std::filesystem::path& folder, const DataConfig& config) {
  Dataset out = read_dataset(folder);
  check(!out.cases.empty(), source_of(out), ": the data set is empty: it has no training case");
  for (DatasetCase& c : out.cases) {
    c.resample = config.other_grid == "resample";
    if (c.series.empty()) c.series = config.series;
  }
  if (config.previous_stage.empty()) return out;
  const auto masks = files_by_case(config.previous_stage);
  for (DatasetCase& c : out.cases) {
    const auto found = masks.find(c.id);
    check(found != masks.end(), config.previous_stage, ": has no mask of the case ", c.id);
    c.previous = found->second;
  }
  return out;
}

TrainingSetup set_up(const std::filesystem::path& data, const TrainConfig& config, const std::filesystem::path& last) {
  TrainingSetup s{.dataset = training_dataset(data, config.data)};
  const bool own = s.dataset.split && config.data.split == "auto";
  s.split = own ? *s.dataset.split : split_cases(s.dataset.cases, config.data.fold, config.data.folds);
  check(!s.split.training.empty(), source_of(s.dataset), ": none of its ", s.dataset.cases.size(), " cases trains, all of them validate");
  s.config = adapted(config, training_part(s.dataset, s.split));
  s.task = task_registry().find(s.config.task.name).make(task_options(s.config));
  s.outputs = s.task->outputs(s.dataset);
  if (!config.train.init.empty() && !std::filesystem::exists(last)) s.initial = initial_model(config);
  s.description = planned(s, last);
  s.config.train.steps = steps_of(s.config.train, s.split.training.size());
  s.config.train.validate_every = validation_interval(s.config.train, s.split.validation.size());
  check(config.transfer.from.empty() || config.train.init.empty(), "transfer.from: train.init brings weights already");
  check(!config.transfer.from.empty() || config.transfer.rules.empty(), "transfer.rules: are those of weights, transfer.from");
  if (!config.transfer.from.empty() && !std::filesystem::exists(last))
    s.transfer = transfer_source(config.transfer, parse_json(s.description.network, "the plan"));
  return s;
}

StoreOptions store_options(const DataConfig& c) {
  return {.limit_bytes = size_t(c.cache_gb * 1e9),
          .cache = c.cache,
          .cached_image = c.cache_dtype == "f16"    ? DType::f16
                          : c.cache_dtype == "bf16" ? DType::bf16
                                                    : DType::f32};
}

std::string prepare_cases(CaseStore& store, const Split& split) {
  std::vector<std::string> ids = split.validation;
  ids.insert(ids.end(), split.training.begin(), split.training.end());
  const CaseStore::Prepared p = store.prepare(ids, split.validation.size());
  if (p.outdated == 0) return "";
  return std::to_string(p.outdated) + (p.outdated == 1 ? " case was" : " cases were") + " preprocessed again: files have changed since";
}

}  // namespace voxgrad
