#include "train/trainer.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "train/learner.h"
#include "train/plan.h"
#include "train/progress.h"
#include "train/report.h"
#include "train/run_folder.h"
#include "train/validation.h"

namespace voxgrad {
namespace {

constexpr int64_t kLogEvery = 25;  // steps per line of metrics.jsonl
constexpr const char* kStateKey = "voxgrad.train";

struct State {
  int64_t step = 0;
  double seconds = 0;  // trained so far; kept only where the schedule follows a clock
  double best = NAN;
};

class Trainer {
 public:
  Trainer(const std::filesystem::path& data, RunFolder run, const TrainConfig& config, Device device)
      : run_(std::move(run)),
        config_(config),
        device_(device),
        dataset_(read_dataset(data)),
        split_(split_of(dataset_, config)),
        store_(dataset_, plan(dataset_, fingerprint(dataset_, split_.training, config.data), config), size_t(config.data.cache_gb * 1e9)),
        learner_(store_, split_.training, config, device) {
    check_validation_cases();
  }

  void load_last() {
    const Checkpoint c = load_checkpoint(run_.last());
    const auto found = c.metadata.find(kStateKey);
    check(found != c.metadata.end(), run_.last().string(), ": holds no training state to resume");
    const Json j = parse_json(found->second, run_.last().string());
    try {
      state_ = {j.at("step").get<int64_t>(), j.value("seconds", 0.0), j.at("best").is_null() ? NAN : j.at("best").get<double>()};
      learner_.load(c);
    } catch (const std::exception& e) { fail(run_.last().string(), ": ", json_reason(e)); }
    run_.rewind_metrics(state_.step);
  }

  TrainResult run();

 private:
  static Split split_of(const Dataset& d, const TrainConfig& config) {
    std::vector<std::string> ids;
    for (auto& c : d.cases) ids.push_back(c.id);
    return split_cases(ids, config.data.fold, config.data.folds);
  }
  // A case that cannot be used is said now rather than at a validation after hours. The training cases have been read for the plan.
  void check_validation_cases() {
    Progress progress({.what = "reading", .unit = "validation case", .total = int64_t(split_.validation.size())});
    int64_t done = 0;
    for (const std::string& id : split_.validation) store_.get(id), progress.update(++done, id);
  }

  bool by_clock() const { return config_.train.minutes > 0; }
  double seconds() const { return state_.seconds + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  // Part of the schedule that is done, in [0, 1].
  double fraction() const {
    if (!by_clock()) return double(state_.step) / double(config_.train.steps);
    return std::min(1.0, seconds() / std::max(1.0, config_.train.minutes * 60 - reserve_));
  }
  bool finished() const { return fraction() >= 1; }

  void save_last(bool training_done);
  void save_best(double dice);
  ValidationScores validate(size_t cases, Progress&);
  void measure_validation();
  void finish(TrainResult&, Progress&);
  void log_validation(const ValidationScores&, Progress&);

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();  // first: what the members read counts
  RunFolder run_;
  TrainConfig config_;
  Device device_;
  Dataset dataset_;
  Split split_;
  CaseStore store_;
  Learner learner_;
  State state_;
  double reserve_ = 0;  // seconds kept for the last validation
};

void Trainer::save_last(bool training_done) {
  Checkpoint c = learner_.checkpoint();
  Json j{{"step", state_.step},
         {"best", std::isnan(state_.best) ? Json() : Json(state_.best)},
         {"done", training_done},
         {"config", to_json(config_)}};
  if (by_clock()) j["seconds"] = seconds();
  c.metadata[kStateKey] = j.dump();
  save_checkpoint(run_.last(), c);
}

void Trainer::save_best(double dice) {
  state_.best = dice;
  Checkpoint c = checkpoint_of(learner_.network_to_use(), store_.description());
  c.metadata["voxgrad.best"] = Json{{"step", state_.step}, {"validation_dice", std::isnan(dice) ? Json() : Json(dice)}}.dump();
  save_checkpoint(run_.best(), c);
}

ValidationScores Trainer::validate(size_t cases, Progress& progress) {
  const size_t n = std::min(cases, split_.validation.size());
  const std::vector<std::string> ids(split_.validation.begin(), split_.validation.begin() + std::ptrdiff_t(n));
  return mean_of(dice_by_case(learner_.network_to_use(), store_, ids, device_,
                              [&](int64_t done) {
                                progress.update(state_.step, "validating " + std::to_string(done) + "/" + std::to_string(n), fraction());
                              }),
                 int(dataset_.labels.size()));
}

void Trainer::log_validation(const ValidationScores& s, Progress& progress) {
  Json by_label = Json::object();
  std::string text;
  char number[32];
  for (size_t k = 0; k < s.dice_by_class.size(); ++k) {
    by_label[dataset_.labels[k + 1]] = std::isnan(s.dice_by_class[k]) ? Json() : Json(s.dice_by_class[k]);
    std::snprintf(number, sizeof number, " %.3f", s.dice_by_class[k]);
    text += (k ? ", " : "") + dataset_.labels[k + 1] + number;
  }
  run_.append_metrics(
      {{"step", state_.step}, {"validation_dice", std::isnan(s.dice) ? Json() : Json(s.dice)}, {"dice", by_label}, {"seconds", seconds()}});
  std::snprintf(number, sizeof number, "%.4f", s.dice);
  progress.message("step " + std::to_string(state_.step) + ": validation Dice " + number + " (" + text + ")");
}

// How long the last validation will take, from one case: the clock's schedule ends that much earlier.
void Trainer::measure_validation() {
  if (!by_clock() || split_.validation.empty()) return;
  const auto before = std::chrono::steady_clock::now();
  dice_by_case(learner_.net(), store_, {split_.validation.front()}, device_, [](int64_t) {});
  const double one = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  reserve_ = std::min(0.2 * config_.train.minutes * 60, one * double(split_.validation.size()) * 1.1 + 2);
}

void Trainer::finish(TrainResult& result, Progress& progress) {
  if (split_.validation.empty()) {
    save_best(NAN);
    result.final_dice = result.best_dice = NAN;
    return;
  }
  const auto cases = dice_by_case(learner_.network_to_use(), store_, split_.validation, device_, [&](int64_t done) {
    progress.update(state_.step, "last validation " + std::to_string(done) + "/" + std::to_string(split_.validation.size()), 1);
  });
  const int classes = int(dataset_.labels.size());
  const ValidationScores all = mean_of(cases, classes);
  // Best and last are compared on the same cases.
  const size_t subset = std::min(cases.size(), size_t(std::max<int64_t>(1, config_.train.validate_cases)));
  const double comparable = mean_of({cases.begin(), cases.begin() + std::ptrdiff_t(subset)}, classes).dice;
  if (!(comparable < state_.best)) save_best(comparable);
  log_validation(all, progress);
  result.final_dice = all.dice;
  result.best_dice = state_.best;
}

TrainResult Trainer::run() {
  const ScheduleConfig& t = config_.train;
  run_.write_split(split_);
  measure_validation();
  Progress progress({.what = "training", .unit = "step", .total = by_clock() ? 0 : t.steps});
  progress.start_at(state_.step);
  double loss_sum = 0;
  int64_t loss_count = 0;
  while (!finished()) {
    const double loss = learner_.learn(state_.step, fraction());
    ++state_.step;
    loss_sum += loss, ++loss_count;
    char note[96];
    std::snprintf(note, sizeof note, "loss %.4f%s", loss,
                  by_clock() ? (", " + duration_text((1 - fraction()) * (t.minutes * 60 - reserve_)) + " left").c_str() : "");
    progress.update(state_.step, note, fraction());
    if (state_.step % kLogEvery == 0) {
      run_.append_metrics({{"step", state_.step},
                           {"loss", loss_sum / double(loss_count)},
                           {"learning_rate", learner_.learning_rate()},
                           {"gradient_norm", learner_.gradient_norm()},
                           {"seconds", seconds()}});
      loss_sum = 0, loss_count = 0;
    }
    if (state_.step % t.validate_every == 0 && t.validate_cases > 0 && !split_.validation.empty() && !finished()) {
      const ValidationScores s = validate(size_t(t.validate_cases), progress);
      log_validation(s, progress);
      if (!(s.dice <= state_.best)) save_best(s.dice);
    }
    if (state_.step % t.checkpoint_every == 0) save_last(false);
  }
  learner_.finish();
  TrainResult result;
  finish(result, progress);
  save_last(true);
  result.steps = state_.step;
  write_png(run_.curves(), training_curves(run_.metrics()));
  return result;
}

}  // namespace

TrainResult train(const std::filesystem::path& data, const std::filesystem::path& folder, const TrainConfig& config, Device device) {
  const RunFolder run(folder);
  run.check_free();
  Trainer trainer(data, run, config, device);  // before anything is written: a data set that cannot be trained on leaves no folder
  run.start(config);
  return trainer.run();
}

TrainResult resume(const std::filesystem::path& data, const std::filesystem::path& folder, Device device) {
  const RunFolder run(folder);
  Trainer trainer(data, run, run.config(), device);
  if (std::filesystem::exists(run.last())) trainer.load_last();
  else run.rewind_metrics(0);
  return trainer.run();
}

}  // namespace voxgrad
