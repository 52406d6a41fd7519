#include "train/optimizer.h"

#include <cmath>

#include "core/config/json_values.h"
#include "optim/adamw.h"
#include "optim/average.h"
#include "optim/sgd.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
using Values = std::vector<double>;

namespace {
Parameter one_parameter() { return {"w", Tensor::from({1, -2, 3}, {1, 3}).require_grad()}; }
void set_gradient(const Parameter& p, double g) { p.tensor.set_grad(Tensor::full({1, 3}, g)); }
}  // namespace

TEST_CASE("the learning rate rises over the warm-up and falls as a power of what is left") {
  Tensor weight = Tensor::full({3}, 1);
  weight.require_grad();
  ScheduleConfig config;
  config.learning_rate = 0.5;
  config.momentum = 0;
  config.weight_decay = 0;
  config.poly = 2;
  config.warmup_steps = 4;
  ScheduledOptimizer optimizer({{"weight", weight}}, config);
  // 0.5 (1 - k / 8)^2, times (k + 1) / 4 before the fourth step.
  const double rates[] = {0.125, 0.19140625, 0.2109375, 0.1953125, 0.125, 0.0703125, 0.03125, 0.0078125};
  double value = 1;
  for (int64_t k = 0; k < 8; ++k) {
    weight.set_grad(Tensor::full({3}, 0.25));
    optimizer.schedule(double(k) / 8, k);
    optimizer.step();
    CHECK(std::abs(optimizer.learning_rate() - rates[k]) < 1e-12);
    value -= 0.25 * rates[k];
    CHECK(std::abs(weight.detach().values()[2] - value) < 1e-6);
  }
}

TEST_CASE("a moving average leaves its start behind within few steps, then has its decay") {
  const Tensor into = Tensor::full({2}, 0), from = Tensor::full({2}, 1);
  // decay = min(0.999, (1 + step) / (10 + step)): what is left of the start is the product of the decays.
  double left = 1;
  for (int64_t step = 0; step < 5; ++step) {
    move_average({{"w", into}}, {{"w", from}}, 0.999, step);
    left *= double(1 + step) / double(10 + step);
    CHECK(std::abs(into.values()[1] - (1 - left)) < 1e-6);
  }
  CHECK(left < 1e-3);
  const Tensor late = Tensor::full({2}, 0);
  move_average({{"w", late}}, {{"w", from}}, 0.75, 1000000);
  CHECK(std::abs(late.values()[0] - 0.25) < 1e-7);
  CHECK(from.values() == std::vector<double>{1, 1});
  CHECK_THROWS_WITH(move_average({{"w", late}}, {{"v", from}}, 0.9, 1), Contains("\"v\" for \"w\""));
  CHECK_THROWS_WITH(move_average({{"w", late}}, {}, 0.9, 1), Contains("0 tensors for an average of 1"));
  CHECK_THROWS_WITH(move_average({{"w", late}}, {{"w", from}}, 1, 1), Contains("decay 1"));
}

TEST_CASE("train.optimizer names any registered optimizer, and its options have keys of their own") {
  // As a program of a user's own adds one.
  struct Halving : Optimizer {
    struct Settings {
      double factor = 0.5;
    };
    double factor;
    Halving(const std::vector<Parameter>& p, const Settings& s) : Optimizer("Halving", {{.parameters = p}}, 1), factor(s.factor) {}
    std::vector<Parameter> state() const override { return {}; }
    void update() override {
      for (const Due& d : due(0)) {
        const Values v = d.parameter.values();
        Values halves;
        for (double x : v) halves.push_back(x * factor);
        d.parameter.copy_from(Tensor::from(halves, d.parameter.shape()));
      }
    }
  };
  if (!optimizers().has("halving"))
    optimizers().add({.name = "halving",
                      .summary = "for this test",
                      .options = [] {
                        return Options::of<Halving::Settings>(
                            [](ConfigTable& t, Halving::Settings& s) { t.number("factor", s.factor, 0, 1, "what remains"); });
                      },
                      .make = [](const std::vector<Parameter>& p, const Options& o) -> std::unique_ptr<Optimizer> {
                        return std::make_unique<Halving>(p, o.as<Halving::Settings>());
                      }});
  TrainConfig c;
  apply_assignment(c, "train.optimizer=halving");
  const Parameter p = one_parameter();
  ScheduledOptimizer o({p}, c.train);
  set_gradient(p, 1);
  o.schedule(0, 0);
  o.step();
  CHECK(p.tensor.values() == Values{0.5, -1, 1.5});
  apply_assignment(c, "train.halving.factor=0");
  CHECK_THROWS_WITH(apply_assignment(c, "train.halving.factor=2"), Contains("train.halving.factor") && Contains("from 0 to 1"));
  CHECK_THROWS_WITH(apply_assignment(c, "train.halving.fractor=1"), Contains("train.halving.factor"));
  ScheduledOptimizer other({p}, c.train);
  set_gradient(p, 1);
  other.schedule(0, 0);
  other.step();
  CHECK(p.tensor.values() == Values{0, 0, 0});
  TrainConfig read;
  apply_json(read, to_json(c), "test");
  CHECK(read.train.optimizer_options.at("halving.factor") == "0");
  CHECK(describe_config().find("for this test") != std::string::npos);
}

TEST_CASE("the options of a configuration reach the optimizer") {
  TrainConfig c;
  for (const char* set : {"train.learning_rate=0.5", "train.momentum=0.25", "train.weight_decay=0.125", "train.sgd.nesterov=false",
                          "train.adamw.beta2=0.75", "train.adamw.amsgrad=true"})
    apply_assignment(c, set);
  const SgdOptions sgd = optimizer_options(c.train).as<SgdOptions>();
  CHECK(sgd.learning_rate == 0.5);
  CHECK(sgd.momentum == 0.25);
  CHECK(sgd.weight_decay == 0.125);
  CHECK_FALSE(sgd.nesterov);
  apply_assignment(c, "train.optimizer=adamw");
  const AdamWOptions adamw = optimizer_options(c.train).as<AdamWOptions>();
  CHECK(adamw.learning_rate == 0.5);
  CHECK(adamw.weight_decay == 0.125);
  CHECK(adamw.beta1 == 0.9);
  CHECK(adamw.beta2 == 0.75);
  CHECK(adamw.amsgrad);
  // AdamW spares parameters of rank 1 from weight decay.
  const Parameter w = one_parameter(), b{"b", Tensor::from({1}, {1}).require_grad()};
  const auto made = optimizers().find("adamw").make({w, b}, optimizer_options(c.train));
  REQUIRE(made->groups().size() == 2);
  CHECK(made->groups()[1].weight_decay == 0);
  CHECK(made->learning_rate() == 0.5);
}

TEST_CASE("every registered optimizer makes a loss smaller and resumes with the same bits") {
  for (auto& entry : optimizers().entries()) {
    if (entry.name == "halving") continue;
    INFO(entry.name);
    const auto run = [&](const Parameter& p, Optimizer& o, int steps) {
      for (int i = 0; i < steps; ++i) {
        p.tensor.set_grad(Tensor::from(p.tensor.values(), {1, 3}));  // of half the sum of squares
        o.step();
      }
    };
    const Options options = entry.options();
    for (auto& key : options.keys())
      if (key.name == "learning_rate") key.set(0.01);
    const Parameter straight = one_parameter(), first = one_parameter(), second = one_parameter();
    const auto a = entry.make({straight}, options), b = entry.make({first}, options), c = entry.make({second}, options);
    run(straight, *a, 20);
    for (size_t i = 0; i < 3; ++i) CHECK(std::abs(straight.tensor.values()[i]) < std::abs(one_parameter().tensor.values()[i]));
    run(first, *b, 8);
    second.tensor.copy_from(first.tensor);
    c->load_state(b->state());
    run(second, *c, 12);
    CHECK(second.tensor.values() == straight.tensor.values());
  }
}
