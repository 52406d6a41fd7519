// Optimizers on a CUDA device: the same formulas as on the CPU, in the same f32, so the same bits.
#include <cstring>
#include <limits>

#include "core/rng.h"
#include "optim/adamw.h"
#include "optim/sgd.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

Tensor random_values(const Shape& s, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> v(size_t(s.count()));
  for (double& x : v) x = rng.uniform(-1, 1);
  return Tensor::from(v, s);
}

// Sizes below, at and above those of a block of a launch, and an empty tensor.
std::vector<Parameter> some_parameters(Device d) {
  std::vector<Parameter> out;
  const Shape shapes[] = {{3}, {4096}, {0}, {5, 3, 3, 3, 17}, {1}, {9001}};
  for (size_t i = 0; i < std::size(shapes); ++i) {
    Tensor t = random_values(shapes[i], i).to(d);
    t.require_grad();
    out.push_back({"p" + std::to_string(i), t});
  }
  return out;
}

// `make` gives an optimizer for parameters; three steps on either device leave the same bits.
template <class F>
void compare(F&& make) {
  std::vector<Parameter> here = some_parameters({}), there = some_parameters({0});
  auto on_cpu = make(here), on_cuda = make(there);
  for (uint64_t step = 0; step < 3; ++step) {
    for (size_t i = 0; i < here.size(); ++i) {
      if (i == 4 && step == 1) continue;  // a parameter without a gradient
      const Tensor g = random_values(here[i].tensor.shape(), 100 * step + i);
      here[i].tensor.set_grad(g);
      there[i].tensor.set_grad(g.to(Device{0}));
    }
    on_cpu.step();
    on_cuda.step();
  }
  for (size_t i = 0; i < here.size(); ++i) {
    INFO("parameter " << i);
    CHECK(here[i].tensor.detach().values() == there[i].tensor.detach().values());
    CHECK(!there[i].tensor.grad());
  }
}

}  // namespace

TEST_CASE("optimizers: there is a device to test") { REQUIRE_NOTHROW(parse_device("cuda")); }

TEST_CASE("optimizers on CUDA leave the bits of the CPU") {
  compare([](auto& p) { return Sgd(p, {.learning_rate = 0.1, .momentum = 0}); });
  compare([](auto& p) { return Sgd(p, {.learning_rate = 0.1, .momentum = 0.9, .weight_decay = 1e-2, .nesterov = false}); });
  compare([](auto& p) { return Sgd(p, {.learning_rate = 0.1, .momentum = 0.99, .weight_decay = 3e-5, .nesterov = true}); });
  compare([](auto& p) { return AdamW(p, {.learning_rate = 1e-2, .weight_decay = 1e-2}); });
  compare([](auto& p) { return AdamW(p, {.learning_rate = 1e-2, .amsgrad = true}); });
}

TEST_CASE("gradients on CUDA: norm, clipping, and the first that is not finite") {
  std::vector<Parameter> here = some_parameters({}), there = some_parameters({0});
  for (size_t i = 0; i < here.size(); ++i) {
    const Tensor g = random_values(here[i].tensor.shape(), 7 + i);
    here[i].tensor.set_grad(g);
    there[i].tensor.set_grad(g.to(Device{0}));
  }
  const double norm = gradient_norm(here);
  CHECK(std::abs(gradient_norm(there) - norm) < 1e-12 * norm);  // sums in f64, in another order
  CHECK(std::abs(clip_grad_norm(there, norm / 3) - norm) < 1e-12 * norm);
  CHECK(std::abs(gradient_norm(there) - norm / 3) < 1e-6 * norm);
  CHECK_NOTHROW(check_gradients(there));
  for (const size_t bad : {5, 3}) {
    Tensor g = random_values(here[bad].tensor.shape(), 1);
    g.mutable_data<float>()[size_t(g.count() - 1)] =
        bad == 3 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    there[bad].tensor.set_grad(g.to(Device{0}));
    CHECK_THROWS_WITH(check_gradients(there), Contains("\"p" + std::to_string(bad) + "\"") && Contains("not finite"));
  }
}
