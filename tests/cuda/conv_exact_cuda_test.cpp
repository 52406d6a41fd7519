// Convolutions of f32 on tensor cores without the loss of tf32, while an ExactF32 is alive.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "core/autograd.h"
#include "core/device/exact_f32.h"
#include "core/rng.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

Tensor random_between(const Shape& s, uint64_t seed, double low, double high) {
  Rng rng(seed);
  std::vector<double> v(size_t(s.count()));
  for (double& x : v) x = rng.uniform(low, high);
  return Tensor::from(v, s);
}

// max |a - b| / max |b|.
double error_of(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = a.values(), y = b.values();
  double error = 0, largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double e = std::abs(x[i] - y[i]);
    error = e > error || std::isnan(e) ? e : error;
    largest = std::max(largest, std::abs(y[i]));
  }
  return error / largest;
}

struct Errors {
  double forward, input, weight;
};
// y and the gradients of x and w.
std::vector<Tensor> run(const Tensor& x, const Tensor& w, const Conv3dOptions& o, bool normalised, DType t, Device d) {
  const Tensor a = x.to(t).to(d).require_grad(), b = w.to(t).to(d).require_grad();
  const Tensor y = conv3d_fused({{.x = a, .normalised = normalised, .slope = 0.25}}, b, {}, o);
  backward(y, random_between(y.shape(), 5, -1, 1).to(t).to(d));
  return {y, a.grad(), b.grad()};
}

Errors errors_of(const std::vector<Tensor>& got, const std::vector<Tensor>& truth) {
  return {error_of(got[0], truth[0]), error_of(got[1], truth[1]), error_of(got[2], truth[2])};
}

}  // namespace

TEST_CASE("convolutions on CUDA: exact f32 by three products of tf32 is as good as f32") {
  struct Use {
    Shape x;
    int64_t outputs;
    Conv3dOptions options;
    double low;  // of values up to 1: from 0 on, nothing cancels, and what is cut off adds up
  };
  const Int3 one{1, 1, 1}, two{2, 2, 2}, far{6, 6, 6};
  const Use uses[] = {{{1, 8, 8, 8, 64}, 32, {.padding = one}, -1},
                      {{1, 8, 8, 8, 64}, 32, {.padding = one}, 0},
                      {{1, 2, 8, 8, 80}, 144, {.padding = one}, -1},
                      {{1, 8, 9, 10, 24}, 48, {.stride = two, .padding = one}, -1},
                      {{1, 3, 7, 12, 40}, 56, {.padding = far, .dilation = far}, -1},
                      {{1, 3, 6, 9, 32}, 24, {.padding = far, .dilation = far}, -1},
                      {{1, 3, 6, 9, 24}, 12, {.padding = far, .dilation = far}, -1}};
  for (const Use& u : uses) {
    const Tensor x = random_between(u.x, 1, u.low, 1), w = random_between({u.outputs, 3, 3, 3, u.x[4]}, 2, u.low, 1);
    const std::vector<Tensor> truth = run(x, w, u.options, false, DType::f64, Device{});
    const std::vector<Tensor> truth_normalised = run(x, w, u.options, true, DType::f64, Device{});
    for (const char* way : {"mma", "wgmma"}) {
      setenv("VOXGRAD_CONV_CUDA", way, 1);
      const auto on_device = [&](bool normalised) { return run(x, w, u.options, normalised, DType::f32, Device{0}); };
      const Errors rounded = errors_of(on_device(false), truth);
      const ExactF32 scope;
      const Errors exact = errors_of(on_device(false), truth);
      CAPTURE(way, u.x, u.outputs, u.low, exact.forward, exact.input, exact.weight);
      for (const double e : {exact.forward, exact.input, exact.weight}) CHECK(e < 2e-6);
      for (const double e : {rounded.forward, rounded.input, rounded.weight}) CHECK(e > 5e-6);
      // The same of what is normalised on the way; its own rounding is that of f32.
      const Errors normalised = errors_of(on_device(true), truth_normalised);
      CAPTURE(normalised.forward, normalised.input, normalised.weight);
      for (const double e : {normalised.forward, normalised.input, normalised.weight}) CHECK(e < 4e-6);
    }
  }
  unsetenv("VOXGRAD_CONV_CUDA");
}
