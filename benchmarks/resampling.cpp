// Volumes resampled with cubic B-splines, as preprocessing does it: benchmarks/resample_volume compares with SciPy.
#include <cmath>

#include "benchmarks/bench.h"
#include "core/device/parallel.h"
#include "data/resample/resample_nnunet.h"

namespace voxgrad::bench {
namespace {

constexpr int64_t kProbes = 4096;  // values of the result that a peer is compared with

// sin(0.21 d + 0.13 h) cos(0.17 w) + 0.5 sin(0.05 d h / n) + noise of up to 0.25 that takes up to 1021 values: a peer makes the same.
Tensor volume(int n) {
  const Tensor x = Tensor::empty({n, n, n, 1});
  float* values = x.mutable_data<float>().data();
  parallel_for(int64_t(n) * n, 64, [&](int64_t row) {
    const double d = double(row / n), h = double(row % n), of_row = std::sin(0.21 * d + 0.13 * h), slow = 0.5 * std::sin(0.05 * d * h / n);
    for (int w = 0; w < n; ++w) {
      const int64_t i = row * n + w;
      values[i] = float(of_row * std::cos(0.17 * w) + slow + 0.25 * double(i * 7919 % 1021) / 1021);
    }
  });
  return x;
}

Job resampling_job(int from, int to) {
  const Tensor x = volume(from);
  const Int3 size{to, to, to};
  const auto run = [x, size] { return resample_nnunet(x, size, {.order = 3}); };
  return {.contenders = {{"voxgrad", [run] { run(); }}},
          .bytes = double(x.bytes()) + double(size.d) * size.h * size.w * 4,
          .facts = [run] {
            const Tensor y = run();
            const int64_t step = std::max<int64_t>(1, y.count() / kProbes);
            Json probes = Json::array();
            for (int64_t i = 0; i < y.count(); i += step) probes.push_back(y.data<float>()[size_t(i)]);
            return Json{{"probe_step", step}, {"probes", probes}};
          }};
}

}  // namespace

void add_resampling_cases(const Sizes& sizes, std::vector<Case>& cases) {
  for (const int to : {128, 300, 333}) {
    const int from = sizes.extent(256), extent = sizes.extent(to);
    cases.push_back({.group = "resampling",
                     .name = "256^3 to " + std::to_string(to) + "^3, order 3",
                     .work = {{"op", "spline_resampling"}, {"from", from}, {"to", extent}},
                     .dtypes = {DType::f32},
                     .prepare = [from, extent](const Setting&) { return resampling_job(from, extent); },
                     .of_cpu = true});
  }
}

}  // namespace voxgrad::bench
