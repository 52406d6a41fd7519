// Convolutions of shapes drawn at random, by every instruction set, against sums of products taken one by one.
#include <cmath>
#include <initializer_list>

#include "core/autograd.h"
#include "core/device/isa.h"
#include "core/rng.h"
#include "kernels/conv3d/conv3d.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

struct Drawn {
  Shape x, w, y;
  Conv3dOptions options;
};

int one_of(Rng& rng, std::initializer_list<int> of) { return of.begin()[rng.below(int64_t(of.size()))]; }
Int3 three_of(Rng& rng, std::initializer_list<int> of) { return {one_of(rng, of), one_of(rng, of), one_of(rng, of)}; }

// Without outputs where the kernel does not fit.
Drawn drawn(Rng& rng) {
  Drawn d;
  const int groups = one_of(rng, {1, 1, 2, 2, 3, 4, 5, 6, 8, 16}), inputs = one_of(rng, {1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 17, 24, 32}),
            outputs = one_of(rng, {1, 1, 2, 3, 4, 5, 6, 8, 10, 16, 20, 32});
  const Int3 kernel = three_of(rng, {1, 2, 3, 3, 5}), extent = three_of(rng, {1, 3, 4, 6, 9, 17});
  d.options = {.stride = three_of(rng, {1, 1, 2, 3}), .dilation = three_of(rng, {1, 1, 1, 2, 3}), .groups = groups};
  for (int a = 0; a < 3; ++a) d.options.padding[a] = int(rng.below(kernel[a]));
  d.x = {one_of(rng, {1, 1, 2}), extent.d, extent.h, extent.w, groups * inputs};
  d.w = {groups * outputs, kernel.d, kernel.h, kernel.w, inputs};
  d.y = {d.x[0], 0, 0, 0, groups * outputs};
  for (int a = 0; a < 3; ++a) {
    const int free = extent[a] + 2 * d.options.padding[a] - d.options.dilation[a] * (kernel[a] - 1) - 1;
    d.y[a + 1] = free < 0 ? 0 : free / d.options.stride[a] + 1;
  }
  return d;
}

// Eighths, whose products and sums are exact in f32: results of direct sums are equal, those by Winograd nearly so.
Tensor eighths(const Shape& s, Rng& rng) {
  Tensor t = Tensor::empty(s);
  for (float& v : t.mutable_data<float>()) v = float(rng.below(15) - 7) / 8;
  return t;
}

struct Sums {
  std::vector<double> y, gx, gw;
};
Sums sums_of(const Drawn& d, const std::vector<double>& x, const std::vector<double>& w, const std::vector<double>& gy) {
  Sums s{std::vector<double>(gy.size()), std::vector<double>(x.size()), std::vector<double>(w.size())};
  const Conv3dOptions& o = d.options;
  const int64_t inputs = d.w[4], each = d.w[0] / o.groups;
  for (int64_t i = 0; i < d.y.count() / d.y[4]; ++i) {
    const int64_t j[3] = {i / d.y[3] / d.y[2] % d.y[1], i / d.y[3] % d.y[2], i % d.y[3]}, n = i / d.y[3] / d.y[2] / d.y[1];
    for (int64_t tap = 0; tap < d.w[1] * d.w[2] * d.w[3]; ++tap) {
      const int64_t t[3] = {tap / d.w[3] / d.w[2], tap / d.w[3] % d.w[2], tap % d.w[3]};
      int64_t voxel = n;
      for (int a = 0; a < 3 && voxel >= 0; ++a) {
        const int64_t at = j[a] * o.stride[a] - o.padding[a] + t[a] * o.dilation[a];
        voxel = at >= 0 && at < d.x[a + 1] ? voxel * d.x[a + 1] + at : -1;
      }
      if (voxel < 0) continue;
      for (int64_t k = 0; k < d.w[0]; ++k) {
        const size_t from = size_t(voxel * d.x[4] + k / each * inputs), weight = size_t((k * d.w[1] * d.w[2] * d.w[3] + tap) * inputs);
        const size_t to = size_t(i * d.w[0] + k);
        for (size_t c = 0; c < size_t(inputs); ++c) {
          s.y[to] += x[from + c] * w[weight + c];
          s.gx[from + c] += gy[to] * w[weight + c];
          s.gw[weight + c] += gy[to] * x[from + c];
        }
      }
    }
  }
  return s;
}

bool near(const Tensor& got, const std::vector<double>& wanted) {
  const std::vector<double> v = got.values();
  double most = 1, error = 0;
  for (size_t i = 0; i < v.size(); ++i) {
    most = std::fmax(most, std::abs(wanted[i]));
    if (const double e = std::abs(v[i] - wanted[i]); !(e <= error)) error = e;
  }
  return error <= 3e-5 * most;
}

}  // namespace

TEST_CASE("convolutions of shapes at random are sums of products, and so are their gradients", "[long]") {
  Rng rng(26);
  const Isa before = isa();
  for (int i = 0, run = 0; run < 400; ++i) {
    const Drawn d = drawn(rng);
    if (d.y.count() == 0 || double(d.y.count()) * double(d.w.count() / d.w[0]) > 1e6) continue;
    ++run;
    const Tensor x = eighths(d.x, rng), w = eighths(d.w, rng), gy = eighths(d.y, rng);
    const Sums wanted = sums_of(d, x.values(), w.values(), gy.values());
    for (const Isa set : {Isa::baseline, Isa::avx2, Isa::avx512, Isa::avx512_bf16}) {
      if (set > best_isa()) continue;
      set_isa(set);
      const Tensor a = x.clone().require_grad(), b = w.clone().require_grad(), y = conv3d(a, b, {}, d.options);
      backward(y, gy);
      CAPTURE(name_of(set), d.x, d.w, d.options.groups, d.options.stride, d.options.padding, d.options.dilation);
      CHECK(near(y, wanted.y));
      CHECK(near(a.grad(), wanted.gx));
      CHECK(near(b.grad(), wanted.gw));
    }
  }
  set_isa(before);
}
