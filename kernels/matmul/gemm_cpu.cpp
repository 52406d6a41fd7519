#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/matmul/gemm_kernels.h"
#include "kernels/matmul/gemm_variants.h"

namespace voxgrad {
namespace {

// Tiles and chunks of the depth depend on the shape alone, so the bits of the result do not depend on the number of threads.
constexpr int64_t kTileM = 128, kTileN = 256, kDepth = 4096, kMostPartial = 1 << 22;

void tile(const GemmTile& p, const double* a, const double* b, double* c) { gemm_kernels::baseline::gemm_tile(p, a, b, c); }
void tile(const GemmTile& p, const float* a, const float* b, float* c) {
  VOXGRAD_BY_ISA(gemm_kernels, gemm_tile(p, a, b, c));
}

template <class A>
void gemm_of(const Gemm& p, const A* a, const A* b, const A* bias, A* c) {
  const int64_t tiles_m = chunk_count(p.m, kTileM), tiles_n = chunk_count(p.n, kTileN), size = p.m * p.n;
  if (p.batch * size == 0) return;
  const int64_t splits = std::max<int64_t>(1, std::min(p.k / kDepth, kMostPartial / (p.batch * size)));
  const int64_t chunk = std::max<int64_t>(1, (p.k + splits - 1) / splits), chunks = std::max<int64_t>(1, chunk_count(p.k, chunk));
  std::vector<A> partial(static_cast<size_t>(chunks > 1 ? chunks * p.batch * size : 0));
  const int64_t a_stride = p.transpose_a ? p.m : p.k, b_stride = p.transpose_b ? p.k : p.n, tiles = tiles_m * tiles_n;
  const double work = 2.0 * double(std::min(kTileM, p.m)) * double(std::min(kTileN, p.n)) * double(std::min(chunk, p.k));
  parallel_for(chunks * p.batch * tiles, std::max<int64_t>(1, int64_t(1e6 / (work + 1))), [&](int64_t task) {
    const int64_t q = task / tiles / p.batch, batch = task / tiles % p.batch;
    const int64_t m = task % tiles / tiles_n * kTileM, n = task % tiles_n * kTileN, k = q * chunk;
    const GemmTile t = {std::min(kTileM, p.m - m), std::min(kTileN, p.n - n), std::min(chunk, p.k - k), a_stride, b_stride, p.n,
                        p.transpose_a, p.transpose_b};
    const A* left = a + batch * p.m * p.k + (p.transpose_a ? k * p.m + m : m * p.k + k);
    const A* right = b + batch * p.k * p.n + (p.transpose_b ? n * p.k + k : k * p.n + n);
    A* into = (chunks > 1 ? partial.data() + q * p.batch * size : c) + batch * size + m * p.n + n;
    tile(t, left, right, into);
    if (bias && chunks == 1)
      for (int64_t i = 0; i < t.m; ++i)
        for (int64_t j = 0; j < t.n; ++j) into[i * p.n + j] += bias[n + j];
  });
  if (chunks == 1) return;
  parallel_for(p.batch * size, 1 << 12, [&](int64_t i) {
    double sum = bias ? double(bias[i % p.n]) : 0;
    for (int64_t q = 0; q < chunks; ++q) sum += double(partial[size_t(q * p.batch * size + i)]);
    c[i] = A(sum);
  });
}

}  // namespace

void gemm(Cpu, const Gemm& p, View a, View b, View bias, View c) {
  if (c.dtype == DType::f64) gemm_of(p, a.as<double>(), b.as<double>(), bias.as<double>(), c.as<double>());
  else gemm_of(p, a.as<float>(), b.as<float>(), bias.as<float>(), c.as<float>());
}

}  // namespace voxgrad
