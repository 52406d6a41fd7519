#pragma once
#include "kernels/pointwise/formulas.h"

// More formulas of one number (formulas.h): those of arithmetic, and activations of mobile networks.
namespace voxgrad::formula {

// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, within 5e-4 of the exact form. Hendrycks and Gimpel 2016.
struct GeluTanh : SavesX {
  template <class A>
  VOXGRAD_HD static A slope_of(A x) {
    return VOXGRAD_MATH tanh(A(0.79788456080286536) * x * (1 + A(0.044715) * x * x));
  }
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return A(0.5) * x * (1 + slope_of(x));
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    const A t = slope_of(x);
    return g * A(0.5) * (1 + t + x * (1 - t * t) * A(0.79788456080286536) * (1 + A(3 * 0.044715) * x * x));
  }
};
// x / 6 + 1 / 2 within [0, 1]. Howard et al. 2019.
struct HardSigmoid : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x <= -3 ? A(0) : x >= 3 ? A(1) : x / 6 + A(0.5);
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return x > -3 && x < 3 ? g / 6 : A(0);
  }
};
// x hard_sigmoid(x). Howard et al. 2019.
struct HardSwish : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x <= -3 ? A(0) : x >= 3 ? x : x * (x + 3) / 6;
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return x <= -3 ? A(0) : x >= 3 ? g : g * (2 * x + 3) / 6;
  }
};
// x tanh(ln(1 + e^x)). Misra 2019. With n = e^x (e^x + 2) the tanh is n / (n + 2), 1 to rounding from x = 20 on.
struct Mish : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    const A e = VOXGRAD_MATH exp(x < 20 ? x : A(20)), n = e * (e + 2);
    return x < 20 ? x * (n / (n + 2)) : x;
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    const A e = VOXGRAD_MATH exp(x < 20 ? x : A(20)), n = e * (e + 2), t = n / (n + 2);
    return x < 20 ? g * (t + x * (1 + t) * (2 / (n + 2)) * (e / (1 + e))) : g;  // 1 - t is 2 / (n + 2)
  }
};
// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
struct Erf : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH erf(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return g * A(1.1283791670955126) * VOXGRAD_MATH exp(-x * x);
  }
};
struct Log1p : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH log1p(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return g / (1 + x);
  }
};
struct Expm1 : SavesY {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH expm1(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    return g * (y + 1);
  }
};
// Functions of f32 that are fast on the CPU for angles within bounds (kernels/simd/math.h) compute others in f64.
struct OfAngle : SavesX {};
struct Sin : OfAngle {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH sin(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return g * VOXGRAD_MATH cos(x);
  }
};
struct Cos : OfAngle {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH cos(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return -g * VOXGRAD_MATH sin(x);
  }
};
struct Reciprocal : SavesY {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return 1 / x;
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    return -g * y * y;
  }
};
struct Rsqrt : SavesY {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return 1 / VOXGRAD_MATH sqrt(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    return A(-0.5) * g * y * y * y;
  }
};

// Steps: their gradient is 0 everywhere.
struct Step : SavesNone {
  template <class A>
  VOXGRAD_HD A backward(A, A, A) const {
    return A(0);
  }
};
// 1, -1, or x itself where it is 0 or a NaN.
struct Sign : Step {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x > 0 ? A(1) : x < 0 ? A(-1) : x;
  }
};
struct Floor : Step {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH floor(x);
  }
};
struct Ceil : Step {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH ceil(x);
  }
};
// To the nearest integer, the even one of two.
struct Round : Step {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH rint(x);
  }
};

}  // namespace voxgrad::formula
