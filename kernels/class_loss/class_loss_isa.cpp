#include <immintrin.h>

#include <cmath>
#include <type_traits>

#include "core/dtype.h"
#include "kernels/class_loss/class_loss_isa.h"

namespace voxgrad::class_loss_kernels::VOXGRAD_ISA_NAMESPACE {
#include "kernels/simd/lanes.h"
// clang-format off: each uses what is before it
#include "kernels/simd/math.h"
#define VOXGRAD_CLASS_MATH math::
#include "kernels/class_loss/class_loss_formulas.h"
// clang-format on
namespace formulas = voxgrad;  // those of this namespace

constexpr int64_t kRows = ClassTile<float>::kRows;

// f(v) for the rows of a tile: a vector or a few.
template <class F>
VOXGRAD_INLINE void rows(F&& f) {
  for (int64_t v = 0; v < kRows; ++v) f(v);
}

// ln sum_k e^z[k] of each row.
template <class A>
VOXGRAD_INLINE void log_sums(const ClassLoss& p, const A* z, A* log_sum) {
  A most[kRows], sum[kRows] = {};
  rows([&](int64_t v) { most[v] = z[v]; });
  for (int64_t k = 1; k < p.classes; ++k) rows([&](int64_t v) { most[v] = z[k * kRows + v] > most[v] ? z[k * kRows + v] : most[v]; });
  for (int64_t k = 0; k < p.classes; ++k) rows([&](int64_t v) { sum[v] += math::exp(z[k * kRows + v] - most[v]); });
  rows([&](int64_t v) { log_sum[v] = most[v] + math::log(sum[v]); });
}

template <class A>
__attribute__((flatten)) void values(const ClassLoss& p, const ClassTile<A>& tile, A* loss) {
  A log_sum[kRows], u[kRows], sum[kRows] = {};
  log_sums(p, tile.z, log_sum);
  if (p.soft) {
    for (int64_t k = 0; k < p.classes; ++k) {
      const A w = tile.weight[k], *const z = tile.z + k * kRows, *const t = tile.t + k * kRows;
      rows([&](int64_t v) { sum[v] += formulas::soft_loss(w, formulas::smoothed(p, t[v]), z[v] - log_sum[v]); });
    }
    rows([&](int64_t v) { loss[v] = sum[v]; });
    return;
  }
  const A gamma = A(p.gamma);
  rows([&](int64_t v) { u[v] = tile.z[tile.label[v] * kRows + v] - log_sum[v]; });
  rows([&](int64_t v) { loss[v] = formulas::focal_loss_of(tile.weight[v], u[v], gamma); });
}

template <class A>
__attribute__((flatten)) void gradients(const ClassLoss& p, const ClassTile<A>& tile, A g, A* gz, A* gt) {
  A log_sum[kRows], u[kRows], of_row[kRows] = {};
  log_sums(p, tile.z, log_sum);
  if (p.soft) {
    for (int64_t k = 0; k < p.classes; ++k) {
      const A w = tile.weight[k], *const t = tile.t + k * kRows;
      rows([&](int64_t v) { of_row[v] += w * formulas::smoothed(p, t[v]); });
    }
    for (int64_t k = 0; k < p.classes; ++k) {
      const A w = tile.weight[k], *const z = tile.z + k * kRows, *const t = tile.t + k * kRows;
      A* const to = gz + k * kRows;
      if (gz) rows([&](int64_t v) { to[v] = formulas::soft_by_logit(g, w, formulas::smoothed(p, t[v]), z[v] - log_sum[v], of_row[v]); });
      if (gt) rows([&](int64_t v) { gt[k * kRows + v] = formulas::soft_by_target(g * A(1 - p.smoothing), w, z[v] - log_sum[v]); });
    }
    return;
  }
  const A gamma = A(p.gamma);
  rows([&](int64_t v) { u[v] = tile.z[tile.label[v] * kRows + v] - log_sum[v]; });
  rows([&](int64_t v) { of_row[v] = g * formulas::focal_factor(tile.weight[v], u[v], gamma); });
  int32_t label[kRows];
  rows([&](int64_t v) { label[v] = int32_t(tile.label[v]); });
  for (int64_t k = 0; k < p.classes; ++k) {
    const A* const z = tile.z + k * kRows;
    A* const to = gz + k * kRows;
    rows([&](int64_t v) { to[v] = formulas::focal_by_logit(of_row[v], z[v] - log_sum[v], label[v] == int32_t(k)); });
  }
}

template <class A>
ClassLossIsa<A> kernels() {
  return {values<A>, gradients<A>};
}
template ClassLossIsa<float> kernels();
template ClassLossIsa<double> kernels();

}  // namespace voxgrad::class_loss_kernels::VOXGRAD_ISA_NAMESPACE
