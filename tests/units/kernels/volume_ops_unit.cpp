// Arithmetic, reductions, pooling, interpolation and sampling against their definitions and against values known from PyTorch.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/autograd.h"
#include "core/device/isa.h"
#include "core/rng.h"
#include "kernels/avg_pool3d/avg_pool3d.h"
#include "kernels/binary/binary.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "kernels/matmul/matmul.h"
#include "kernels/max_pool3d/max_pool3d.h"
#include "kernels/reduce/reduce.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

using Values = std::vector<double>;

Tensor random_tensor(const Shape& s, uint64_t seed, DType t = DType::f32) {
  Rng rng(seed);
  Values v(static_cast<size_t>(s.count()));
  for (auto& x : v) x = rng.uniform(-1, 1);
  return Tensor::from(v, s, t);
}

// False where one is NaN.
bool close(const Tensor& a, const Tensor& b, double limit) {
  const Values u = a.values(), v = b.values();
  if (u.size() != v.size()) return false;
  for (size_t i = 0; i < u.size(); ++i)
    if (!(std::abs(u[i] - v[i]) <= limit)) return false;
  return true;
}
// A volume of one row.
Tensor line(const Values& v) { return Tensor::from(v, {1, 1, 1, int64_t(v.size()), 1}); }

// Every instruction set of this machine, the one in use restored at the end.
template <class F>
void on_each_isa(F&& f) {
  const Isa before = isa();
  for (Isa i : {Isa::baseline, Isa::avx2, Isa::avx512})
    if (i <= best_isa()) set_isa(i), f();
  set_isa(before);
}

}  // namespace

TEST_CASE("binary ops broadcast one element and channels") {
  const Tensor a = Tensor::from({1, 2, 3, 4, 5, 6}, {2, 3}), c = Tensor::from({1, 2, 4}, {3});
  CHECK((a + c).values() == Values{2, 4, 7, 5, 7, 10});
  CHECK((a - c).values() == Values{0, 0, -1, 3, 3, 2});
  CHECK((a * c).values() == Values{1, 4, 12, 4, 10, 24});
  CHECK((a / c).values() == Values{1, 1, 0.75, 4, 2.5, 1.5});
  CHECK(maximum(a, Tensor::scalar(3)).values() == Values{3, 3, 3, 4, 5, 6});
  CHECK(minimum(a, c).values() == Values{1, 2, 3, 1, 2, 4});
  CHECK((1 - a * 2 + 1).values() == Values{0, -2, -4, -6, -8, -10});
  CHECK((12 / a).values() == Values{12, 6, 4, 3, 2.4000000953674316, 2});
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Tensor& y : {maximum(Tensor::from({nan, 1}, {2}), Tensor::from({1, nan}, {2})),
                          minimum(Tensor::from({nan, 1}, {2}), Tensor::from({1, nan}, {2}))})
    CHECK((std::isnan(y.values()[0]) && std::isnan(y.values()[1])));
}

TEST_CASE("maximum shares the gradient of equal elements, max among all of them") {
  Tensor a = Tensor::from({1, 2, 3}, {3}), b = Tensor::from({2, 2, 2}, {3});
  a.require_grad(), b.require_grad();
  backward(maximum(a, b), Tensor::from({4, 4, 4}, {3}));
  CHECK(a.grad().values() == Values{0, 2, 4});
  CHECK(b.grad().values() == Values{4, 2, 0});
  Tensor x = Tensor::from({5, 1, 5, 5, 2, 2}, {2, 3});
  x.require_grad();
  backward(max(x, {0}), Tensor::from({6, 6, 6}, {3}));
  CHECK(x.grad().values() == Values{3, 0, 6, 3, 6, 0});
}

TEST_CASE("sums of millions of equal numbers lose nothing") {
  const int64_t n = (int64_t(1) << 23) + 7;
  const double exact = double(0.1f);
  const Tensor x = Tensor::full({n}, 0.1);
  // Blocks of 64 in f32: at most 64 roundings of 2^-24 relative; in truth they cancel to well below.
  CHECK(std::abs(sum(x).item() / (exact * double(n)) - 1) < 64 * 0x1p-24);
  CHECK(std::abs(mean(x.reshape({n, 1}), {0}).item() / exact - 1) < 64 * 0x1p-24);
}

TEST_CASE("reductions over sets of axes agree with their definition") {
  const Shape s = {2, 3, 4, 5, 3};
  const Tensor x = random_tensor(s, 1, DType::f64);
  const Values v = x.values();
  for (int bits = 0; bits < 32; ++bits) {
    std::vector<int> axes;
    Shape kept = s;
    for (int k = 0; k < 5; ++k)
      if (bits >> k & 1) axes.push_back(k), kept[k] = 1;
    Values sums(size_t(kept.count()), 0.0), largest(size_t(kept.count()), -2.0);
    for (int64_t i = 0; i < s.count(); ++i) {
      int64_t rest = i, to = 0, step = 1;
      for (int k = 4; k >= 0; --k) {
        if (kept[k] > 1) to += rest % s[k] * step, step *= s[k];
        rest /= s[k];
      }
      sums[size_t(to)] += v[size_t(i)], largest[size_t(to)] = std::max(largest[size_t(to)], v[size_t(i)]);
    }
    CHECK(close(sum(x, axes, {.keep = true}), Tensor::from(sums, kept, DType::f64), 1e-12));
    CHECK(sum(x, axes, {.keep = true}).shape() == kept);
    CHECK(max(x, axes).values() == largest);
  }
}

TEST_CASE("argmax_channels takes the first of equal channels and finds NaN") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK(argmax_channels(Tensor::from({1, 3, 3, 0, 0, 0, -1, nan, 5, nan, nan, 0}, {4, 3})).values() == Values{1, 0, 1, 0});
  const Tensor x = random_tensor({97, 45}, 3);
  const Values v = x.values(), y = argmax_channels(x).values();
  for (size_t r = 0; r < 97; ++r)
    CHECK(y[r] == double(std::max_element(v.begin() + long(r) * 45, v.begin() + long(r + 1) * 45) - (v.begin() + long(r) * 45)));
  CHECK(argmax_channels(Tensor::zeros({2, 257})).dtype() == DType::i32);
}

TEST_CASE("max_pool3d agrees with its definition on every instruction set") {
  const struct {
    Shape s;
    MaxPool3dOptions o;
  } uses[] = {{{2, 5, 6, 7, 3}, {.kernel = {3, 2, 3}, .stride = {2, 1, 3}, .padding = {1, 1, 0}, .ceil_mode = true}},
              {{1, 6, 5, 9, 37}, {.kernel = {2, 3, 2}, .stride = {1, 2, 2}, .padding = {1, 1, 1}, .dilation = {3, 1, 2}}}};
  for (const auto& [s, o] : uses) {
    Tensor x = random_tensor(s, 4);
    const Values v = x.values();
    x.require_grad();
    on_each_isa([&, &s = s, &o = o] {
      const Tensor y = max_pool3d(x, o);
      const Tensor gy = random_tensor(y.shape(), 5, DType::f32);
      const Values g = gy.values(), result = y.values();
      Values gx(v.size(), 0.0);
      bool right = true;
      int64_t i = 0;
      for (int64_t n = 0; n < s[0]; ++n)
        for (int64_t od = 0; od < y.dim(1); ++od)
          for (int64_t oh = 0; oh < y.dim(2); ++oh)
            for (int64_t ow = 0; ow < y.dim(3); ++ow)
              for (int64_t c = 0; c < s[4]; ++c, ++i) {
                int64_t winner = -1;
                for (int a = 0; a < o.kernel.d; ++a)
                  for (int b = 0; b < o.kernel.h; ++b)
                    for (int e = 0; e < o.kernel.w; ++e) {
                      const int64_t d = od * o.stride.d - o.padding.d + a * o.dilation.d,
                                    h = oh * o.stride.h - o.padding.h + b * o.dilation.h,
                                    w = ow * o.stride.w - o.padding.w + e * o.dilation.w;
                      if (d < 0 || h < 0 || w < 0 || d >= s[1] || h >= s[2] || w >= s[3]) continue;
                      const int64_t at = (((n * s[1] + d) * s[2] + h) * s[3] + w) * s[4] + c;
                      if (winner < 0 || v[size_t(at)] > v[size_t(winner)]) winner = at;
                    }
                right = right && winner >= 0 && result[size_t(i)] == v[size_t(winner)];
                if (winner >= 0) gx[size_t(winner)] += g[size_t(i)];
              }
      CHECK(right);
      x.clear_grad();
      backward(y, gy);
      CHECK(close(x.grad(), Tensor::from(gx, s), 1e-6));
    });
  }
}

TEST_CASE("max_pool3d: ties, NaN, empty windows and extents in ceil mode") {
  Tensor x = line({2, 2, 1, 1});
  x.require_grad();
  backward(max_pool3d(x, {.kernel = {1, 1, 2}}), line({5, 7}));
  CHECK(x.grad().values() == Values{5, 0, 7, 0});
  CHECK(std::isnan(max_pool3d(line({1, NAN, 3}), {.kernel = {1, 1, 3}}).item()));
  CHECK(max_pool3d(line({1}), {.kernel = {1, 1, 2}, .padding = {0, 0, 1}, .dilation = {1, 1, 2}}).item() == -INFINITY);
  // PyTorch: MaxPool(kernel 2, stride 3, ceil_mode) of 6 gives 2, not 3: the third window would start beyond the input.
  CHECK(max_pool3d(line({1, 2, 3, 4, 5, 6}), {.kernel = {1, 1, 2}, .stride = {1, 1, 3}, .ceil_mode = true}).values() == Values{2, 5});
  CHECK(max_pool3d(line({1, 2, 3, 4, 5}), {.kernel = {1, 1, 2}, .stride = {1, 1, 2}, .ceil_mode = true}).values() == Values{2, 4, 5});
  CHECK(adaptive_max_pool3d(line({1, 2, 3, 4, 5}), {1, 1, 3}).values() == Values{2, 4, 5});
}

TEST_CASE("avg_pool3d divides as PyTorch does") {
  const Tensor x = line({1, 2, 3, 4, 5});
  const AvgPool3dOptions base{.kernel = {1, 1, 3}, .stride = {1, 1, 2}, .padding = {0, 0, 1}};
  AvgPool3dOptions inside = base, ceil = base;
  inside.count_include_pad = false;
  CHECK(close(avg_pool3d(x, base), line({1, 3, 3}), 1e-6));
  CHECK(close(avg_pool3d(x, inside), line({1.5, 3, 4.5}), 1e-6));
  // The last window reaches beyond the padded input: only what is inside of that counts.
  ceil.padding = {0, 0, 0}, ceil.stride = {1, 1, 3}, ceil.ceil_mode = true;
  CHECK(close(avg_pool3d(x, ceil), line({2, 4.5}), 1e-6));
  CHECK(close(adaptive_avg_pool3d(x, {1, 1, 3}), line({1.5, 3, 4.5}), 1e-6));
  CHECK(close(adaptive_avg_pool3d(x, {1, 1, 1}), line({3}), 1e-6));
}

TEST_CASE("interpolate3d follows PyTorch's coordinates") {
  const Tensor x = line({1, 2, 4});
  CHECK(interpolate3d(x, {1, 1, 5}).values() == Values{1, 1, 2, 2, 4});
  CHECK(interpolate3d(x, {1, 1, 5}, {.mode = Interpolation::nearest_exact}).values() == Values{1, 1, 2, 4, 4});
  on_each_isa([&] {
    CHECK(close(interpolate3d(x, {1, 1, 6}, {.mode = Interpolation::trilinear}), line({1, 1.25, 1.75, 2.5, 3.5, 4}), 1e-6));
    CHECK(close(interpolate3d(x, {1, 1, 5}, {.mode = Interpolation::trilinear, .align_corners = true}), line({1, 1.5, 2, 3, 4}), 1e-6));
    CHECK(close(interpolate3d(line({1, 3, 5, 7, 9, 11}), {1, 1, 3}, {.mode = Interpolation::trilinear}), line({2, 6, 10}), 1e-6));
  });
}

TEST_CASE("trilinear interpolation is the product of its axes, on every instruction set") {
  for (int64_t c : {1, 2, 5, 32}) {
    const Tensor x = random_tensor({2, 5, 4, 6, c}, 6);
    const Values v = x.values();
    const Int3 size = {7, 8, 4};
    Values expected;
    const auto source = [](int64_t o, int64_t in, int64_t out) {
      return std::max(0.0, (double(o) + 0.5) * double(in) / double(out) - 0.5);
    };
    for (int64_t n = 0; n < 2; ++n)
      for (int64_t d = 0; d < size.d; ++d)
        for (int64_t h = 0; h < size.h; ++h)
          for (int64_t w = 0; w < size.w; ++w)
            for (int64_t k = 0; k < c; ++k) {
              const double at[3] = {source(d, 5, size.d), source(h, 4, size.h), source(w, 6, size.w)};
              double sum = 0;
              for (int64_t i = 0; i < 5; ++i)
                for (int64_t j = 0; j < 4; ++j)
                  for (int64_t l = 0; l < 6; ++l) {
                    const double extent[3] = {4, 3, 5}, voxel[3] = {double(i), double(j), double(l)};
                    double weight = 1;
                    for (int a = 0; a < 3; ++a) weight *= std::max(0.0, 1 - std::abs(std::min(at[a], extent[a]) - voxel[a]));
                    sum += weight * v[size_t((((n * 5 + i) * 4 + j) * 6 + l) * c + k)];
                  }
              expected.push_back(sum);
            }
    on_each_isa([&] {
      CHECK(close(interpolate3d(x, size, {.mode = Interpolation::trilinear}), Tensor::from(expected, {2, 7, 8, 4, c}), 1e-6));
    });
  }
}

TEST_CASE("matmul and linear agree with sums in f64, on every instruction set") {
  const Tensor a = random_tensor({70, 150}, 7), b = random_tensor({150, 33}, 8);
  const Tensor truth = matmul(a.to(DType::f64), b.to(DType::f64));
  const Values u = a.values(), v = b.values(), t = truth.values();
  double sum = 0;
  for (size_t k = 0; k < 150; ++k) sum += u[5 * 150 + k] * v[k * 33 + 7];
  CHECK(std::abs(t[5 * 33 + 7] - sum) < 1e-12);
  on_each_isa([&] {
    CHECK(close(matmul(a, b), truth, 1e-5));
    CHECK(close(linear(Tensor::from({1, 2, 3, 4}, {2, 2}), Tensor::from({1, 0, 1, 1, 0, 2}, {3, 2}), Tensor::from({10, 20, 30}, {3})),
                Tensor::from({11, 23, 34, 13, 27, 38}, {2, 3}), 1e-6));
  });
}
