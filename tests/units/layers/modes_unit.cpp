#include <cmath>

#include "core/autograd.h"
#include "layers/blocks.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;
using Values = std::vector<double>;

namespace {
const Tensor kInput = Tensor::from({1, 10, 2, 20, 3, 30, 6, 60}, {1, 1, 2, 2, 2});
// (x - running mean) / sqrt(running variance + eps) of a fresh batch norm: mean 0, variance 1.
const double kRested = 1 / std::sqrt(1 + 1e-5);
}  // namespace

TEST_CASE("a batch norm that is frozen or set to eval uses its running statistics and leaves them as they are") {
  for (bool frozen : {true, false}) {
    BatchNorm norm({.channels = 2});
    frozen ? freeze(norm) : eval(norm);
    const Tensor y = norm(kInput);
    for (int i = 0; i < 8; ++i) CHECK(std::abs(y.values()[size_t(i)] - kInput.values()[size_t(i)] * kRested) < 1e-5);
    CHECK(norm.running_mean.values() == Values{0, 0});
    CHECK(norm.running_var.values() == Values{1, 1});
    CHECK(parameters(norm).size() == (frozen ? 0 : 2));
    frozen ? freeze(norm, false) : train(norm);
    norm(kInput);
    CHECK(std::abs(norm.running_mean.values()[1] - 3) < 1e-6);
    CHECK(parameters(norm).size() == 2);
  }
}

TEST_CASE("a part of a network is frozen or at rest alone, and gradients flow through it") {
  Rng rng(2);
  ConvStack encoder({.in = 2, .out = 3, .norm = NormKind::batch}, 2, rng), head({.in = 3, .out = 2, .norm = NormKind::batch}, 1, rng);
  Tensor x = noise({2, 4, 4, 4, 2}, 3);
  x.require_grad();
  eval(encoder);
  const auto pass = [&] { backward(head(encoder(x)), noise({2, 4, 4, 4, 2}, 4)); };
  pass();
  CHECK(encoder.blocks[1].norm.batch->running_mean.values() == Values(3, 0));
  CHECK(head.blocks[0].norm.batch->running_mean.values() != Values(2, 0));
  for (auto& p : parameters(encoder)) CHECK(p.tensor.grad());
  freeze(encoder);
  x.clear_grad();
  pass();
  CHECK(encoder.blocks[0].norm.batch->running_mean.values() == Values(3, 0));
  CHECK(parameters(encoder).empty());
  CHECK(x.grad());
}

TEST_CASE("freezing and thawing a network gives back exactly its parameters") {
  Rng rng(2);
  ResidualStack net({.in = 2, .out = 3, .norm = NormKind::batch}, 2, rng);
  const auto before = parameters(net);
  freeze(net);
  freeze(net, false);
  const auto after = parameters(net);
  REQUIRE(before.size() == after.size());
  for (size_t i = 0; i < after.size(); ++i) CHECK(before[i].name == after[i].name);
  CHECK(state_of(net).size() > after.size());
}
