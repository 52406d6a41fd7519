#include <cmath>

#include "core/rng.h"
#include "optim/lion/lion.h"
#include "tests/catch.h"

using namespace voxgrad;
using Values = std::vector<double>;

namespace {
Values numbers(int64_t n, uint64_t seed) {
  Rng rng(seed);
  Values v(static_cast<size_t>(n));
  for (auto& x : v) x = rng.uniform(-1, 1);
  return v;
}
}  // namespace

TEST_CASE("Lion follows its formula") {
  for (DType t : {DType::f32, DType::f64}) {
    const Values start = numbers(37, 1);
    const Parameter p{"p", Tensor::from(start, {37}, t).require_grad()};
    Lion lion({p}, {.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.6, .weight_decay = 0.1});
    Values w = p.tensor.values(), m(37, 0);
    for (int step = 0; step < 5; ++step) {
      Values g = numbers(37, uint64_t(10 + step));
      if (step == 0) g[3] = 0;  // no direction: weight decay alone
      p.tensor.set_grad(Tensor::from(g, {37}, t));
      lion.step();
      CHECK_FALSE(p.tensor.grad());
      for (size_t i = 0; i < w.size(); ++i) {
        const double direction = 0.8 * m[i] + 0.2 * g[i];
        w[i] = w[i] * (1 - 0.05 * 0.1) - 0.05 * (direction > 0 ? 1 : direction < 0 ? -1 : 0);
        m[i] = 0.6 * m[i] + 0.4 * g[i];
      }
    }
    for (size_t i = 0; i < w.size(); ++i) CHECK(std::abs(p.tensor.values()[i] - w[i]) < (t == DType::f64 ? 1e-14 : 1e-6));
    for (size_t i = 0; i < w.size(); ++i) CHECK(std::abs(lion.state().at(0).tensor.values()[i] - m[i]) < (t == DType::f64 ? 1e-14 : 1e-6));
    CHECK(lion.state().at(0).name == "p.mean");
  }
  CHECK_THROWS_WITH(Lion({{"p", Tensor::zeros({2}).require_grad()}}, {.beta2 = 1}), Catch::Matchers::Contains("beta2 1"));
}
