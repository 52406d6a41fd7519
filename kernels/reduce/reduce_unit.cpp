#include "kernels/reduce/reduce.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/autograd.h"
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
