// Convolutions by Winograd's F(2, 3) along H on the tensor cores, a trial: the sums of mma, and how much more they are rounded.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/autograd.h"
#include "core/cuda/launch_log.h"
#include "core/cuda/runtime.h"
#include "core/rng.h"
#include "kernels/conv3d/conv3d.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

const Device kDevice{0};

Tensor numbers(const Shape& s, uint64_t seed) {
  Rng rng(seed);
  std::vector<double> v(size_t(s.count()));
  for (double& x : v) x = rng.normal();
  return Tensor::from(v, s);
}

struct Results {
  std::vector<double> y, x;
  bool operator==(const Results&) const = default;
};

// y and the gradient of x by a way; `kernels`: how many of Winograd's were launched.
Results by_way(const char* way, const Tensor& x, const Tensor& w, const Tensor& gy, int64_t& kernels) {
  setenv("VOXGRAD_CONV_CUDA", way, 1);
  const cuda::LaunchLog log;
  const Tensor in = x.to(kDevice).require_grad(), bias = Tensor::full({w.dim(0)}, 1, DType::f32, kDevice);
  const Tensor y = conv3d(in, w.to(kDevice), bias, {.padding = {1, 1, 1}});
  backward(y, gy.to(kDevice));
  const Results r{y.values(), in.grad().values()};
  unsetenv("VOXGRAD_CONV_CUDA");
  kernels = std::count_if(log.launches.begin(), log.launches.end(),
                          [](const cuda::Launched& l) { return l.kernel.find("conv3d_winograd_mma") != l.kernel.npos; });
  return r;
}

// Root mean square of a - b over that of b.
double error_of(const std::vector<double>& a, const std::vector<double>& b) {
  double error = 0, all = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    error += (a[i] - b[i]) * (a[i] - b[i]);
    all += b[i] * b[i];
  }
  return std::sqrt(error / all);
}

bool has_device() {
  if (cuda::device_count() > 0) return true;
  WARN("skipped: this machine has 0 CUDA devices");
  return false;
}

}  // namespace

TEST_CASE("convolutions by Winograd along H: the sums of mma, of whole numbers, to the last bit") {
  if (!has_device()) return;
  struct Layer {
    Shape x;
    int64_t outputs;
  };
  // Blocks of 64 and 128 channels, one chunk of inputs to four, and remainders along every axis and of both channels.
  const Layer layers[] = {
      {{1, 2, 8, 8, 32}, 64}, {{2, 3, 9, 5, 40}, 72}, {{1, 5, 7, 3, 104}, 40}, {{1, 2, 3, 9, 72}, 136}, {{1, 1, 2, 8, 96}, 200}};
  for (const Layer& l : layers)
    for (const DType t : {DType::bf16, DType::f16}) {
      if (t == DType::f16 && (l.outputs == 72 || l.outputs == 200)) continue;
      const Tensor x = whole_noise(l.x, 1).to(t), w = whole_noise({l.outputs, 3, 3, 3, l.x[4]}, 2);
      const Tensor gy = whole_noise({l.x[0], l.x[1], l.x[2], l.x[3], l.outputs}, 3).to(t);
      int64_t none, some, again;
      const Results wanted = by_way("mma", x, w, gy, none), got = by_way("winograd", x, w, gy, some);
      CAPTURE(l.x, l.outputs, name_of(t));
      CHECK(none == 0);
      CHECK(some == 1 + (l.x[4] > 32));  // to up to 32 channels it has no kernel
      CHECK(got.y == wanted.y);
      CHECK(got.x == wanted.x);
      if (t == DType::bf16) CHECK(by_way("winograd", x, w, gy, again) == got);
    }
}

TEST_CASE("convolutions by Winograd along H: rounding of the transforms is less than twice that of the products") {
  if (!has_device()) return;
  for (const int64_t channels : {64, 320})
    for (const DType t : {DType::bf16, DType::f16}) {
      if (t == DType::f16 && channels > 64) continue;
      const Shape written{1, 2, 8, 8, 40};
      const Tensor x = numbers({1, 2, 8, 8, channels}, 1).to(t), w = numbers({40, 3, 3, 3, channels}, 2);
      const Tensor gy = numbers(written, 3).to(t);
      int64_t some;
      const Results direct = by_way("mma", x, w, gy, some), got = by_way("winograd", x, w, gy, some);
      REQUIRE(some == 2);
      const Tensor truth_of = x.to(DType::f32).require_grad();
      const Tensor truth = conv3d(truth_of, w, Tensor::full({40}, 1), {.padding = {1, 1, 1}});
      backward(truth, gy.to(DType::f32));
      const std::vector<double> y = truth.values(), gx = truth_of.grad().values();
      const double of_y = error_of(got.y, y), of_x = error_of(got.x, gx);
      CAPTURE(channels, name_of(t), of_y, error_of(direct.y, y), of_x, error_of(direct.x, gx));
      CHECK(of_y < (t == DType::bf16 ? 0.004 : 0.0005));
      CHECK(of_y < 1.6 * error_of(direct.y, y));
      CHECK(of_x < 1.6 * error_of(direct.x, gx));
    }
}
