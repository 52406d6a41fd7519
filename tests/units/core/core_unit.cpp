#include <cmath>

#include "core/autograd.h"
#include "core/fields.h"
#include "core/device/parallel.h"
#include "core/rng.h"
#include "kernels/pointwise/pointwise.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("half types round to nearest even and keep infinities, NaN and subnormals") {
  // 1 + 2^-8 lies halfway between two bf16 numbers; the even one is 1.
  CHECK(float(bf16(1.00390625f)) == 1.0f);
  CHECK(float(bf16(1.01171875f)) == 1.015625f);
  CHECK(std::isnan(float(bf16(NAN))));
  CHECK(std::isinf(float(f16(65520.f))));
  CHECK(float(f16(65519.f)) == 65504.f);
  CHECK(float(f16(0x1p-24f)) == 0x1p-24f);
  CHECK(float(f16(-0x1p-25f)) == 0.0f);
  CHECK(std::isnan(float(f16(NAN))));
  for (uint32_t h = 0; h < 0x10000; ++h) {  // every f16 that is a number survives a round trip
    f16 v;
    v.bits = uint16_t(h);
    if (float(v) == float(v)) REQUIRE(f16(float(v)).bits == h);
  }
}

TEST_CASE("a cast to integers rounds and saturates") {
  const Tensor t = Tensor::from({-1.6, 0.5, 1.5, 300, NAN}, {5}).to(DType::u8);
  CHECK(t.values() == std::vector<double>{0, 0, 2, 255, 0});
}

TEST_CASE("philox matches the published known answers") {
  // Random123 distribution, kat_vectors: philox4x32 10.
  const Random128 zero = philox(0, 0, 0);
  CHECK(zero.word[0] == 0x6627e8d5);
  CHECK(zero.word[1] == 0xe169c58d);
  CHECK(zero.word[2] == 0xbc57ac4c);
  CHECK(zero.word[3] == 0x9b00dbd8);
  const Random128 ones = philox(~0ull, ~0ull, ~0ull);
  CHECK(ones.word[0] == 0x408f276d);
}

TEST_CASE("normal_of has the moments of a normal distribution") {
  const int n = 200000;
  double sum = 0, square = 0, fourth = 0;
  Rng rng(3);
  for (int i = 0; i < n; ++i) {
    const double v = rng.normal();
    sum += v, square += v * v, fourth += v * v * v * v;
  }
  // Standard errors: 1/sqrt(n) = 0.0022, sqrt(2/n) = 0.0032, sqrt(96/n) = 0.022; four of each are allowed.
  CHECK(std::abs(sum / n) < 0.009);
  CHECK(std::abs(square / n - 1) < 0.013);
  CHECK(std::abs(fourth / n - 3) < 0.088);
}

TEST_CASE("gradients add up over uses of a leaf, and backward frees what was saved") {
  Tensor x = Tensor::from({2, 3}, {2});
  x.require_grad();
  const size_t before = memory_stats({}).in_use;
  {
    const Tensor y = square(x);
    backward(affine(y, 3, 0), Tensor::full({2}, 1));
    backward(square(x), Tensor::full({2}, 1));
  }
  CHECK(x.grad().values() == std::vector<double>{16, 24});
  CHECK(memory_stats({}).in_use <= before + 256);  // the gradient alone remains
  const Tensor z = square(x);
  backward(z, Tensor::full({2}, 1));
  CHECK_THROWS_WITH(backward(z, Tensor::full({2}, 1)), Catch::Matchers::Contains("walked already"));
}

TEST_CASE("a chain of many ops is taken apart without recursion") {
  Tensor x = Tensor::scalar(1);
  Tensor y = x.require_grad();
  for (int i = 0; i < 300000; ++i) y = y.reshape({});
  y = {};
  SUCCEED();
}

TEST_CASE("checkpoint gives the same gradients and keeps only its input") {
  const auto f = [](const Tensor& x) { return square(sigmoid(square(x))); };
  Tensor a = Tensor::from({0.3, -0.7}, {2}), b = a.clone();
  a.require_grad(), b.require_grad();
  backward(f(a), Tensor::full({2}, 1));
  backward(checkpoint(f, b), Tensor::full({2}, 1));
  CHECK(a.grad().values() == b.grad().values());
}

TEST_CASE("Inference records nothing") {
  Tensor x = Tensor::scalar(1);
  x.require_grad();
  Inference scope;
  CHECK_FALSE(square(x).requires_grad());
  CHECK(Inference::active());
}

namespace {
struct Inner {
  Tensor weight, running;
  FIELDS(weight, running)
};
struct Outer {
  std::vector<Inner> blocks;
  std::optional<Inner> head;
  FIELDS(blocks, head)
};
}  // namespace

TEST_CASE("FIELDS names parameters and buffers") {
  Outer net;
  net.blocks.resize(2);
  for (auto& b : net.blocks) b.weight = Tensor::zeros({2}).require_grad(), b.running = Tensor::zeros({1});
  CHECK(parameters(net).size() == 2);
  CHECK(parameters(net)[1].name == "blocks.1.weight");
  CHECK(state_of(net)[1].name == "blocks.0.running");
  CHECK(parameter_count(net) == 4);
}

TEST_CASE("parallel loops cover everything once and pass exceptions on") {
  for (int count : {1, 2, 5}) {
    set_threads(count);
    std::vector<int> seen(1000, 0);
    parallel_for(1000, 1, [&](int64_t i) { ++seen[size_t(i)]; });
    CHECK(seen == std::vector<int>(1000, 1));
    CHECK_THROWS_AS(parallel_for(100, 1, [](int64_t i) { check(i != 57, "at ", i); }), Error);
  }
  set_threads(2);
}

TEST_CASE("impossible tensors are refused by name") {
  CHECK_THROWS_WITH(Tensor::zeros({int64_t(1) << 40, int64_t(1) << 40}), Catch::Matchers::Contains("not possible"));
  CHECK_THROWS_WITH(Tensor::zeros({2, 3}).reshape({7}), Catch::Matchers::Contains("{2, 3}"));
  CHECK_THROWS_WITH(parse_device("gpu"), Catch::Matchers::Contains("\"gpu\""));
  CHECK_THROWS_AS(Tensor::zeros({2}).data<double>(), Error);
}
