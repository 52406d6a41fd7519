#pragma once
#include "core/dtype.h"
#include "kernels/class_loss/class_loss_kernels.h"
// Where functions of numbers come from; what includes this may have said so before.
#ifdef __CUDACC__
#define VOXGRAD_CLASS_MATH ::
#elif !defined(VOXGRAD_CLASS_MATH)
#include <cmath>
#define VOXGRAD_CLASS_MATH std::
#endif

namespace voxgrad {

// The formulas of one number: w the weight of a class, t its target (1 - s) t + s / K, u = ln p its logarithm.
template <class A>
VOXGRAD_HD A smoothed(const ClassLoss& p, A t) {
  return A(1 - p.smoothing) * t + A(p.smoothing / double(p.classes));
}
template <class A>
VOXGRAD_HD A soft_loss(A w, A t, A u) {
  return -w * t * u;
}
// With total = sum_j w[j] t[j]; of the target without its factor 1 - s.
template <class A>
VOXGRAD_HD A soft_by_logit(A g, A w, A t, A u, A total) {
  return g * (VOXGRAD_CLASS_MATH exp(u) * total - w * t);
}
template <class A>
VOXGRAD_HD A soft_by_target(A g, A w, A u) {
  return -g * w * u;
}
// Of a label, m = 1 - p: w m^gamma (-u), and its derivatives w (gamma m^(gamma - 1) p u - m^gamma) ([k = label] - p[k]).
template <class A>
VOXGRAD_HD A focal_loss_of(A w, A u, A gamma) {
  return -w * VOXGRAD_CLASS_MATH pow(-VOXGRAD_CLASS_MATH expm1(u), gamma) * u;
}
template <class A>
VOXGRAD_HD A focal_factor(A w, A u, A gamma) {
  constexpr A least = A(1.17549435e-38);  // finite where m is 0, and u with it
  const A m = -VOXGRAD_CLASS_MATH expm1(u), slope = gamma * VOXGRAD_CLASS_MATH pow(m + least, gamma - 1);
  return w * (slope * VOXGRAD_CLASS_MATH exp(u) * u - VOXGRAD_CLASS_MATH pow(m, gamma));
}
template <class A>
VOXGRAD_HD A focal_by_logit(A factor, A u, bool is_label) {
  return factor * (is_label ? -VOXGRAD_CLASS_MATH expm1(u) : -VOXGRAD_CLASS_MATH exp(u));
}

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
  VOXGRAD_HD A target(int64_t k) const { return smoothed(p, A(t[k])); }
  VOXGRAD_HD A log_of(int64_t k) const { return A(z[k]) - log_sum; }

  VOXGRAD_HD A value() const {
    if (!p.soft) return focal_loss_of(weight(label), log_of(label), A(p.gamma));
    A sum = 0;
    for (int64_t k = 0; k < p.classes; ++k) sum += soft_loss(weight(k), target(k), log_of(k));
    return sum;
  }

  VOXGRAD_HD void gradient(A g, T* gz, T* gt) const {
    if (p.soft) {
      A total = 0;
      for (int64_t k = 0; k < p.classes; ++k) total += weight(k) * target(k);
      for (int64_t k = 0; k < p.classes; ++k) {
        if (gz) gz[k] = T(soft_by_logit(g, weight(k), target(k), log_of(k), total));
        if (gt) gt[k] = T(soft_by_target(g * A(1 - p.smoothing), weight(k), log_of(k)));
      }
      return;
    }
    const A factor = g * focal_factor(weight(label), log_of(label), A(p.gamma));
    for (int64_t k = 0; k < p.classes; ++k) gz[k] = T(focal_by_logit(factor, log_of(k), k == label));
  }
};

// Whether row r counts; a label beyond the classes does not.
VOXGRAD_HD inline bool class_counts(const ClassLoss& p, int64_t label) { return label != p.ignore && label >= 0 && label < p.classes; }
VOXGRAD_HD inline bool class_is_bad(const ClassLoss& p, int64_t label) { return label != p.ignore && (label < 0 || label >= p.classes); }

}  // namespace voxgrad
