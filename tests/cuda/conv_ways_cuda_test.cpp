// Convolutions by each way of the tensor cores, of small whole numbers, of which all sums are exact: the same results to the last bit.
#include <cstdlib>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "core/rng.h"
#include "kernels/conv3d/conv3d.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

const Device kDevice{0};

Tensor whole_numbers(const Shape& s, uint64_t seed, DType t) {
  Rng rng(seed);
  std::vector<double> v(size_t(s.count()));
  for (double& x : v) x = double(int(rng.uniform(-3, 4)));
  return Tensor::from(v, s, t, kDevice);
}

struct Results {
  std::vector<double> y, x, w;
  bool operator==(const Results&) const = default;
};

Results by_way(const char* way, const Shape& x, int64_t outputs, Int3 kernel, const Conv3dOptions& options, DType t) {
  setenv("VOXGRAD_CONV_CUDA", way, 1);
  const Tensor in = whole_numbers(x, 1, t).require_grad();
  const Tensor w = whole_numbers({outputs, kernel.d, kernel.h, kernel.w, x[4]}, 2, DType::f32).require_grad();
  const Tensor y = conv3d(in, w, {}, options);
  backward(y, whole_numbers(y.shape(), 3, t));
  Results r{y.values(), in.grad().values(), w.grad().values()};
  unsetenv("VOXGRAD_CONV_CUDA");
  return r;
}

}  // namespace

TEST_CASE("convolutions: every way of the tensor cores has the same sums") {
  if (cuda::device_count() == 0) {
    WARN("skipped: this machine has 0 CUDA devices");
    return;
  }
  struct Layer {
    Shape x;
    int64_t outputs;
    Int3 kernel;
    int stride = 1;
  };
  // Every form of the gradient of weights by wgmma: blocks of 32 and 64 channels, of 27 and 9 taps, with lines and without; ragged tiles.
  const Layer layers[] = {{{2, 6, 7, 20, 40}, 24, {3, 3, 3}}, {{1, 5, 6, 9, 40}, 32, {3, 3, 3}}, {{1, 9, 6, 9, 40}, 64, {3, 3, 3}},
                          {{1, 5, 6, 9, 40}, 72, {3, 3, 3}},  {{1, 5, 6, 9, 40}, 32, {1, 3, 3}}, {{1, 5, 6, 9, 40}, 72, {1, 3, 3}},
                          {{2, 7, 6, 9, 33}, 40, {3, 3, 3}, 2}, {{2, 7, 6, 9, 40}, 40, {3, 3, 3}, 2},
                          {{1, 3, 6, 17, 24}, 30, {3, 3, 1}}};
  for (const Layer& l : layers)
    for (const DType t : {DType::bf16, DType::f16, DType::f32}) {
      if (t == DType::f16 && &l != layers && &l != layers + 5) continue;  // the forms of bf16
      const Conv3dOptions o{.stride = {l.stride, l.stride, l.stride}, .padding = {l.kernel.d / 2, l.kernel.h / 2, l.kernel.w / 2}};
      const Results wanted = by_way("mma", l.x, l.outputs, l.kernel, o, t);
      CAPTURE(l.x, l.outputs, l.kernel.d, l.kernel.w, l.stride, name_of(t));
      for (const char* way : {"wgmma", "tma", "lines", "lines_tma"}) {
        CAPTURE(way);
        const Results got = by_way(way, l.x, l.outputs, l.kernel, o, t);
        CHECK(got.y == wanted.y);
        CHECK(got.x == wanted.x);
        CHECK(got.w == wanted.w);
      }
    }
}
