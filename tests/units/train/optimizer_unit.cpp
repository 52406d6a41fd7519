#include "train/optimizer.h"

#include <cmath>

#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("the learning rate rises over the warm-up and falls as a power of what is left") {
  Tensor weight = Tensor::full({3}, 1);
  weight.require_grad();
  ScheduleConfig config;
  config.learning_rate = 0.5;
  config.momentum = 0;
  config.weight_decay = 0;
  config.poly = 2;
  config.warmup_steps = 4;
  Optimizer optimizer({{"weight", weight}}, config);
  // 0.5 (1 - k / 8)^2, times (k + 1) / 4 before the fourth step.
  const double rates[] = {0.125, 0.19140625, 0.2109375, 0.1953125, 0.125, 0.0703125, 0.03125, 0.0078125};
  double value = 1;
  for (int64_t k = 0; k < 8; ++k) {
    weight.set_grad(Tensor::full({3}, 0.25));
    optimizer.step(double(k) / 8, k);
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
}
