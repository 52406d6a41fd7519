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

void blas_square(Cuda on, DType t, int64_t n, const void* a, const void* b, void* c) {
  if (t == DType::f32)
    return blas_gemm(on, {.m = n, .n = n, .k = n}, static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(c));
  emulator::Device& d = emulator::Device::instance();
  const std::lock_guard lock(d.mutex);
  d.push(on.stream, {.run = [=] {
           const auto *x = static_cast<const bf16*>(a), *y = static_cast<const bf16*>(b);
           for (int64_t i = 0; i < n; ++i)
             for (int64_t j = 0; j < n; ++j) {
               float sum = 0;
               for (int64_t k = 0; k < n; ++k) sum += float(x[i * n + k]) * float(y[k * n + j]);
               static_cast<bf16*>(c)[i * n + j] = bf16(sum);
             }
         }});
}

}  // namespace voxgrad
