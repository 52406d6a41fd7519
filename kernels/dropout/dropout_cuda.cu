#include "core/cuda/launch.h"
#include "core/cuda/step_memory.h"
#include "core/rng.h"
#include "kernels/dropout/dropout_kernels.h"

namespace voxgrad {
namespace {

// Of a step that is replayed the source lies in memory: {key, stream}, instead of those of p.
__device__ Random128 drawn(const DropoutProblem& p, const uint64_t* source, uint64_t block) {
  return source ? philox(source[0], block, source[1]) : philox(p.key, block, p.stream);
}

// A thread draws one Philox block and decides its four elements.
template <class T>
__global__ void dropout_kernel(DropoutProblem p, const uint64_t* source, const T* x, T* y) {
  const float scale = float(p.scale);
  for (int64_t block : grid_stride((p.count + 3) / 4)) {
    const Random128 r = drawn(p, source, uint64_t(block));
    for (int k = 0; k < 4; ++k) {
      const int64_t i = block * 4 + k;
      if (i < p.count) y[i] = r.word[k] >= p.threshold ? T(float(x[i]) * scale) : T(0.f);
    }
  }
}

template <class T>
__global__ void dropout_channels_kernel(DropoutProblem p, const uint64_t* source, const T* x, T* y) {
  const float scale = float(p.scale);
  const int64_t size = p.inner * p.channels;
  for (int64_t i : grid_stride(p.count)) {
    const uint64_t k = uint64_t(i / size * p.channels + i % p.channels);
    const bool keep = drawn(p, source, k / 4).word[k % 4] >= p.threshold;
    y[i] = keep ? T(float(x[i]) * scale) : T(0.f);
  }
}

}  // namespace

void dropout(Cuda on, const DropoutProblem& p, View x, View y) {
  const uint64_t* const source = cuda::drawn_at(p.key, p.stream);
  on_dtype(x.dtype, [&]<class T>() {
    if (p.per_channel) launch<dropout_channels_kernel<T>>(on, grid_over(p.count), p, source, x.as<T>(), y.as<T>());
    else launch<dropout_kernel<T>>(on, grid_over((p.count + 3) / 4), p, source, x.as<T>(), y.as<T>());
  });
}

}  // namespace voxgrad
