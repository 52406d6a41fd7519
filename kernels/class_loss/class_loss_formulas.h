#pragma once
#include "core/dtype.h"
#include "kernels/class_loss/class_loss_kernels.h"
#ifdef __CUDACC__
#define VOXGRAD_CLASS_MATH ::
#else
#include <cmath>
#define VOXGRAD_CLASS_MATH std::
#endif

namespace voxgrad {

// One row of logits, with its target.
template <class T>
struct ClassRow {
  using A = accum_t<T>;
  const ClassLoss& p;
  const T *z, *t;    // t: null for a label
  int64_t label;
  const A* weights;
  A log_sum;         // ln sum_k e^z[k]

  VOXGRAD_HD ClassRow(const ClassLoss& problem, int64_t row, const T* logits, const void* targets, const A* w)
      : p(problem), z(logits + row * problem.classes), t(nullptr), label(0), weights(w) {
    if (p.soft) t = static_cast<const T*>(targets) + row * p.classes;
    else label = static_cast<const int64_t*>(targets)[row];
    A most = A(z[0]), sum = 0;
    for (int64_t k = 1; k < p.classes; ++k) most = A(z[k]) > most ? A(z[k]) : most;
    for (int64_t k = 0; k < p.classes; ++k) sum += VOXGRAD_CLASS_MATH exp(A(z[k]) - most);
    log_sum = most + VOXGRAD_CLASS_MATH log(sum);
  }
  VOXGRAD_HD A weight(int64_t k) const { return weights ? weights[k] : A(1); }
  VOXGRAD_HD A target(int64_t k) const { return A(1 - p.smoothing) * A(t[k]) + A(p.smoothing / double(p.classes)); }
  VOXGRAD_HD A log_of(int64_t k) const { return A(z[k]) - log_sum; }

  VOXGRAD_HD A value() const {
    if (!p.soft) {
      const A u = log_of(label);
      return -weight(label) * VOXGRAD_CLASS_MATH pow(-VOXGRAD_CLASS_MATH expm1(u), A(p.gamma)) * u;
    }
    A sum = 0;
    for (int64_t k = 0; k < p.classes; ++k) sum -= weight(k) * target(k) * log_of(k);
    return sum;
  }

  // With W = sum_j w[j] t[j]: gz[k] = g (p[k] W - w[k] t[k]), gt[k] = -g (1 - s) w[k] ln p[k].
  // For a label, with u = ln p[y] and m = 1 - p[y]: gz[k] = g w[y] (gamma m^(gamma - 1) p[y] u - m^gamma) ([k = y] - p[k]).
  VOXGRAD_HD void gradient(A g, T* gz, T* gt) const {
    if (p.soft) {
      A total = 0;
      for (int64_t k = 0; k < p.classes; ++k) total += weight(k) * target(k);
      for (int64_t k = 0; k < p.classes; ++k) {
        if (gz) gz[k] = T(g * (VOXGRAD_CLASS_MATH exp(log_of(k)) * total - weight(k) * target(k)));
        if (gt) gt[k] = T(-g * A(1 - p.smoothing) * weight(k) * log_of(k));
      }
      return;
    }
    const A u = log_of(label), m = -VOXGRAD_CLASS_MATH expm1(u), gamma = A(p.gamma);
    const A slope = m > 0 ? gamma * VOXGRAD_CLASS_MATH pow(m, gamma - 1) * VOXGRAD_CLASS_MATH exp(u) * u : A(0);
    const A factor = g * weight(label) * (slope - VOXGRAD_CLASS_MATH pow(m, gamma));
    for (int64_t k = 0; k < p.classes; ++k) gz[k] = T(factor * (k == label ? m : -VOXGRAD_CLASS_MATH exp(log_of(k))));
  }
};

// Whether row r counts; a label beyond the classes does not.
VOXGRAD_HD inline bool class_counts(const ClassLoss& p, int64_t label) { return label != p.ignore && label >= 0 && label < p.classes; }
VOXGRAD_HD inline bool class_is_bad(const ClassLoss& p, int64_t label) { return label != p.ignore && (label < 0 || label >= p.classes); }

}  // namespace voxgrad
