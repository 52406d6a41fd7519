#include <vector>

#include "core/device/parallel.h"
#include "kernels/mse_loss/mse_loss_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kChunk = 1 << 15;

template <class T, bool kSquares>
void forward_of(int64_t n, const T* a, const T* b, accum_t<T>* mean) {
  using A = accum_t<T>;
  constexpr int kLanes = 16;
  std::vector<double> partial(size_t(chunk_count(n, kChunk)));
  parallel_chunks(n, kChunk, [&](int64_t c, int64_t begin, int64_t end) {
    A lane[kLanes] = {};
    const auto term = [&](int64_t i) {
      const A d = A(a[i]) - A(b[i]);
      return kSquares ? d * d : d < 0 ? -d : d;
    };
    int64_t i = begin;
    for (; i + kLanes <= end; i += kLanes)
      for (int l = 0; l < kLanes; ++l) lane[l] += term(i + l);
    for (int l = 0; i < end; ++i, ++l) lane[l] += term(i);
    for (A v : lane) partial[size_t(c)] += double(v);
  });
  double sum = 0;
  for (double v : partial) sum += v;
  *mean = A(sum / double(n));
}

template <class T, bool kSquares>
void backward_of(int64_t n, const T* a, const T* b, accum_t<T> seed, T* ga, T* gb) {
  using A = accum_t<T>;
  const A factor = A(double(seed) / double(n));
  const auto into = [&](T* out, A sign) {
    parallel_ranges(n, kChunk, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const A d = A(a[i]) - A(b[i]);
        out[i] = T(sign * factor * (kSquares ? 2 * d : A(d > 0) - A(d < 0)));
      }
    });
  };
  if (ga) into(ga, 1);
  if (gb) into(gb, -1);
}

}  // namespace

void difference_loss(Cpu, const DifferenceLoss& p, View a, View b, View mean) {
  on_dtype(a.dtype, [&]<class T>() {
    if (p.squares) forward_of<T, true>(p.n, a.as<T>(), b.as<T>(), mean.as<accum_t<T>>());
    else forward_of<T, false>(p.n, a.as<T>(), b.as<T>(), mean.as<accum_t<T>>());
  });
}
void difference_loss_backward(Cpu, const DifferenceLoss& p, View a, View b, View seed, View ga, View gb) {
  on_dtype(a.dtype, [&]<class T>() {
    const accum_t<T> g = *seed.as<accum_t<T>>();
    if (p.squares) backward_of<T, true>(p.n, a.as<T>(), b.as<T>(), g, ga.as<T>(), gb.as<T>());
    else backward_of<T, false>(p.n, a.as<T>(), b.as<T>(), g, ga.as<T>(), gb.as<T>());
  });
}

}  // namespace voxgrad
