#include "kernels/reduce/reduce.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/autograd.h"
#include "kernels/statistics/statistics.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("equal extremes of a run share its gradient, whatever the shape of the run") {
  struct Case {
    Shape shape;  // {outer, reduced, inner}
    DType dtype;
  };
  for (const Case& c : {Case{{90, 5, 1}, DType::f32}, Case{{70, 64, 1}, DType::f32}, Case{{3, 400, 1}, DType::bf16},
                        Case{{2, 7, 1100}, DType::f32}, Case{{2, 301, 3}, DType::bf16}, Case{{1, 30000, 3}, DType::f32},
                        Case{{70000, 1, 1}, DType::f32}, Case{{2, 3, 5000}, DType::f16}}) {
    const int64_t outer = c.shape[0], reduced = c.shape[1], inner = c.shape[2];
    CAPTURE(outer, reduced, inner);
    std::vector<double> x(size_t(c.shape.count())), seeds(size_t(outer * inner));
    for (size_t i = 0; i < x.size(); ++i) x[i] = double(i * 2654435761u >> 7 & 3u);
    x[size_t((reduced - 1) * inner)] = std::numeric_limits<double>::quiet_NaN();
    for (size_t i = 0; i < seeds.size(); ++i) seeds[i] = double(i % 5) - 2;
    const Tensor leaf = Tensor::from(x, c.shape, c.dtype);
    Tensor wanted = leaf;
    wanted.require_grad();
    const Tensor y = max(wanted, {1});
    backward(y, Tensor::from(seeds, y.shape(), c.dtype));
    const std::vector<double> gx = wanted.grad().values();
    bool right = true;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t j = 0; j < inner; ++j) {
        double best = -1;
        int64_t count = 0;
        for (int64_t r = 0; r < reduced; ++r) {
          const double v = x[size_t((o * reduced + r) * inner + j)];
          if (v != v ? best == best : v > best) best = v, count = 0;
          count += v == best || (v != v && best != best);
        }
        for (int64_t r = 0; r < reduced; ++r) {
          const double v = x[size_t((o * reduced + r) * inner + j)];
          const double share = v == best || (v != v && best != best) ? seeds[size_t(o * inner + j)] / double(count) : 0;
          const double limit = c.dtype == DType::f32 ? 1e-6 : 0.01;
          right = right && std::fabs(gx[size_t((o * reduced + r) * inner + j)] - share) <= limit;
        }
      }
    CHECK(right);
  }
}

TEST_CASE("runs of few columns have the sum, product, norm and extremes of all their rows, whatever number is side by side as lanes") {
  for (const Shape& s : {Shape{40, 65, 1}, Shape{9, 131, 1}, Shape{3, 5000, 1}, Shape{1, 40001, 1}, Shape{30, 67, 2}, Shape{5, 333, 3},
                         Shape{2, 9001, 5}, Shape{3, 70, 31}, Shape{2, 130, 33}, Shape{3, 19, 7}, Shape{2, 700, 63}}) {
    const int64_t outer = s[0], reduced = s[1], inner = s[2];
    CAPTURE(outer, reduced, inner);
    std::vector<double> x(size_t(s.count()));
    for (size_t i = 0; i < x.size(); ++i) x[i] = double(i * 2654435761u >> 9 & 255u) / 256 - 0.5;
    // In one run each the largest, the smallest and a NaN are in the last row.
    const auto last = [&](int64_t o, int64_t j) { return size_t((o * reduced + reduced - 1) * inner + j); };
    x[last(0, inner - 1)] = 2, x[last(outer - 1, 0)] = outer * inner > 1 ? -2 : 2;
    const Tensor leaf = Tensor::from(x, s);
    const std::vector<double> total = sum(leaf, {1}).values(), most = max(leaf, {1}).values(), least = min(leaf, {1}).values(),
                              length = vector_norm(leaf, {1}).values(), spread = var(leaf, {1}).values();
    std::vector<double> near_one = x;
    for (double& v : near_one) v = 1 + v / 64;
    const std::vector<double> product = prod(Tensor::from(near_one, s, DType::f64), {1}).values();
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t j = 0; j < inner; ++j) {
        double all = 0, squares = 0, times = 1, high = -9, low = 9, apart = 0;
        const auto at = [&](int64_t r) { return x[size_t((o * reduced + r) * inner + j)]; };
        for (int64_t r = 0; r < reduced; ++r) {
          all += at(r), squares += at(r) * at(r), times *= 1 + at(r) / 64;
          high = std::max(high, at(r)), low = std::min(low, at(r));
        }
        for (int64_t r = 0; r < reduced; ++r) apart += (at(r) - all / double(reduced)) * (at(r) - all / double(reduced));
        const size_t k = size_t(o * inner + j);
        CHECK(most[k] == high);
        CHECK(least[k] == low);
        CHECK(total[k] == Approx(all).margin(1e-4));
        CHECK(length[k] == Approx(std::sqrt(squares)).epsilon(1e-6));
        CHECK(spread[k] == Approx(apart / double(reduced - 1)).epsilon(1e-5));
        CHECK(product[k] == Approx(times).epsilon(1e-11));
      }
    std::vector<double> with_nan = x;
    with_nan[last(outer - 1, 0)] = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> extreme = max(Tensor::from(with_nan, s), {1}).values();
    CHECK(std::isnan(extreme[size_t((outer - 1) * inner)]));
  }
}
