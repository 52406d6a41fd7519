// Training by recorded steps: the bits of a run without them, through what changes on the way and through a resume.
#include "tests/catch.h"
#include "tests/cuda/feed_helpers.h"
#include "train/learner.h"

using namespace voxgrad;

namespace {

constexpr int64_t kSteps = 12;

struct Trained {
  SmallLoader made;
  Learner learner;
  Learner::Outcomes known;

  explicit Trained(const std::vector<std::string>& more)
      : made(2, size_t(1) << 30, more), learner(made.store, *made.task, made.ids, made.config, Device{0}) {}
  void learn(int64_t from, int64_t to) {
    for (int64_t s = from; s < to; ++s) {
      learner.learn(s, double(s) / double(kSteps));
      add(false);
    }
  }
  void add(bool all) {
    for (auto& o : learner.outcomes(all)) known.push_back(o);
  }
  std::vector<std::vector<double>> values() {
    add(true);
    std::vector<std::vector<double>> out;
    for (auto& p : learner.checkpoint().tensors) out.push_back(p.tensor.values());
    return out;
  }
  std::vector<double> numbers() {
    add(true);
    std::vector<double> out;
    for (auto& o : known) out.insert(out.end(), {double(o.step), o.loss, o.gradient_norm});
    return out;
  }
};

std::vector<std::string> with(std::vector<std::string> all, const std::string& one) {
  all.push_back(one);
  return all;
}

}  // namespace

TEST_CASE("recorded training: the bits of training kernel by kernel, through thawing, other statistics and a resume") {
  const std::vector<std::vector<std::string>> configs = {
      {"network.norm=batch", "train.optimizer=adamw", "train.learning_rate=0.01", "train.warmup_steps=3", "train.average_weights=0.9",
       "train.batch_statistics=0.7", "transfer.freeze=[\"encoder.0@0.5\"]", "transfer.lr_scale=[\"decoder=0.5\"]", "train.clip=0.5"},
      {"train.optimizer=lion", "train.learning_rate=0.001", "train.dtype=bf16", "train.clip=0"},
      {"train.accumulate=3", "train.batch_statistics=0.4", "network.norm=batch", "train.average_weights=0.5"},
  };
  for (auto& config : configs) {
    Trained given(with(config, "train.cuda_graph=false")), recorded(config);
    given.learn(0, kSteps);
    recorded.learn(0, kSteps);
    CHECK(recorded.learner.is_recorded());
    CHECK(!given.learner.is_recorded());
    const auto values = given.values();
    CHECK(recorded.values() == values);
    CHECK(recorded.numbers() == given.numbers());

    Trained first(config), second(config);
    first.learn(0, 5);
    second.learner.load(first.learner.checkpoint());
    second.learn(5, kSteps);
    CHECK(second.values() == values);
  }
}
