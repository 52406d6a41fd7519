#include <cmath>
#include <map>

#include "core/autograd.h"
#include "core/training.h"
#include "io/checkpoint.h"
#include "kernels/reduce/reduce.h"
#include "layers/norm.h"
#include "tests/catch.h"
#include "tests/units/train/fake_task.h"
#include "train/learner.h"
#include "train/setup.h"

using namespace voxgrad;

TEST_CASE("norms of batches use their running statistics where a training scope says so, and leave them as they are") {
  BatchNorm norm({.channels = 2});
  const Tensor x = Tensor::from({1, 10, 2, 20, 3, 30, 6, 60}, {1, 1, 2, 2, 2});
  norm(x);
  const std::vector<double> mean = norm.running_mean.values(), wanted = [&] {
    const Inference scope;
    return norm(x).values();
  }();
  const Training scope(Rng(1), Training::Statistics::running);
  const Tensor y = norm(x);
  CHECK(y.values() == wanted);
  CHECK(norm.running_mean.values() == mean);
  backward(sum(y));
  CHECK(norm.weight.grad());
  { const Training inner(Rng(1)); CHECK_FALSE(Training::uses_running_statistics()); }
  CHECK(Training::uses_running_statistics());
}

namespace {

struct Trained {
  TrainingSetup setup;
  CaseStore store;
  Learner learner;
  Trained(const std::filesystem::path& data, const TrainConfig& c)
      : setup(set_up(data, c, {})), store(setup.dataset, setup.description, setup.task, store_options(c.data)),
        learner(store, *setup.task, setup.split.training, setup.config, Device{}) {}

  void learn(int64_t from, int64_t to) {
    for (int64_t i = from; i < to; ++i) learner.learn(i, double(i) / 8);
  }
  std::map<std::string, std::vector<double>> tensors() {
    std::map<std::string, std::vector<double>> out;
    for (auto& p : learner.checkpoint().tensors) out[p.name] = p.tensor.values();
    return out;
  }
};

}  // namespace

TEST_CASE(
    "behind train.batch_statistics running statistics stay, those of the averaged weights where there are some; a resumed run has the same "
    "bits") {
  const TemporaryFolder folder;
  const auto data = write_ramps(folder, 3);
  const auto config = [](const std::string& part, const std::string& decay) {
    TrainConfig c;
    apply_assignments(c, {"task=restoration", "restoration.noise=[0.1,0.2]", "restoration.degradations=[]", "network.kind=dncnn",
                          "network.depth=4", "network.features=8", "network.norm=batch", "train.steps=8", "train.patch=[8,8,8]",
                          "data.folds=1", "train.average_weights=" + decay, "train.batch_statistics=" + part});
    return c;
  };
  const auto of = [](const std::map<std::string, std::vector<double>>& t, const std::string& prefix) {
    std::vector<double> out;
    for (auto& [name, values] : t)
      if (name.rfind(prefix, 0) == 0 && name.find("running") != name.npos) out.insert(out.end(), values.begin(), values.end());
    REQUIRE(out.size() >= 16);
    return out;
  };
  const auto furthest = [](const std::vector<double>& a, const std::vector<double>& b) {
    double d = 0;
    for (size_t i = 0; i < a.size(); ++i) d = std::max(d, std::abs(a[i] - b[i]) / (std::abs(a[i]) + 1e-3));
    return d;
  };

  Trained whole(data, config("0.5", "0.7"));
  whole.learn(0, 4);
  const auto before = whole.tensors();
  CHECK(furthest(of(before, "net."), of(before, "average.")) > 1e-3);
  whole.learn(4, 8);
  const auto after = whole.tensors();
  CHECK(furthest(of(after, "net."), of(before, "average.")) < 1e-5);
  CHECK(furthest(of(after, "average."), of(before, "average.")) < 1e-5);

  for (const int64_t at : {3, 6}) {
    Trained first(data, config("0.5", "0.7")), second(data, config("0.5", "0.7"));
    first.learn(0, at);
    second.learner.load(first.learner.checkpoint());
    second.learn(at, 8);
    CHECK(second.tensors() == after);
  }

  Trained without(data, config("0.5", "0"));
  without.learn(0, 4);
  const auto latest = of(without.tensors(), "net.");
  without.learn(4, 8);
  CHECK(of(without.tensors(), "net.") == latest);

  Trained always(data, config("1", "0"));
  always.learn(0, 4);
  CHECK(of(always.tensors(), "net.") == latest);
  always.learn(4, 8);
  CHECK(of(always.tensors(), "net.") != latest);
}
