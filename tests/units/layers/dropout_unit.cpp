#include <cmath>

#include "core/autograd.h"
#include "core/training.h"
#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"
#include "layers/blocks.h"
#include "layers/dropout.h"
#include "layers/sequential.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
using Values = std::vector<double>;

namespace {
const Tensor kOnes = Tensor::full({1, 4, 4, 4, 8}, 1);

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) { return e.what(); }
  return "";
}
}  // namespace

TEST_CASE("layers draw from the training scope in the order of calls, and the same step draws the same") {
  const Rng rng(3);
  const Dropout drop{.p = 0.5};
  Values first, second, other_step;
  {
    const Training scope(rng.at(7));
    first = drop(kOnes).values(), second = drop(kOnes).values();
  }
  CHECK(first != second);
  {
    const Training scope(rng.at(8));
    other_step = drop(kOnes).values();
  }
  CHECK(first != other_step);
  const Training scope(rng.at(7));
  CHECK(drop(kOnes).values() == first);
  {
    const Training inner(rng.at(8));
    CHECK(drop(kOnes).values() == other_step);
  }
  CHECK(drop(kOnes).values() == second);  // the scope around went on where it was
  CHECK(drop(kOnes, rng.at(7).at(0)).values() == first);  // what a call is given in its place
}

TEST_CASE("without a training scope, dropout is an error that says what to do") {
  Dropout drop{.p = 0.5};
  DropPath path{.p = 0.5};
  CHECK_THAT(error_of([&] { drop(kOnes); }), Contains("Dropout: ") && Contains("Training scope(rng.at(step))") && Contains("eval("));
  CHECK_THAT(error_of([&] { path(kOnes); }), Contains("DropPath: ") && Contains("Training scope(rng.at(step))"));
  { const Training scope(Rng(1)); }
  CHECK_THAT(error_of([&] { drop(kOnes); }), Contains("Training scope"));  // it has ended
  CHECK(Dropout{.p = 0}(kOnes).shares_memory_with(kOnes));
  {
    const Inference quiet;
    CHECK(drop(kOnes).shares_memory_with(kOnes));
    CHECK(path(kOnes).shares_memory_with(kOnes));
    const Training scope(Rng(1));
    CHECK(drop(kOnes).shares_memory_with(kOnes));
  }
  eval(drop), eval(path);
  CHECK(drop(kOnes).shares_memory_with(kOnes));
  CHECK(drop(kOnes, Rng(1)).shares_memory_with(kOnes));
  CHECK(path(kOnes).shares_memory_with(kOnes));
  train(drop);
  CHECK_THROWS_AS(drop(kOnes), Error);
  CHECK_THAT(error_of([] { Dropout{.p = 1.5}(kOnes, Rng(1)); }), Contains("Dropout: the probability 1.5"));
}

TEST_CASE("any block can contain dropout, and its modes are reached by the network's") {
  Rng rng(5);
  Sequential net(ConvBlock({.in = 8, .out = 4}, rng), Dropout{.p = 0.5}, ConvBlock({.in = 4, .out = 2}, rng), DropPath{.p = 0.5});
  const auto run = [&](int step) {
    const Training scope(rng.at(uint64_t(step)));
    return net(kOnes).values();
  };
  CHECK(run(1) == run(1));
  eval(net);
  const Tensor rested = net(kOnes);
  {
    const Inference quiet;
    CHECK(net(kOnes).values() == rested.values());
  }
  CHECK(rested.requires_grad());
}

TEST_CASE("drop path drops whole samples as often as it should and keeps the mean") {
  const DropPath path{.p = 0.25};
  Tensor x = Tensor::full({8000, 1, 1, 3, 2}, 3);
  x.require_grad();
  const Tensor y = path(x, Rng(2));
  const Values v = y.values();
  int dropped = 0;
  for (size_t n = 0; n < 8000; ++n) {
    REQUIRE((v[6 * n] == 0 || v[6 * n] == 4));
    for (size_t i = 1; i < 6; ++i) REQUIRE(v[6 * n + i] == v[6 * n]);
    dropped += v[6 * n] == 0;
  }
  CHECK(std::abs(dropped / 8000. - 0.25) < 4 * std::sqrt(0.25 * 0.75 / 8000));  // four standard errors
  backward(y, Tensor::full(x.shape(), 1));
  const Values g = x.grad().values();
  for (size_t i = 0; i < v.size(); ++i) REQUIRE(std::abs(g[i] - v[i] / 3) < 1e-6);
  for (double z : DropPath{.p = 1}(x, Rng(2)).values()) REQUIRE(z == 0);
}

TEST_CASE("a checkpoint draws the same numbers again and moves running statistics once") {
  const Dropout drop{.p = 0.5};
  BatchNorm plain_norm({.channels = 8}), kept_norm({.channels = 8});
  Tensor a = Tensor::full({1, 4, 4, 4, 8}, 1), b = a.clone();
  const auto block = [&](const BatchNorm& norm) { return [&](const Tensor& x) { return drop(norm(square(drop(x)))); }; };
  const auto gradient = [&](Tensor& x, const std::function<Tensor(const Tensor&)>& f, const std::function<Tensor(const Tensor&)>& g) {
    x.require_grad();
    Tensor loss;
    {
      const Training scope(Rng(4));
      loss = drop(square(g(f(drop(x)))));
    }
    const Training later(Rng(9));  // backward may run when another scope is open: it must not matter
    backward(loss, Tensor::full(loss.shape(), 0.5));
    return std::pair{loss.values(), x.grad().values()};
  };
  const auto plain = gradient(a, block(plain_norm), block(plain_norm));
  const auto again = [](std::function<Tensor(const Tensor&)> f) { return [f](const Tensor& x) { return checkpoint(f, x); }; };
  const auto kept = gradient(b, again(block(kept_norm)), again(block(kept_norm)));
  CHECK(plain.first == kept.first);
  CHECK(plain.second == kept.second);
  CHECK(plain_norm.running_mean.values() == kept_norm.running_mean.values());
  CHECK(plain_norm.running_var.values() == kept_norm.running_var.values());
}
