#include "kernels/fft/fft.h"

#include <cmath>
#include <numbers>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {

// The sum of the definition along axis k.
HostArray dft(const HostArray& x, int k, double sign) {
  const int64_t n = x.shape[k], c = n / 2;
  return host_array(x.shape, [&](const Index& i) {
    double sum = 0;
    Index at = i;
    const int64_t pair = i[4] / 2 * 2, part = i[4] % 2;
    for (int64_t j = 0; j < n; ++j) {
      at[size_t(k)] = j;
      at[4] = pair;
      const double re = x[at];
      at[4] = pair + 1;
      const double im = x[at], angle = sign * 2 * std::numbers::pi * double((j - c) * (i[size_t(k)] - c) % n) / double(n);
      sum += part == 0 ? re * std::cos(angle) - im * std::sin(angle) : re * std::sin(angle) + im * std::cos(angle);
    }
    return sum / std::sqrt(double(n));
  });
}

}  // namespace

OP_CASES(fft) {
  const auto add = [&](const char* op, const char* name, const Shape& s, int axes, bool bench = false) {
    const bool inverse = op[0] == 'i';
    cases.push_back({.op = op, .name = name, .inputs = {{s}},
                     .run = [=](const Tensors& in) { return inverse ? ifft(in[0], axes) : fft(in[0], axes); },
                     .reference =
                         [=](const HostArrays& in) {
                           HostArray y = in[0];
                           for (int a = 0; a < axes; ++a) y = dft(y, 3 - a, inverse ? 1 : -1);
                           return HostArrays{y};
                         },
                     .terms = 64, .saved_bytes = 0, .dtypes = {DType::f32}, .bench = bench});
  };
  add("fft", "rows of 12", {1, 1, 2, 12, 2}, 1);
  add("fft", "planes of coils", {2, 1, 8, 6, 6}, 2);
  add("fft", "a volume", {1, 4, 3, 5, 4}, 3);
  add("fft", "odd extents", {1, 2, 7, 9, 2}, 2);
  add("fft", "more lines than lanes", {1, 1, 5, 20, 10}, 2);
  add("fft", "a radix of its own", {1, 1, 1, 2 * 23, 2}, 1);
  add("fft", "a large prime", {1, 1, 1, 41, 4}, 1);
  add("fft", "twice a large prime", {1, 1, 1, 58, 2}, 1);
  add("fft", "one voxel", {2, 1, 1, 1, 2}, 3);
  add("ifft", "planes of coils", {2, 1, 8, 15, 4}, 2);
  add("ifft", "a volume", {1, 3, 4, 6, 2}, 3);
  add("ifft", "a large prime", {1, 1, 1, 31, 2}, 1);
  add("fft", "8 coils of 320 x 320", {1, 1, 320, 320, 16}, 2, true);
  rejects.push_back({"fft", "real images", [] { fft(Tensor::zeros({1, 1, 4, 4, 1})); }, {"fft", "1 channels", "pairs"}});
  rejects.push_back({"fft", "bf16", [] { fft(Tensor::zeros({1, 1, 4, 4, 2}, DType::bf16)); }, {"fft", "bf16", "f32 or f64"}});
  rejects.push_back({"fft", "no axis", [] { ifft(Tensor::zeros({1, 1, 4, 4, 2}), 0); }, {"ifft", "0 axes"}});
}
