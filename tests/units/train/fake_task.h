#pragma once
#include <mutex>

#include "augment/foreground.h"
#include "core/config/json_values.h"
#include "io/image.h"
#include "io/json_file.h"
#include "kernels/binary/binary.h"
#include "kernels/reduce/reduce.h"
#include "models/model_registry.h"
#include "tasks/task.h"
#include "tests/temporary_folder.h"
#include "train/config.h"

namespace voxgrad {

// What tests see of a training run, and what they want it to see.
struct Script {
  std::vector<double> scores;                  // of the validations, in turn
  bool larger_is_better = true;
  bool calibrates = false;  // the bias that validated last is an option of the task
  size_t validations = 0;
  std::vector<double> trained, validated;      // the bias of the network at each step, at each case that validates
  int views = 1;
  std::vector<bool> forced;                    // of each patch asked for
  std::vector<uint64_t> sources;               // their random numbers
  std::mutex mutex;                            // patches are asked for by several threads
};

// y = bias, whatever the input: the derivative of mean(y) by it is 1.
struct Constant {
  Tensor bias = Tensor::zeros({1}).require_grad();
  FIELDS(bias)
  Tensor operator()(const Tensor& x) const { return add(affine(x, 0, 0), bias); }
};

// The loss is mean(y), so that SGD lowers the bias by the learning rate at each step; scores are those of the script.
class FakeTask : public Task {
 public:
  explicit FakeTask(Script& script) : script_(script) {}

  std::vector<Field> targets(const DatasetCase&, const Geometry&, const std::vector<std::string>&) const override { return {}; }
  std::vector<std::string> outputs(const Dataset&) const override { return {"y"}; }
  int views() const override { return script_.views; }
  Double3 centre(const Case& c, const Int3& patch, bool forced, Rng rng) const override {
    const std::lock_guard lock(script_.mutex);
    script_.forced.push_back(forced);
    script_.sources.push_back(rng.key());
    return Task::centre(c, patch, forced, rng);
  }
  Tensor loss(const std::vector<Tensor>& outputs, const Batch&) const override {
    script_.trained.push_back(outputs.at(0).detach().values()[0]);
    return mean(outputs[0]);
  }
  std::vector<Field> predict(const Network& net, const ModelDescription&, const Case&, const PredictOptions&) const override {
    Network copy = net;
    script_.validated.push_back(state_of(copy)[0].tensor.values()[0]);
    return {};
  }
  std::unique_ptr<Meter> meter(const std::vector<std::string>&) const override;
  Result apply(const Model&, const Preprocessed&, const PredictOptions&) const override { return {}; }
  std::vector<std::filesystem::path> files(const std::filesystem::path&, const std::string&) const override { return {}; }
  void write(const Result&, const std::filesystem::path&, const std::string&) const override {}
  Picture picture(const Volume&, const Result&, const Volume&, const std::string&, const ModelDescription&) const override {
    return Picture(1, 1);
  }
  Evaluated evaluate(const std::filesystem::path&, const std::filesystem::path&, const EvaluateOptions&) const override { return {}; }

 private:
  Script& script_;
};

// Gives the next score of the script once a case was added.
class FakeMeter : public Meter {
 public:
  explicit FakeMeter(Script& script) : script_(script) {}
  void add(const Case&, const std::vector<Field>&) override { value_ = script_.scores.at(script_.validations++); }
  Scores scores() const override {
    return {.name = "score", .text = "score", .value = value_, .larger_is_better = script_.larger_is_better};
  }
  Calibration calibration() const override {
    if (!script_.calibrates) return {};
    return {Json{{"bias", script_.validated.back()}}.dump(), "calibrated"};
  }

 private:
  Script& script_;
  double value_ = NAN;
};
inline std::unique_ptr<Meter> FakeTask::meter(const std::vector<std::string>&) const { return std::make_unique<FakeMeter>(script_); }

// The script of the task "fake" in this process; empty at first.
inline Script& the_script() {
  static Script script;
  static const bool registered = [] {
    task_registry().add(
        {.name = "fake", .summary = "for tests", .make = [](const Options&) { return std::make_shared<FakeTask>(script); }});
    model_registry().add({.name = "constant",
                          .summary = "for tests",
                          .plan = [](const Options&, const PlanRequest& r) { return NetworkPlan{R"({"kind": "constant"})", r.patch}; },
                          .build = [](const Json&, Rng&) { return Network(Constant(), NetworkTraits{}, R"({"kind": "constant"})"); },
                          .traits = [](const Json&) { return NetworkTraits{}; }});
    return true;
  }();
  (void)registered;
  script.scores.clear();
  script.larger_is_better = true;
  script.calibrates = false;
  script.validations = 0;
  script.views = 1;
  script.trained.clear();
  script.validated.clear();
  script.forced.clear();
  script.sources.clear();
  return script;
}

// A data set of `cases` volumes of 12^3 voxels that grow along each axis: value 10000 d + 100 h + w. No labels.
inline std::filesystem::path write_ramps(const TemporaryFolder& folder, int cases) {
  Json json{{"modality", {{"0", "MR"}}}, {"labels", {{"0", "background"}, {"1", "organ"}}}, {"training", Json::array()}};
  for (int i = 0; i < cases; ++i) {
    std::vector<double> v;
    for (int d = 0; d < 12; ++d)
      for (int h = 0; h < 12; ++h)
        for (int w = 0; w < 12; ++w) v.push_back(10000 * d + 100 * h + w);
    const std::string name = "case_" + std::to_string(i) + ".nii";
    write_volume(folder / name, {Tensor::from(v, {12, 12, 12, 1}), Affine::scaling({1, 1, 1})});
    json["training"].push_back({{"image", name}});
  }
  write_json(folder / "dataset.json", json);
  return folder.path();
}

inline TrainConfig fake_config(const std::vector<std::string>& assignments) {
  TrainConfig c;
  apply_assignments(c, {"task=fake", "network.kind=constant", "train.patch=[8,8,8]", "augment.rotation=0", "augment.scaling=0",
                        "augment.noise=0", "augment.blur=0", "augment.brightness=0", "augment.contrast=0", "augment.low_resolution=0",
                        "augment.gamma=0", "augment.inverted_gamma=0", "data.normalization=none"});
  apply_assignments(c, assignments);
  return c;
}

}  // namespace voxgrad
