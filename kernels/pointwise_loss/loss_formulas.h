#pragma once
#include "kernels/pointwise/formulas.h"
#include "kernels/pointwise_loss/pointwise_loss_kernels.h"

// value(x, t, c), by_x and by_t: the loss of one element and its derivatives. c: the weight of positive targets.
namespace voxgrad::loss_formula {

template <class A>
VOXGRAD_HD A softplus(A x) {
  return formula::Softplus{}.forward(x);
}
template <class A>
VOXGRAD_HD A sigmoid(A x) {
  return formula::Sigmoid{}.forward(x);
}

template <class A>
struct Bce {
  VOXGRAD_HD Bce(double, double) {}
  VOXGRAD_HD A value(A x, A t, A c) const { return c * t * softplus(-x) + (1 - t) * softplus(x); }
  VOXGRAD_HD A by_x(A x, A t, A c) const { return (1 - t) * sigmoid(x) - c * t * sigmoid(-x); }
  VOXGRAD_HD A by_t(A x, A, A c) const { return c * softplus(-x) - softplus(x); }
};

// With m = 1 - p = t (1 - s) + (1 - t) s and the cross-entropy e: a m^gamma e. Squared: gamma is 2, which needs no powers.
template <class A, bool Squared>
struct Focal {
  A gamma, alpha;
  VOXGRAD_HD Focal(double g, double a) : gamma(A(g)), alpha(A(a)) {}
  VOXGRAD_HD A weight(A t) const { return alpha < 0 ? A(1) : alpha * t + (1 - alpha) * (1 - t); }
  VOXGRAD_HD A entropy(A x, A t) const { return t * softplus(-x) + (1 - t) * softplus(x); }
  VOXGRAD_HD A miss(A x, A t) const { return t * sigmoid(-x) + (1 - t) * sigmoid(x); }
  VOXGRAD_HD A raised(A m) const {
    if constexpr (Squared) return m * m;
    return VOXGRAD_MATH pow(m, gamma);
  }
  // m^gamma and its derivative, whose factor vanishes where m does: finite there, without a branch.
  struct Powers {
    A raised, slope;
  };
  VOXGRAD_HD Powers powers(A miss) const {
    if constexpr (Squared) return {miss * miss, 2 * miss};
    constexpr A least = A(1.17549435e-38);
    const A m = miss + least, power = VOXGRAD_MATH pow(m, gamma - 1);
    return {m * power, gamma * power};
  }
  VOXGRAD_HD A value(A x, A t, A) const { return weight(t) * raised(miss(x, t)) * entropy(x, t); }
  VOXGRAD_HD A by_x(A x, A t, A) const {
    const A s = sigmoid(x), r = sigmoid(-x);
    const auto [power, slope] = powers(miss(x, t));
    return weight(t) * (power * ((1 - t) * s - t * r) + entropy(x, t) * slope * s * r * (1 - 2 * t));
  }
  VOXGRAD_HD A by_t(A x, A t, A) const {
    const A e = entropy(x, t), by_weight = alpha < 0 ? A(0) : 2 * alpha - 1;
    const auto [power, slope] = powers(miss(x, t));
    return by_weight * power * e + weight(t) * (e * slope * (sigmoid(-x) - sigmoid(x)) - power * x);
  }
};

template <class A>
struct Huber {
  A delta;
  VOXGRAD_HD Huber(double d, double) : delta(A(d)) {}
  VOXGRAD_HD A value(A x, A t, A) const {
    const A d = x - t, size = d < 0 ? -d : d;
    return size <= delta ? A(0.5) * d * d : delta * (size - A(0.5) * delta);
  }
  VOXGRAD_HD A by_x(A x, A t, A) const {
    const A d = x - t;
    return d > delta ? delta : d < -delta ? -delta : d;
  }
  VOXGRAD_HD A by_t(A x, A t, A c) const { return -by_x(x, t, c); }
};

template <class A>
struct Kl {
  VOXGRAD_HD Kl(double, double) {}
  VOXGRAD_HD A value(A x, A t, A) const { return t > 0 ? t * (VOXGRAD_MATH log(t) - x) : t * 0; }
  VOXGRAD_HD A by_x(A, A t, A) const { return -t; }
  VOXGRAD_HD A by_t(A x, A t, A) const { return t > 0 ? VOXGRAD_MATH log(t) + 1 - x : t * 0; }
};

template <class A>
struct KlLog {
  VOXGRAD_HD KlLog(double, double) {}
  VOXGRAD_HD A value(A x, A t, A) const { return VOXGRAD_MATH exp(t) * (t - x); }
  VOXGRAD_HD A by_x(A, A t, A) const { return -VOXGRAD_MATH exp(t); }
  VOXGRAD_HD A by_t(A x, A t, A) const { return VOXGRAD_MATH exp(t) * (t - x + 1); }
};

// Calls f with the formula of p for numbers A.
template <class A, class F>
void on_formula(const PointwiseLoss& p, F&& f) {
  switch (p.formula) {
    case LossFormula::bce: return f(Bce<A>(p.a, p.b));
    case LossFormula::focal: return p.a == 2 ? f(Focal<A, true>(p.a, p.b)) : f(Focal<A, false>(p.a, p.b));
    case LossFormula::huber: return f(Huber<A>(p.a, p.b));
    case LossFormula::kl: return f(Kl<A>(p.a, p.b));
    default: return f(KlLog<A>(p.a, p.b));
  }
}

}  // namespace voxgrad::loss_formula
