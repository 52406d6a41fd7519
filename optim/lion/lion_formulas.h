#pragma once
#include "core/dtype.h"
#include "optim/lion/lion_kernels.h"

namespace voxgrad {

template <class A>
struct LionFormula {
  A rate, beta1, rest1, beta2, rest2, decay;
  VOXGRAD_HD explicit LionFormula(const LionUpdate& u)
      : rate(A(u.learning_rate)),
        beta1(A(u.beta1)),
        rest1(A(1 - u.beta1)),
        beta2(A(u.beta2)),
        rest2(A(1 - u.beta2)),
        decay(A(u.weight_decay)) {}
  VOXGRAD_HD void operator()(A g, A& p, A& m) const {
    const A direction = beta1 * m + rest1 * g;
    p -= rate * (A(direction > 0) - A(direction < 0) + decay * p);
    m = beta2 * m + rest2 * g;
  }
};

}  // namespace voxgrad
