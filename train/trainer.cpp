#include "train/trainer.h"

#include <chrono>
#include <cmath>
#include <cstdio>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/error.h"
#include "core/module.h"
#include "infer/model_file.h"
#include "io/json_file.h"
#include "train/learner.h"
#include "core/progress.h"
#include "train/report.h"
#include "train/run_folder.h"
#include "train/run_lock.h"
#include "train/setup.h"

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
        device_(device),
        setup_(set_up(data, config, run_.last())),
        store_(setup_.dataset, setup_.description, setup_.task, store_options(config.data)),
        learner_(store_, *setup_.task, setup_.split.training, setup_.config, device, {setup_.initial.net, setup_.transfer}) {
    setup_.transfer.reset();
    // A case that cannot be used is said now rather than at a validation after hours.
    const std::string note = prepare_cases(store_, setup_.split);
    for (auto& line : setup_.dataset.warnings) std::fprintf(stderr, "warning: %s\n", line.c_str());
    if (!note.empty()) std::fprintf(stderr, "%s\n", note.c_str());
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

  // What the weights were taken from, for people and into the run.
  void report_transfer() const {
    if (!learner_.transferred()) return;
    std::printf("%s\n", describe(*learner_.transferred()).c_str());
    write_json(run_.transfer(), to_json(*learner_.transferred()));
  }
  TrainResult run();

 private:
  bool by_clock() const { return setup_.config.train.minutes > 0; }
  double seconds() const { return state_.seconds + std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }
  // Part of the schedule that is done, in [0, 1].
  double fraction() const {
    if (!by_clock()) return double(state_.step) / double(setup_.config.train.steps);
    return std::min(1.0, seconds() / std::max(1.0, setup_.config.train.minutes * 60 - reserve_));
  }
  bool finished() const { return fraction() >= 1; }

  void save_last(bool training_done);
  void save_best(const Scores&);
  // Options that the best checkpoint is used with, found on all validation cases. last: how the last weights validated, where they are it.
  void calibrate_best(const Meter* last, const Meter* any, Progress&);
  // Of the network to use, or of another, on the first n validation cases. note: what the progress says meanwhile. The scores of the first
  // of them by themselves are given where `first` is.
  Scores validate(size_t n, const char* note, Progress* p) { return validated(learner_.network_to_use(), n, note, p)->scores(); }
  std::unique_ptr<Meter> validated(const Network&, size_t n, const char* note, Progress*, size_t first_n = 0, Scores* first = nullptr);
  void measure_validation();
  void finish(TrainResult&, Progress&);
  void log_validation(const Scores&, Progress&);

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();  // first: what the members read counts
  RunFolder run_;
  Device device_;
  TrainingSetup setup_;
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
         {"config", to_json(setup_.config)}};
  if (by_clock()) j["seconds"] = seconds();
  c.metadata[kStateKey] = j.dump();
  save_checkpoint(run_.last(), c);
}

void Trainer::save_best(const Scores& s) {
  state_.best = s.value;
  Checkpoint c = checkpoint_of(learner_.network_to_use(), store_.description());
  c.metadata["voxgrad.best"] =
      Json{{"step", state_.step}, {"validation_" + s.name, std::isnan(s.value) ? Json() : Json(s.value)}}.dump();
  save_checkpoint(run_.best(), c);
}

// Whether `a` is worse than b; never where one of them is not known.
bool worse(double a, double b, const Scores& of) { return of.larger_is_better ? a < b : a > b; }

std::unique_ptr<Meter> Trainer::validated(const Network& net, size_t n, const char* note, Progress* progress, size_t first_n,
                                          Scores* first) {
  const Inference quiet;
  PredictOptions options = predict_options(store_.description());
  options.mirror = false;
  options.device = device_;
  std::unique_ptr<Meter> meter = setup_.task->meter(setup_.outputs);
  for (size_t i = 0; i < n; ++i) {
    const std::shared_ptr<const Case> c = store_.get(setup_.split.validation[i]);
    meter->add(*c, setup_.task->predict(net, store_.description(), *c, options));
    if (first && i + 1 == first_n) *first = meter->scores();
    if (progress) progress->update(state_.step, note + std::to_string(i + 1) + "/" + std::to_string(n), fraction());
  }
  return meter;
}

void Trainer::calibrate_best(const Meter* last, const Meter* any, Progress& progress) {
  if (any->calibration().options.empty()) return;
  Checkpoint best = load_checkpoint(run_.best());
  ModelDescription d = description_of(best, run_.best().string());
  std::unique_ptr<Meter> earlier;
  if (!last) {
    Network net = load_model(run_.best()).net;
    move_to(net, device_);
    earlier = validated(net, setup_.split.validation.size(), "calibrating ", &progress);
    last = earlier.get();
  }
  const Meter::Calibration found = last->calibration();
  Json task = parse_json(d.task, "the task");
  task.update(parse_json(found.options, "calibration"));
  d.task = task.dump();
  set_description(best, d);
  save_checkpoint(run_.best(), best);
  progress.message(found.text);
}

void Trainer::log_validation(const Scores& s, Progress& progress) {
  const auto json_of = [](double v) { return std::isnan(v) ? Json() : Json(v); };
  Json parts = Json::object();
  std::string text;
  char number[32];
  for (auto& [name, value] : s.parts) {
    parts[name] = json_of(value);
    std::snprintf(number, sizeof number, " %.3f", value);
    text += (text.empty() ? "" : ", ") + name + number;
  }
  Json line{{"step", state_.step}, {"validation_" + s.name, json_of(s.value)}};
  if (!s.parts.empty()) line[s.name] = parts;
  for (auto& [name, value] : s.others) {
    line[name] = json_of(value);
    std::snprintf(number, sizeof number, " %.3f", value);
    text += (text.empty() ? "" : ", ") + name + number;
  }
  line["seconds"] = seconds();
  run_.append_metrics(line);
  std::snprintf(number, sizeof number, "%.4f", s.value);
  if (!text.empty()) text = " (" + text + ")";
  progress.message("step " + std::to_string(state_.step) + ": validation " + s.text + " " + number + text);
}

// How long the last validation will take, from one case: the clock's schedule ends that much earlier.
void Trainer::measure_validation() {
  if (!by_clock() || setup_.split.validation.empty()) return;
  const auto before = std::chrono::steady_clock::now();
  validate(1, "", nullptr);
  const double one = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  reserve_ = std::min(0.2 * setup_.config.train.minutes * 60, one * double(setup_.split.validation.size()) * 1.1 + 2);
}

void Trainer::finish(TrainResult& result, Progress& progress) {
  const size_t n = setup_.split.validation.size();
  // Without validation the last weights are the best that is known.
  Scores comparable = setup_.task->meter(setup_.outputs)->scores();
  std::unique_ptr<Meter> meter;
  comparable.value = NAN;
  result.score = comparable.text;
  result.final_score = NAN;
  if (n > 0) {
    // Best and last are compared on the same cases.
    const size_t subset = std::min(n, size_t(std::max<int64_t>(1, setup_.config.train.validate_cases)));
    meter = validated(learner_.network_to_use(), n, "last validation ", &progress, subset, &comparable);
    const Scores all = meter->scores();
    log_validation(all, progress);
    result.final_score = all.value;
  }
  const bool last_is_best = !worse(comparable.value, state_.best, comparable);
  if (last_is_best) save_best(comparable);
  if (meter) calibrate_best(last_is_best ? meter.get() : nullptr, meter.get(), progress);
  result.best_score = state_.best;
}

TrainResult Trainer::run() {
  const ScheduleConfig& t = setup_.config.train;
  run_.write_split(setup_.split);
  measure_validation();
  Progress progress({.what = "training", .unit = "step", .total = by_clock() ? 0 : t.steps});
  progress.start_at(state_.step);
  double loss_sum = 0;
  int64_t loss_count = 0;
  double loss = NAN, norm = NAN;  // the latest that are known
  std::string said;
  while (!finished()) {
    learner_.learn(state_.step, fraction());
    ++state_.step;
    for (auto& o : learner_.outcomes(state_.step % kLogEvery == 0)) {
      loss = o.loss, norm = o.gradient_norm;
      loss_sum += loss, ++loss_count;
    }
    if (std::string why = learner_.why_unrecorded(); why != said) {
      progress.message("steps are given to the device kernel by kernel: " + why);
      said = why;
    }
    char note[96];
    std::snprintf(note, sizeof note, "loss %.4f%s", loss,
                  by_clock() ? (", " + duration_text((1 - fraction()) * (t.minutes * 60 - reserve_)) + " left").c_str() : "");
    progress.update(state_.step, note, fraction());
    if (state_.step % kLogEvery == 0) {
      run_.append_metrics({{"step", state_.step},
                           {"loss", loss_sum / double(loss_count)},
                           {"learning_rate", learner_.learning_rate()},
                           {"gradient_norm", norm},
                           {"seconds", seconds()}});
      loss_sum = 0, loss_count = 0;
    }
    if (state_.step % t.validate_every == 0 && t.validate_cases > 0 && !setup_.split.validation.empty() && !finished()) {
      learner_.rest();
      const Scores s = validate(std::min(size_t(t.validate_cases), setup_.split.validation.size()), "validating ", &progress);
      log_validation(s, progress);
      if (!worse(s.value, state_.best, s)) save_best(s);  // of equal ones the later, which has learned longer
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
  const RunLock lock(folder);
  const RunFolder run(folder);
  run.check_free();
  Trainer trainer(data, run, config, device);  // before anything is written: a data set that cannot be trained on leaves no folder
  run.start(config);
  trainer.report_transfer();
  return trainer.run();
}

TrainResult resume(const std::filesystem::path& data, const std::filesystem::path& folder, Device device) {
  check(std::filesystem::exists(folder), folder.string(), ": there is no such run");
  const RunLock lock(folder);
  const RunFolder run(folder);
  Trainer trainer(data, run, run.config(), device);
  if (std::filesystem::exists(run.last())) trainer.load_last();
  else run.rewind_metrics(0);
  return trainer.run();
}

}  // namespace voxgrad
