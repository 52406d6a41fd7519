#include <cmath>
#include <set>

#include "core/config/json_values.h"
#include "infer/model_file.h"
#include "io/checkpoint.h"
#include "io/json_file.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/units/train/fake_task.h"
#include "train/trainer.h"

using namespace voxgrad;

namespace {

const std::vector<std::string> kPlainSgd = {"train.learning_rate=0.5", "train.momentum=0", "train.weight_decay=0", "train.clip=0",
                                            "train.batch=1"};

std::vector<std::string> with(std::vector<std::string> more) {
  more.insert(more.begin(), kPlainSgd.begin(), kPlainSgd.end());
  return more;
}

// The step and the bias of a checkpoint.
struct Saved {
  int64_t step;
  double bias;
};
Saved best_of(const std::filesystem::path& run) {
  const Checkpoint c = load_checkpoint(run / "best.safetensors");
  return {parse_json(c.metadata.at("voxgrad.best"), "best")["step"].get<int64_t>(), c.find("net.bias")->values()[0]};
}

// The learning rates of the steps, from how far each has lowered the bias.
std::vector<double> rates_of(const std::vector<double>& bias) {
  std::vector<double> out;
  for (size_t i = 0; i + 1 < bias.size(); ++i) out.push_back(bias[i] - bias[i + 1]);
  return out;
}

}  // namespace

TEST_CASE("trainer: the best checkpoint is the one with the best score, and no worse one replaces it") {
  const TemporaryFolder folder;
  const auto data = write_ramps(folder, 2);
  const std::vector<std::string> settings = with({"train.steps=5", "train.validate_every=1", "train.validate_cases=1", "data.folds=2"});
  Script& script = the_script();
  // Four validations on the way, then the last one.
  script.scores = {0.2, 0.7, 0.5, 0.6, 0.1};
  const TrainResult r = train(data, folder / "run", fake_config(settings));
  CHECK(script.validations == 5);
  CHECK(best_of(folder / "run").step == 2);
  CHECK(r.best_score == 0.7);
  CHECK(r.final_score == 0.1);
  CHECK(r.steps == 5);

  Script& again = the_script();
  again.scores = {0.2, 0.7, 0.1, 0.6, 0.3};
  again.larger_is_better = false;
  CHECK(train(data, folder / "smaller", fake_config(settings)).best_score == 0.1);
  CHECK(best_of(folder / "smaller").step == 3);

  Script& last = the_script();
  last.scores = {0.2, 0.7, 0.1, 0.6, 0.8};
  train(data, folder / "last", fake_config(settings));
  CHECK(best_of(folder / "last").step == 5);

  Script& equal = the_script();
  equal.scores = {0.9, 0.2, 0.9, 0.3, 0.1};  // of equal ones the later
  train(data, folder / "equal", fake_config(settings));
  CHECK(best_of(folder / "equal").step == 3);

  Script& unknown = the_script();
  unknown.scores = {0.2, NAN, 0.1, 0.1, 0.1};  // what is not known is kept rather than thrown away
  train(data, folder / "unknown", fake_config(settings));
  CHECK(best_of(folder / "unknown").step == 5);
}

TEST_CASE("trainer: what all cases that validate say of the task goes into the best checkpoint, and into no other") {
  const TemporaryFolder folder;
  const auto data = write_ramps(folder, 2);
  const std::vector<std::string> settings = with({"train.steps=5", "train.validate_every=1", "train.validate_cases=1", "data.folds=2"});
  const auto task_in = [&](const char* run, const char* file) {
    const Checkpoint c = load_checkpoint(folder / run / file);
    return parse_json(description_of(c, file).task, file);
  };
  Script& earlier = the_script();
  earlier.scores = {0.2, 0.7, 0.5, 0.6, 0.1, 0.7};  // the best of them validates once more
  earlier.calibrates = true;
  CHECK(train(data, folder / "earlier", fake_config(settings)).final_score == 0.1);
  CHECK(best_of(folder / "earlier").step == 2);
  CHECK(earlier.validations == 6);
  CHECK(close(task_in("earlier", "best.safetensors").at("bias").get<double>(), best_of(folder / "earlier").bias));
  CHECK(task_in("earlier", "best.safetensors").at("kind") == "fake");
  CHECK(!task_in("earlier", "last.safetensors").contains("bias"));

  Script& last = the_script();
  last.scores = {0.2, 0.7, 0.1, 0.6, 0.8};
  last.calibrates = true;
  train(data, folder / "last", fake_config(settings));
  CHECK(last.validations == 5);
  CHECK(close(task_in("last", "best.safetensors").at("bias").get<double>(), best_of(folder / "last").bias));
}

TEST_CASE("trainer: train.epochs ends the schedule after so many passes over the cases, if train.steps does not before") {
  const TemporaryFolder folder;
  const auto data = write_ramps(folder, 4);
  const auto steps = [&](const char* name, const std::vector<std::string>& settings) {
    the_script().scores.assign(100, 0);
    return train(data, folder / name, fake_config(with(settings))).steps;
  };
  CHECK(steps("epochs", {"train.epochs=5", "train.batch=3", "train.steps=100", "data.folds=2"}) == 4);  // ceil(5 2 / 3)
  CHECK(steps("accumulated", {"train.epochs=5", "train.batch=3", "train.accumulate=2", "train.steps=100", "data.folds=2"}) == 2);
  CHECK(steps("steps", {"train.epochs=5", "train.batch=3", "train.steps=2", "data.folds=2"}) == 2);
}

TEST_CASE("trainer: without validation the last weights are the best") {
  const TemporaryFolder folder;
  the_script();
  const TrainResult r = train(write_ramps(folder, 1), folder / "run", fake_config(with({"train.steps=3", "data.folds=1"})));
  CHECK(best_of(folder / "run").step == 3);
  CHECK(std::isnan(r.best_score));
  CHECK(std::isnan(r.final_score));
}

TEST_CASE("trainer: the learning rate follows warm-up and the polynomial schedule, step by step") {
  const TemporaryFolder folder;
  Script& script = the_script();
  script.scores = {0};
  const auto settings = with({"train.steps=6", "train.warmup_steps=3", "train.poly=0.9", "train.validate_every=100", "data.folds=2"});
  train(write_ramps(folder, 2), folder / "run", fake_config(settings));
  script.trained.push_back(best_of(folder / "run").bias);  // after the last step
  const std::vector<double> rates = rates_of(script.trained);
  REQUIRE(rates.size() == 6);
  for (int t = 0; t < 6; ++t) {
    CAPTURE(t);
    const double warm = std::min(1.0, (t + 1) / 3.0);
    CHECK(close(rates[size_t(t)], 0.5 * std::pow(1 - t / 6.0, 0.9) * warm, 1e-5));
  }
}

TEST_CASE("trainer: a step learns from the mean of its batches, all of them others") {
  const TemporaryFolder folder;
  Script& script = the_script();
  const auto settings = with({"train.steps=2", "train.accumulate=4", "train.poly=0", "data.folds=1"});
  train(write_ramps(folder, 1), folder / "run", fake_config(settings));
  CHECK(script.trained == std::vector<double>{0, 0, 0, 0, -0.5, -0.5, -0.5, -0.5});
  CHECK(std::set<uint64_t>(script.sources.begin(), script.sources.end()).size() == 8);
}

TEST_CASE("trainer: averaged weights are what validates and what is saved") {
  const TemporaryFolder folder;
  Script& script = the_script();
  script.scores = {0, 1, 2, 3, 4, 5};
  const auto settings = with({"train.steps=6", "train.poly=0", "train.average_weights=0.5", "train.validate_every=1", "data.folds=2"});
  train(write_ramps(folder, 2), folder / "run", fake_config(settings));
  REQUIRE(script.validated.size() == 6);
  // Tarvainen and Valpola: the decay of step t from 1 is min(0.5, (1 + t) / (10 + t)).
  double average = 0;
  for (int t = 1; t <= 6; ++t) {
    CAPTURE(t);
    const double decay = std::min(0.5, (1.0 + t) / (10.0 + t)), bias = -0.5 * t;
    average = decay * average + (1 - decay) * bias;
    CHECK(close(script.validated[size_t(t - 1)], average, 1e-5));
    CHECK_FALSE(close(script.validated[size_t(t - 1)], bias, 1e-3));
  }
  CHECK(close(best_of(folder / "run").bias, average, 1e-5));
}

TEST_CASE("trainer: a run that is resumed knows its best score, its averaged weights and its place in the schedule") {
  const TemporaryFolder folder;
  Script& script = the_script();
  const auto data = write_ramps(folder, 2);
  const auto config = fake_config(with({"train.steps=4", "train.poly=0.9", "train.warmup_steps=3", "train.average_weights=0.5",
                                        "train.validate_every=1", "train.checkpoint_every=1", "data.folds=2"}));
  script.scores = {0.9, 0.5, 0.3, 0.2};
  train(data, folder / "alone", config);
  const std::vector<double> trained = script.trained, validated = script.validated;
  REQUIRE(trained.size() == 4);
  REQUIRE(validated.size() == 4);

  the_script().scores = {0.9};  // the second validation finds none and ends the run: one step is saved
  CHECK_THROWS(train(data, folder / "run", config));
  the_script().scores = {0.5, 0.3, 0.2};
  const TrainResult r = resume(data, folder / "run");
  CHECK(r.steps == 4);
  CHECK(script.trained == std::vector<double>(trained.begin() + 1, trained.end()));
  CHECK(script.validated == std::vector<double>(validated.begin() + 1, validated.end()));
  CHECK(r.best_score == 0.9);
  CHECK(best_of(folder / "run").step == 1);
}
