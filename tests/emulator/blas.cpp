// core/cuda/blas.h without a GPU: plain loops, in the order of the stream.
#include "core/cuda/blas.h"

#include "tests/emulator/device.h"

namespace voxgrad {
namespace {
void multiply(const BlasGemm& p, const float* a, const float* b, float* c) {
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      float sum = p.add ? c[i * p.n + j] : 0;
      for (int64_t k = 0; k < p.k; ++k)
        sum += (p.transpose_a ? a[k * p.m + i] : a[i * p.k + k]) * (p.transpose_b ? b[j * p.k + k] : b[k * p.n + j]);
      c[i * p.n + j] = sum;
    }
}
}  // namespace

void blas_gemm(Cuda on, const BlasGemm& p, const float* a, const float* b, float* c) {
  emulator::Device& d = emulator::Device::instance();
  const std::lock_guard lock(d.mutex);
  d.push(on.stream, {.run = [=] {
           for (int64_t n = 0; n < p.batch; ++n) multiply(p, a + n * p.m * p.k, b + n * p.k * p.n, c + n * p.m * p.n);
         }});
}

}  // namespace voxgrad
