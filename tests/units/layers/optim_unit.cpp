#include <cmath>

#include "core/autograd.h"
#include "core/device/parallel.h"
#include "core/rng.h"
#include "optim/adamw.h"
#include "optim/schedule.h"
#include "optim/sgd.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

std::vector<double> numbers(int64_t n, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> v(static_cast<size_t>(n));
  for (auto& x : v) x = rng.uniform(-1, 1);
  return v;
}
Parameter parameter(const char* name, const Shape& s, uint64_t seed, DType t = DType::f64) {
  Parameter p{name, Tensor::from(numbers(s.count(), seed), s, t)};
  p.tensor.require_grad();
  return p;
}
void set_gradient(const Parameter& p, uint64_t seed) {
  p.tensor.set_grad(Tensor::from(numbers(p.tensor.count(), seed), p.tensor.shape(), p.tensor.dtype()));
}

double difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::abs(a[i] - b[i]) <= worst ? worst : std::abs(a[i] - b[i]);
  return worst;
}

// n steps of an optimizer on parameters of the given seeds.
template <class Optimizer>
void run(Optimizer& optimizer, const std::vector<Parameter>& ps, int from, int to) {
  for (int step = from; step < to; ++step) {
    for (size_t i = 0; i < ps.size(); ++i) set_gradient(ps[i], uint64_t(100 * step) + i);
    optimizer.step();
    for (auto& p : ps) CHECK_FALSE(p.tensor.grad());
  }
}

}  // namespace

TEST_CASE("SGD follows its formula, with and without nesterov and momentum") {
  for (bool nesterov : {false, true})
    for (double momentum : {0.0, 0.9}) {
      const Parameter p = parameter("p", {7, 5}, 1);
      Sgd sgd({p}, {.learning_rate = 0.1, .momentum = momentum, .weight_decay = 0.01, .nesterov = nesterov});
      std::vector<double> w = p.tensor.values(), v(w.size(), 0);
      for (int step = 0; step < 4; ++step) {
        const std::vector<double> g = numbers(35, uint64_t(100 * step));
        for (size_t i = 0; i < w.size(); ++i) {
          const double gi = g[i] + 0.01 * w[i];
          v[i] = momentum * v[i] + gi;
          w[i] -= 0.1 * (nesterov && momentum > 0 ? gi + momentum * v[i] : v[i]);
        }
      }
      run(sgd, {p}, 0, 4);
      CHECK(difference(p.tensor.values(), w) < 1e-14);
    }
}

TEST_CASE("AdamW follows its formula") {
  for (bool amsgrad : {false, true}) {
    const Parameter p = parameter("p", {11}, 1);
    AdamW adam({p}, {.learning_rate = 0.05, .beta1 = 0.8, .beta2 = 0.9, .eps = 1e-3, .weight_decay = 0.1, .amsgrad = amsgrad});
    std::vector<double> w = p.tensor.values(), m(11, 0), v(11, 0), largest(11, 0);
    for (int t = 1; t <= 5; ++t) {
      const std::vector<double> g = numbers(11, uint64_t(100 * (t - 1)));
      for (size_t i = 0; i < 11; ++i) {
        w[i] *= 1 - 0.05 * 0.1;
        m[i] = 0.8 * m[i] + 0.2 * g[i];
        v[i] = 0.9 * v[i] + 0.1 * g[i] * g[i];
        largest[i] = std::max(largest[i], v[i]);
        const double u = amsgrad ? largest[i] : v[i];
        w[i] -= 0.05 * m[i] / (1 - std::pow(0.8, t)) / (std::sqrt(u / (1 - std::pow(0.9, t))) + 1e-3);
      }
    }
    run(adam, {p}, 0, 5);
    CHECK(difference(p.tensor.values(), w) < 1e-13);
  }
}

TEST_CASE("a parameter without a gradient keeps its state, and the others theirs") {
  const auto moved = [](bool with_unused) {
    const Parameter unused = parameter("unused", {4}, 9), w = parameter("w", {4}, 1), v = parameter("v", {4}, 2);
    std::vector<Parameter> all = {w, v};
    if (with_unused) all.insert(all.begin() + 1, unused);
    Sgd sgd(all, {.learning_rate = 0.1, .momentum = 0.9});
    AdamW adam(all, {.learning_rate = 0.1});
    for (int step = 0; step < 3; ++step)
      for (Optimizer* o : {static_cast<Optimizer*>(&sgd), static_cast<Optimizer*>(&adam)}) {
        if (step == 1 && with_unused) set_gradient(unused, 77);
        set_gradient(w, uint64_t(step)), set_gradient(v, uint64_t(10 + step));
        o->step();
      }
    return std::pair{w.tensor.values(), v.tensor.values()};
  };
  CHECK(moved(true) == moved(false));
}

TEST_CASE("the first step of AdamW moves by the learning rate against the sign of the gradient") {
  // m / (1 - beta1) = g and sqrt(v / (1 - beta2)) = |g|; a known result that does not come from this formula's text.
  const Parameter p = parameter("p", {5}, 1, DType::f32);
  const std::vector<double> before = p.tensor.values(), g = numbers(5, 0);
  AdamW adam({p}, {.learning_rate = 0.01, .weight_decay = 0});
  run(adam, {p}, 0, 1);
  for (size_t i = 0; i < 5; ++i) CHECK(std::abs(p.tensor.values()[i] - (before[i] - (g[i] > 0 ? 0.01 : -0.01))) < 1e-6);
}

TEST_CASE("groups scale the learning rate and replace the weight decay") {
  const Parameter w = parameter("w", {3, 4}, 1), b = parameter("b", {4}, 2), frozen_out = parameter("unused", {2}, 3);
  auto groups = without_decay_on_vectors({w, b, frozen_out});
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].parameters.size() == 1);
  groups[1].learning_rate_scale = 0.5;
  Sgd sgd(groups, {.learning_rate = 0.1, .momentum = 0, .weight_decay = 0.2});
  const auto w0 = w.tensor.values(), b0 = b.tensor.values(), u0 = frozen_out.tensor.values();
  set_gradient(w, 0), set_gradient(b, 1);
  sgd.step();
  const auto gw = numbers(12, 0), gb = numbers(4, 1);
  for (size_t i = 0; i < 12; ++i) CHECK(std::abs(w.tensor.values()[i] - (w0[i] - 0.1 * (gw[i] + 0.2 * w0[i]))) < 1e-15);
  for (size_t i = 0; i < 4; ++i) CHECK(std::abs(b.tensor.values()[i] - (b0[i] - 0.05 * gb[i])) < 1e-15);
  CHECK(frozen_out.tensor.values() == u0);  // it had no gradient
}

TEST_CASE("an optimizer that was saved and loaded goes on with the same bits") {
  const auto check_resume = [](auto make) {
    const auto make_parameters = [] {
      return std::vector<Parameter>{parameter("a", {40, 50}, 1, DType::f32), parameter("b", {50}, 2, DType::f32)};
    };
    const auto whole = make_parameters(), before = make_parameters(), after = make_parameters();
    auto straight = make(whole), first = make(before), second = make(after);
    run(straight, whole, 0, 6);
    run(first, before, 0, 3);
    for (size_t i = 0; i < before.size(); ++i) after[i].tensor.copy_from(before[i].tensor);
    std::vector<Parameter> saved;
    for (auto& p : first.state()) saved.push_back({p.name, p.tensor.clone()});
    second.load_state(saved);
    run(second, after, 3, 6);
    for (size_t i = 0; i < whole.size(); ++i) CHECK(whole[i].tensor.values() == after[i].tensor.values());
    saved.back().name = "other";
    CHECK_THROWS_WITH(second.load_state(saved), Catch::Matchers::Contains("has no \"b."));
    saved.pop_back();
    CHECK_THROWS_AS(second.load_state(saved), Error);
  };
  check_resume([](const std::vector<Parameter>& p) { return Sgd(p); });
  check_resume([](const std::vector<Parameter>& p) { return AdamW(p, {.amsgrad = true}); });
}

TEST_CASE("optimizers and norms do not depend on the number of threads") {
  std::vector<double> first;
  for (int count : {1, 2, 3}) {
    set_threads(count);
    const Parameter p = parameter("p", {123457}, 1, DType::f32);
    AdamW adam({p});
    set_gradient(p, 5);
    std::vector<double> now = {clip_grad_norm({p}, 1.0)};
    adam.step();
    for (double v : p.tensor.values()) now.push_back(v);
    if (first.empty()) first = now;
    CHECK(now == first);
  }
  set_threads(2);
}

TEST_CASE("clipping scales all gradients by one factor, also those that share memory") {
  const Parameter a = parameter("a", {3}, 1, DType::f32), b = parameter("b", {3}, 2, DType::f32);
  const Tensor g = Tensor::from({3, 0, 4}, {3});
  a.tensor.set_grad(g), b.tensor.set_grad(g);
  CHECK(std::abs(clip_grad_norm({a, b}, 100) - std::sqrt(50)) < 1e-12);
  CHECK(a.tensor.grad().values() == std::vector<double>{3, 0, 4});  // below the limit nothing changes
  CHECK(std::abs(clip_grad_norm({a, b}, 0.5) - std::sqrt(50)) < 1e-12);
  for (auto& p : {a, b}) CHECK(std::abs(p.tensor.grad().values()[2] - 4 * 0.5 / std::sqrt(50)) < 1e-7);
  CHECK(std::abs(gradient_norm({a, b}) - 0.5) < 1e-7);
  CHECK(g.values() == std::vector<double>{3, 0, 4});
}

TEST_CASE("gradients that the norm saw are looked at again where they were written since") {
  const Parameter a = parameter("first", {3}, 1, DType::f32), b = parameter("second", {3}, 2, DType::f32);
  Sgd sgd({a, b});
  const auto fails = Catch::Matchers::Contains("second");
  const auto seen = [&] {
    set_gradient(a, 3), set_gradient(b, 4);
    for (auto& p : {a, b}) CHECK_FALSE(p.tensor.grad().is_known_finite());
    clip_grad_norm({a, b}, 1);
    for (auto& p : {a, b}) CHECK(p.tensor.grad().is_known_finite());
  };
  seen();
  CHECK_NOTHROW(sgd.step());
  const auto before = a.tensor.values();
  seen();
  b.tensor.grad().mutable_data<float>()[1] = NAN;
  CHECK_THROWS_WITH(sgd.step(), fails);
  seen();
  b.tensor.grad().copy_from(Tensor::full({3}, double(INFINITY)));
  CHECK_THROWS_WITH(sgd.step(), fails);
  seen();
  b.tensor.set_grad(Tensor::full({3}, double(NAN)));
  CHECK_THROWS_WITH(sgd.step(), fails);
  seen();
  backward(sum(b.tensor * double(INFINITY)));  // added to what is there
  CHECK_THROWS_WITH(sgd.step(), fails);
  CHECK(a.tensor.values() == before);
  // Part of a memory says nothing of the whole of it.
  const Tensor whole = Tensor::from({1, 2, double(NAN)}, {3});
  whole.rows(0, 2).note_finite();
  CHECK_FALSE(whole.is_known_finite());
  CHECK_FALSE(Tensor{}.is_known_finite());
}

TEST_CASE("a gradient that is not finite is reported by name, and nothing has moved") {
  for (double bad : {double(NAN), double(INFINITY)})
    for (DType t : {DType::f32, DType::f64}) {
      const Parameter a = parameter("fine", {3}, 1, t), b = parameter("encoder.0.weight", {3}, 2, t);
      Sgd sgd({a, b});
      set_gradient(a, 3);
      b.tensor.set_grad(Tensor::from({0, bad, 0}, {3}, t));
      const auto before = a.tensor.values();
      CHECK_THROWS_WITH(clip_grad_norm({a, b}, 1), Catch::Matchers::Contains("encoder.0.weight"));
      CHECK_THROWS_WITH(sgd.step(), Catch::Matchers::Contains("encoder.0.weight"));
      CHECK(a.tensor.values() == before);
    }
}

TEST_CASE("bad options and parameters are refused") {
  const Parameter p = parameter("p", {3}, 1);
  CHECK_THROWS_WITH(Sgd({p, p}), Catch::Matchers::Contains("two parameters are named \"p\""));
  CHECK_THROWS_WITH(Sgd({p}, {.momentum = 1}), Catch::Matchers::Contains("momentum 1"));
  CHECK_THROWS_WITH(AdamW({{"q", Tensor::zeros({2})}}), Catch::Matchers::Contains("\"q\" requires no gradient"));
  CHECK_THROWS_AS(clip_grad_norm({p}, 0), Error);
  CHECK_THROWS_AS(Sgd(std::vector<Parameter>{}), Error);
}

TEST_CASE("schedules") {
  CHECK(poly_lr({.base = 0.01, .total = 1000}, 0) == 0.01);
  CHECK(std::abs(poly_lr({.base = 0.01, .total = 1000}, 500) - 0.01 * std::pow(0.5, 0.9)) < 1e-17);
  CHECK(poly_lr({.base = 0.01, .total = 1000}, 1000) == 0);
  CHECK(std::abs(cosine_lr({.base = 1, .total = 10}, 5, 0.5) - 0.75) < 1e-15);
  CHECK(std::abs(cosine_lr({.base = 1, .total = 10}, 99, 0.5) - 0.5) < 1e-15);
  CHECK(warm_up(0, 4) == 0.25);
  CHECK(warm_up(3, 4) == 1);
  CHECK(warm_up(0, 0) == 1);
}
