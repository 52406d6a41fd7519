#include "core/cuda/blas.h"

#include <cublas_v2.h>

#include <limits>
#include <map>
#include <memory>

#include "core/cuda/runtime.h"
#include "core/cuda/scratch.h"
#include "core/error.h"

namespace voxgrad {
namespace {

void check_blas(cublasStatus_t s, const char* what) { check(s == CUBLAS_STATUS_SUCCESS, "cuBLAS: ", what, ": ", cublasGetStatusString(s)); }

// A handle per thread and device: a handle may serve one thread at a time.
cublasHandle_t handle_of(int device) {
  struct Close {
    void operator()(cublasContext* h) const { cublasDestroy(h); }
  };
  thread_local std::map<int, std::unique_ptr<cublasContext, Close>> handles;
  auto& h = handles[device];
  if (!h) {
    cublasHandle_t fresh = nullptr;
    cuda::select(device);
    check_blas(cublasCreate(&fresh), "cublasCreate");
    h.reset(fresh);
    check_blas(cublasSetMathMode(fresh, CUBLAS_PEDANTIC_MATH), "cublasSetMathMode");
  }
  return h.get();
}

// A workspace of its own keeps the choice of the algorithm, and with it the bits, from depending on what ran before.
constexpr int64_t kWorkspace = 32 << 20;

}  // namespace

void blas_gemm(Cuda on, const BlasGemm& p, const float* a, const float* b, float* c) {
  constexpr int64_t kMost = std::numeric_limits<int>::max();
  check(p.m <= kMost && p.n <= kMost && p.k <= kMost && p.batch <= kMost, "matmul: ", p.batch, " products {", p.m, ", ", p.k, "} {", p.k,
        ", ", p.n, "}: extents of more than ", kMost, " are not possible on CUDA");
  const cublasHandle_t h = handle_of(cuda::device_of(on));
  check_blas(cublasSetStream(h, on.stream), "cublasSetStream");
  const Scratch workspace(on, kWorkspace);
  check_blas(cublasSetWorkspace(h, workspace.as<void>(), size_t(kWorkspace)), "cublasSetWorkspace");
  // cuBLAS is column-major: it sees the transposes, so c' = op(b)' op(a)'.
  const float one = 1, beta = p.add ? 1 : 0;
  check_blas(cublasSgemmStridedBatched(h, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N, int(p.n),
                                       int(p.m), int(p.k), &one, b, int(p.transpose_b ? p.k : p.n), p.k * p.n, a,
                                       int(p.transpose_a ? p.m : p.k), p.m * p.k, &beta, c, int(p.n), p.m * p.n, int(p.batch)),
             "cublasSgemmStridedBatched");
}

void blas_square(Cuda on, DType t, int64_t n, const void* a, const void* b, void* c) {
  const cublasHandle_t h = handle_of(cuda::device_of(on));
  check_blas(cublasSetStream(h, on.stream), "cublasSetStream");
  const Scratch workspace(on, kWorkspace);
  check_blas(cublasSetWorkspace(h, workspace.as<void>(), size_t(kWorkspace)), "cublasSetWorkspace");
  check_blas(cublasSetMathMode(h, CUBLAS_DEFAULT_MATH), "cublasSetMathMode");
  const float one = 1, zero = 0;
  const cudaDataType type = t == DType::f32 ? CUDA_R_32F : CUDA_R_16BF;
  const cublasStatus_t done =
      cublasGemmEx(h, CUBLAS_OP_N, CUBLAS_OP_N, int(n), int(n), int(n), &one, b, type, int(n), a, type, int(n), &zero, c, type, int(n),
                   t == DType::f32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
  check_blas(cublasSetMathMode(h, CUBLAS_PEDANTIC_MATH), "cublasSetMathMode");
  check_blas(done, "cublasGemmEx");
}

}  // namespace voxgrad
