// Lion on a CUDA device: the same formula as on the CPU, in the same f32, so the same bits.
#include "core/rng.h"
#include "optim/lion/lion.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {
Tensor random_values(const Shape& s, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> v(size_t(s.count()));
  for (double& x : v) x = rng.uniform(-1, 1);
  return Tensor::from(v, s);
}
}  // namespace

TEST_CASE("optimizers on CUDA: Lion leaves the bits of the CPU") {
  const Shape shapes[] = {{3}, {4096}, {0}, {9001}};  // below, at and above a block of a launch
  std::vector<Parameter> here, there;
  for (const Shape& s : shapes) {
    const std::string name = "p" + std::to_string(here.size());
    const Tensor t = random_values(s, here.size());
    here.push_back({name, t.clone().require_grad()});
    there.push_back({name, t.to(Device{0}).require_grad()});
  }
  Lion on_cpu(here, {.learning_rate = 0.1, .weight_decay = 0.01}), on_cuda(there, {.learning_rate = 0.1, .weight_decay = 0.01});
  for (uint64_t step = 0; step < 3; ++step) {
    for (size_t i = 0; i < here.size(); ++i) {
      const Tensor g = random_values(here[i].tensor.shape(), 100 * step + i);
      here[i].tensor.set_grad(g);
      there[i].tensor.set_grad(g.to(Device{0}));
    }
    on_cpu.step();
    on_cuda.step();
  }
  for (size_t i = 0; i < here.size(); ++i) CHECK(here[i].tensor.detach().values() == there[i].tensor.detach().values());
}
