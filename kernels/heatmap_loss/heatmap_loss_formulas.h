#pragma once
#include "core/dtype.h"
#ifdef __CUDACC__
#define VOXGRAD_HEATMAP_MATH ::
#else
#include <cmath>
#define VOXGRAD_HEATMAP_MATH std::
#endif

namespace voxgrad {

// One place with logit x and target t. ln p = -softplus(-x), ln(1 - p) = -softplus(x).
template <class A>
struct HeatmapPlace {
  A alpha, beta, x, t;

  VOXGRAD_HD bool is_centre() const { return t >= A(1); }
  VOXGRAD_HD static A softplus(A v) {
    return (v > A(0) ? v : A(0)) + VOXGRAD_HEATMAP_MATH log1p(VOXGRAD_HEATMAP_MATH exp(v > A(0) ? -v : v));
  }
  // At a centre with q = 1 - p it is as elsewhere with q = p: q^alpha softplus(s), q = sigmoid(s).
  VOXGRAD_HD A sign() const { return is_centre() ? A(-1) : A(1); }
  VOXGRAD_HD A weight() const { return is_centre() ? A(1) : VOXGRAD_HEATMAP_MATH pow(A(1) - t, beta); }
  VOXGRAD_HD A power(A s) const { return VOXGRAD_HEATMAP_MATH exp(-alpha * softplus(-s)); }

  VOXGRAD_HD A value() const {
    const A s = sign() * x;
    return weight() * power(s) * softplus(s);
  }
  // d/ds q^alpha softplus(s) = q^alpha (alpha (1 - q) softplus(s) + q).
  VOXGRAD_HD A gradient() const {
    const A s = sign() * x, q = VOXGRAD_HEATMAP_MATH exp(-softplus(-s));
    return sign() * weight() * power(s) * (alpha * (A(1) - q) * softplus(s) + q);
  }
};

}  // namespace voxgrad
