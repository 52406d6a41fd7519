#include "core/autograd.h"

#include "core/gradients/given_gradient.h"
#include "core/gradient_check.h"
#include "kernels/binary/binary.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/reduce/reduce.h"
#include "kernels/softmax/softmax.h"
#include "tests/catch.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// The identity, whose backward returns `gradient`.
Tensor with_gradient(const Tensor& x, const Tensor& gradient) {
  return record("my_op", {x}, x.clone(), [gradient](const Tensor&, Needs) { return Grads{gradient}; });
}
Tensor leaf(const std::vector<double>& values) { return Tensor::from(values, {int64_t(values.size())}).require_grad(); }
}  // namespace

TEST_CASE("what a backward returns is held against its input") {
  const Tensor x = leaf({1, 2, 3, 4});
  const auto walk = [&](const Tensor& gradient) { backward(sum(with_gradient(x, gradient))); };
  CHECK_THROWS_WITH(walk(Tensor::zeros({1})), Contains("my_op") && Contains("f32 {1} on cpu") && Contains("f32 {4} on cpu"));
  CHECK_THROWS_WITH(walk(Tensor::zeros({2})), Contains("my_op") && Contains("f32 {2} on cpu"));
  CHECK_THROWS_WITH(walk(Tensor::zeros({4}, DType::bf16)), Contains("my_op") && Contains("bf16 {4} on cpu"));
  CHECK_THROWS_WITH(backward(sum(record("my_op", {x}, x.clone(), [](const Tensor& g, Needs) { return Grads{g, g}; }))),
                    Contains("my_op") && Contains("2 gradients for 1 inputs"));
  CHECK_FALSE(x.grad());
  walk(Tensor::full({4}, 2));
  CHECK(x.grad().values() == std::vector<double>{2, 2, 2, 2});
}

TEST_CASE("a loss of several elements needs a seed of its shape and dtype") {
  const Tensor x = leaf({1, 2});
  CHECK_THROWS_WITH(backward(square(x)), Contains("f32 {2}") && Contains("seed"));
  CHECK_THROWS_WITH(backward(square(x), Tensor::zeros({1})), Contains("f32 {1} on cpu") && Contains("f32 {2} on cpu"));
  CHECK_THROWS_WITH(backward(square(x), Tensor::zeros({2}, DType::f64)), Contains("f64 {2}"));
  backward(square(leaf({3})));  // {1} is enough of a scalar
}

TEST_CASE("gradients of intermediates are kept on request alone") {
  const Tensor x = leaf({3});
  Tensor kept = square(x), other = affine(x, 2, 0);
  kept.retain_grad();
  backward(add(square(kept), other));
  CHECK(kept.grad().values() == std::vector<double>{18});
  CHECK(x.grad().values() == std::vector<double>{18 * 6 + 2});
  CHECK_THROWS_WITH(other.grad(), Contains("affine") && Contains("retain_grad()"));
  CHECK_THROWS_WITH(other.retain_grad(), Contains("affine") && Contains("before"));
  CHECK_THROWS_WITH(other.require_grad(), Contains("affine") && Contains("detach()"));
}

TEST_CASE("a graph is walked once, and there are no second derivatives") {
  const Tensor x = leaf({3}), y = square(x);
  backward(y);
  CHECK_THROWS_WITH(backward(y), Contains("walked already") && Contains("square"));
  CHECK_THROWS_WITH(backward(affine(y, 2, 0)), Contains("walked already") && Contains("affine"));
  const Tensor w = leaf({2});
  const Tensor z = record("my_op", {x}, x.clone(), [w](const Tensor& g, Needs) { return Grads{mul(g, w)}; });
  CHECK_THROWS_WITH(backward(z), Contains("mul") && Contains("my_op") && Contains("second derivatives"));
  const Tensor right = record("my_op", {x}, x.clone(), [w = w.detach()](const Tensor& g, Needs) { return Grads{mul(g, w)}; });
  backward(right);
  CHECK(x.grad().values() == std::vector<double>{8});
}

TEST_CASE("a backward that fails leaves nothing of its sums in the graph") {
  const Tensor x = leaf({3}), y = square(x);
  // y has the gradient of add already when that of my_op fails.
  const Tensor bad = record("my_op", {y}, y.clone(), [](const Tensor&, Needs) -> Grads { throw std::runtime_error("my_op failed"); });
  CHECK_THROWS_WITH(backward(add(y, bad)), Contains("my_op failed"));
  CHECK_FALSE(x.grad());
  backward(affine(y, 2, 0));
  CHECK(x.grad().values() == std::vector<double>{2 * 6});
}

TEST_CASE("a write to what an op saved is an error in backward") {
  const Tensor x = leaf({3, 4});
  const auto written = [&](const Tensor& y, const std::function<void()>& write) {
    write();
    backward(sum(y));
  };
  const auto to_x = [&] { x.mutable_data<float>()[0] = 7; };
  CHECK_THROWS_WITH(written(square(x), to_x), Contains("square") && Contains("f32 {2}") && Contains("written since"));
  CHECK_THROWS_WITH(written(square(x), [&] { x.copy_from(Tensor::zeros({2})); }), Contains("square"));
  CHECK_THROWS_WITH(written(mul(x, x), [&] { x.rows(0, 1).copy_from(Tensor::zeros({1})); }), Contains("mul"));
  const Tensor s = softmax(x), e = exp(x);  // these save their result
  CHECK_THROWS_WITH(written(s, [&] { s.mutable_data<float>()[1] = 1; }), Contains("softmax"));
  CHECK_THROWS_WITH(written(e, [&] { e.mark_written(); }), Contains("exp"));
  x.clear_grad();
  written(affine(x, 2, 0), to_x);  // saves nothing
  to_x();
  written(square(x), [] {});  // written before
  CHECK(x.grad().values() == std::vector<double>{16, 2});
}

TEST_CASE("checkpoint tells a write to a parameter that it will read again") {
  const Tensor x = leaf({3}), w = leaf({2}), unused = leaf({5});
  const auto f = [&](const Tensor& v) { return mul(v, w); };
  Tensor y = checkpoint(f, x);
  unused.mark_written();
  backward(y);
  CHECK(x.grad().item() == 2);
  y = checkpoint(f, x);
  w.mutable_data<float>()[0] = 7;
  CHECK_THROWS_WITH(backward(y), Contains("checkpoint: f32 {1}") && Contains("written since"));
}

TEST_CASE("what is recorded is there, and integers are constants") {
  const Tensor x = leaf({3});
  const auto none = [](const Tensor&, Needs) { return Grads(1); };
  CHECK_FALSE(record("my_op", {x}, Tensor::zeros({2}, DType::i64), none).requires_grad());
  CHECK_THROWS_WITH(record("my_op", {x}, Tensor{}, none), Contains("my_op") && Contains("absent"));
}

TEST_CASE("checkpoint tells a write to its input, and runs what writes elsewhere") {
  const Tensor x = leaf({3}), w = leaf({2}), count = Tensor::zeros({1});
  const Tensor kept = count.detach();
  const auto f = [&](const Tensor& v) {
    count.mutable_data<float>()[0] += 1;
    return mul(mul(v, w), affine(kept, 0, 1));
  };
  backward(checkpoint(f, square(x)));
  CHECK(x.grad().item() == 12);
  CHECK(w.grad().item() == 9);
  CHECK(count.item() == 2);
  const Tensor y = checkpoint(f, x);
  x.mark_written();
  CHECK_THROWS_WITH(backward(y), Contains("checkpoint") && Contains("written since"));
}

TEST_CASE("gradients that share memory are not summed into each other") {
  const Tensor a = leaf({1, 1}), b = leaf({1, 1});
  const auto both = [](const Tensor& p, const Tensor& q) {
    return record("both", {p, q}, add(p.detach(), q.detach()), [](const Tensor& g, Needs) { return Grads{g, g}; });
  };
  const Tensor seed = Tensor::full({2}, 1);
  backward(add(both(a, b), affine(a, 10, 0)), seed);  // a gets 1 + 10, and b stays 1
  CHECK(a.grad().values() == std::vector<double>{11, 11});
  CHECK(b.grad().values() == std::vector<double>{1, 1});
  CHECK(seed.values() == std::vector<double>{1, 1});
  a.clear_grad();
  backward(both(a, a), seed);
  CHECK(a.grad().values() == std::vector<double>{2, 2});
  backward(affine(a, 1, 0), seed);
  CHECK(a.grad().values() == std::vector<double>{3, 3});
  CHECK(seed.values() == std::vector<double>{1, 1});
}

TEST_CASE("an op may have several outputs") {
  // x^2, 3 x and an index; the gradient of an output that nothing depends on is absent.
  const auto powers = [](const Tensor& x, std::vector<bool>* got) {
    const std::vector<Tensor> outs = {square(x.detach()), affine(x.detach(), 3, 0), Tensor::zeros({1}, DType::i64)};
    return record("powers", {x}, outs, [x = x.detach(), got](const Grads& g, Needs) {
      if (got) *got = {bool(g[0]), bool(g[1]), bool(g[2])};
      Tensor sum = Tensor::zeros(x.shape(), x.dtype());
      if (g[0]) sum = add(sum, mul(affine(x, 2, 0), g[0]));
      if (g[1]) sum = add(sum, affine(g[1], 3, 0));
      return Grads{sum};
    });
  };
  std::vector<bool> got;
  const Tensor x = leaf({5, 1});
  const auto y = powers(x, &got);
  CHECK(y[1].requires_grad());
  CHECK_FALSE(y[2].requires_grad());
  backward(sum(mul(y[1], y[1])));
  CHECK(got == std::vector<bool>{false, true, false});
  CHECK(x.grad().values() == std::vector<double>{90, 18});
  CHECK_THROWS_WITH(backward(sum(y[0])), Contains("walked already"));
  x.clear_grad();
  const auto z = powers(x, &got);
  backward(sum(add(z[0], add(z[1], z[0]))));
  CHECK(got == std::vector<bool>{true, true, false});
  CHECK(x.grad().values() == std::vector<double>{23, 7});
  CHECK(gradient_error([&](const std::vector<Tensor>& in) { return mul(powers(in[0], nullptr)[0], powers(in[0], nullptr)[1]); },
                       {Tensor::from({0.3, -0.8}, {2})}) < 1e-6);
}

TEST_CASE("gradient_error finds a wrong gradient") {
  const auto f = [](double factor) {
    return [factor](const std::vector<Tensor>& in) {
      return record("my_square", {in[0]}, square(in[0].detach()), [x = in[0].detach(), factor](const Tensor& g, Needs) {
        return Grads{mul(g, affine(x, factor, 0))};
      });
    };
  };
  const Tensor x = Tensor::from({0.5, -2}, {2});
  CHECK(gradient_error(f(2), {x}) < 1e-6);
  CHECK(gradient_error(f(2.01), {x}) > 1e-3);
  CHECK(std::isnan(gradient_error([](const std::vector<Tensor>& in) { return in[0].detach(); }, {x})));
  Tensor frozen = Tensor::from({1, 1}, {2}), wanted = x.clone();
  wanted.require_grad();
  CHECK(gradient_error([](const std::vector<Tensor>& in) { return mul(in[0], in[1].detach()); }, {wanted, frozen}) < 1e-6);
  CHECK_FALSE(wanted.grad());
}

TEST_CASE("a backward may take what others have given to the gradient of its input, and gives it with its own") {
  const auto run = [](bool takes, bool leaf) {
    const Tensor x = Tensor::from({1, 2}, {2}).require_grad();
    x.set_grad(Tensor::full({2}, 100));
    const Tensor h = leaf ? x : square(x);
    std::vector<Tensor> taken;
    // The first reader of h: 10 of each element.
    const Tensor first = record("first", {h, Tensor::zeros({2})}, Tensor::zeros({}), [&taken, takes](const Tensor&, Needs) {
      if (takes)
        for (const size_t input : {0, 0, 1}) taken.push_back(take_given_gradient(input));
      const Tensor own = Tensor::full({2}, 10);
      return Grads{takes && taken[0] ? add(own, taken[0]) : own, Tensor{}};
    });
    backward(add(first, sum(mul(h, Tensor::full({2}, 3)))));
    CHECK(taken.size() == (takes ? 3 : 0));
    if (takes) {
      CHECK(bool(taken[0]) != leaf);
      CHECK((!taken[1] && !taken[2]));
      if (!leaf) CHECK(taken[0].values() == std::vector<double>{3, 3});
    }
    return x.grad().values();
  };
  for (const bool takes : {false, true}) {
    CHECK(run(takes, false) == std::vector<double>{126, 152});
    CHECK(run(takes, true) == std::vector<double>{113, 113});
  }
  CHECK_FALSE(take_given_gradient(0));  // of nothing, outside
}
