#include "core/cuda/elements.h"
#include "core/cuda/reduce.h"
#include "kernels/mse_loss/mse_loss_kernels.h"

namespace voxgrad {
namespace {

// partial: one sum per block.
template <class T, int N>
__global__ void mse_loss_sums_kernel(PackLoop<N> loop, bool squares, const T* a, const T* b, double* partial) {
  double sum = 0;
  for_packs(loop, [&](int64_t i, auto width) {
    constexpr int kWidth = width.value;
    const auto u = load_pack<kWidth>(a + i), v = load_pack<kWidth>(b + i);
    float few = 0;
    for (int k = 0; k < kWidth; ++k) {
      const float d = float(u.v[k]) - float(v.v[k]);
      few += squares ? d * d : d < 0 ? -d : d;
    }
    sum += double(few);
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void mse_loss_mean_kernel(int64_t n, int64_t blocks, const double* partial, float* mean) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < blocks; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *mean = float(sum / double(n));
}

template <class T, int N>
__global__ void mse_loss_gradient_kernel(PackLoop<N> loop, bool squares, const T* a, const T* b, const float* seed, T* ga, T* gb) {
  const float factor = float(double(*seed) / double(loop.n));
  for_packs(loop, [&](int64_t i, auto width) {
    constexpr int kWidth = width.value;
    auto u = load_pack<kWidth>(a + i), v = load_pack<kWidth>(b + i);
    for (int k = 0; k < kWidth; ++k) {
      const float d = float(u.v[k]) - float(v.v[k]);
      const float g = factor * (squares ? 2 * d : float(d > 0) - float(d < 0));
      u.v[k] = T(g), v.v[k] = T(-g);
    }
    if (ga) store_pack(ga + i, u);
    if (gb) store_pack(gb + i, v);
  });
}

}  // namespace

void difference_loss(Cuda on, const DifferenceLoss& p, View a, View b, View mean) {
  on_dtype(a.dtype, [&]<class T>() {
    constexpr int kWidth = kPackWidth<T>;
    const auto loop = pack_loop<kWidth>(p.n, a.as<T>(), b.as<T>());
    const Grid grid = grid_over(loop);
    const Scratch partial(on, grid.x * int64_t(sizeof(double)));
    launch<mse_loss_sums_kernel<T, kWidth>>(on, grid, loop, p.squares, a.as<T>(), b.as<T>(), partial.as<double>());
    launch<mse_loss_mean_kernel>(on, {.threads = 256}, p.n, grid.x, partial.as<double>(), mean.as<float>());
  });
}

void difference_loss_backward(Cuda on, const DifferenceLoss& p, View a, View b, View seed, View ga, View gb) {
  on_dtype(a.dtype, [&]<class T>() {
    constexpr int kWidth = kPackWidth<T>;
    const auto loop = pack_loop<kWidth>(p.n, a.as<T>(), b.as<T>(), ga.as<T>(), gb.as<T>());
    launch<mse_loss_gradient_kernel<T, kWidth>>(on, grid_over(loop), loop, p.squares, a.as<T>(), b.as<T>(), seed.as<float>(), ga.as<T>(),
                                                gb.as<T>());
  });
}

}  // namespace voxgrad
