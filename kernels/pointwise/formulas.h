#pragma once
#include "core/dtype.h"
#include "kernels/pointwise/formula_list.h"
// Where functions of a number come from; what includes this may have said so before.
#ifdef __CUDACC__
#define VOXGRAD_MATH ::
#elif !defined(VOXGRAD_MATH)
#include <cmath>
#define VOXGRAD_MATH std::
#endif

// Every pointwise op is one formula and its derivative, written once for both devices: forward(x) gives y, backward(x, y, g) gives the
// gradient of x from the gradient g of y. kSavesX, kSavesY: which of them backward reads, and so what the graph keeps.
namespace voxgrad::formula {

struct SavesX {
  static constexpr bool kSavesX = true, kSavesY = false;
};
struct SavesY {
  static constexpr bool kSavesX = false, kSavesY = true;
};
struct SavesBoth {
  static constexpr bool kSavesX = true, kSavesY = true;
};
struct SavesNone {
  static constexpr bool kSavesX = false, kSavesY = false;
};

// x > 0 ? x : slope x. Slope 0 is ReLU, and 0 times an infinity 0 there, of the infinity's sign. The sign of y is the sign of x for
// slope >= 0, so y suffices.
struct LeakyRelu : SavesY {
  double slope;
  explicit LeakyRelu(double s) : slope(s) {}
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    const A zero = VOXGRAD_MATH copysign(A(0), x);
    if (slope != 0) return x > 0 ? x : A(slope) * x;
    return x <= 0 ? zero : x;
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    const A zero = VOXGRAD_MATH copysign(A(0), g);
    if (slope != 0) return y > 0 ? g : A(slope) * g;
    return (y > 0) | (g != g) ? g : zero;
  }
};
// x > 0 ? x : alpha (e^x - 1). Clevert et al. 2016.
struct Elu : SavesY {
  double alpha;
  explicit Elu(double a) : alpha(a) {}
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x > 0 ? x : A(alpha) * VOXGRAD_MATH expm1(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    return y > 0 ? g : g * (y + A(alpha));
  }
};
// x Phi(x), Phi the normal distribution (the exact form, not the tanh one). Hendrycks and Gimpel 2016.
struct Gelu : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x * A(0.5) * (1 + VOXGRAD_MATH erf(x * A(0.70710678118654752)));
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return g *
           (A(0.5) * (1 + VOXGRAD_MATH erf(x * A(0.70710678118654752))) + x * A(0.39894228040143268) * VOXGRAD_MATH exp(x * x * A(-0.5)));
  }
};
struct Sigmoid : SavesY {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return 1 / (1 + VOXGRAD_MATH exp(-x));
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    return g * y * (1 - y);
  }
};
// x sigmoid(x), also called swish.
struct Silu : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x / (1 + VOXGRAD_MATH exp(-x));
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    const A s = 1 / (1 + VOXGRAD_MATH exp(-x));
    return g * s * (1 + x * (1 - s));
  }
};
// ln(1 + e^x), without overflow.
struct Softplus : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return (x > 0 ? x : A(0)) + VOXGRAD_MATH log1p(VOXGRAD_MATH exp(-VOXGRAD_MATH fabs(x)));
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return g / (1 + VOXGRAD_MATH exp(-x));
  }
};
struct Tanh : SavesY {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH tanh(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    return g * (1 - y * y);
  }
};
struct Exp : SavesY {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH exp(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    return g * y;
  }
};
struct Log : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH log(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return g / x;
  }
};
struct Sqrt : SavesY {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH sqrt(x);
  }
  template <class A>
  VOXGRAD_HD A backward(A, A y, A g) const {
    return g / (2 * y);
  }
};
struct Square : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x * x;
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return 2 * x * g;
  }
};
struct Abs : SavesX {
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x < 0 ? -x : x;
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return x < 0 ? -g : x > 0 ? g : A(0);
  }
};
// Gradient 1 inside [low, high], 0 outside.
struct Clamp : SavesX {
  double low, high;
  Clamp(double l, double h) : low(l), high(h) {}
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return x < A(low) ? A(low) : x > A(high) ? A(high) : x;
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return x < A(low) || x > A(high) ? A(0) : g;
  }
};
// x^exponent for x > 0.
struct Power : SavesX {
  double exponent;
  explicit Power(double e) : exponent(e) {}
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return VOXGRAD_MATH pow(x, A(exponent));
  }
  template <class A>
  VOXGRAD_HD A backward(A x, A, A g) const {
    return g * A(exponent) * VOXGRAD_MATH pow(x, A(exponent) - 1);
  }
};
// scale x + shift.
struct Affine : SavesNone {
  double scale, shift;
  Affine(double a, double b) : scale(a), shift(b) {}
  template <class A>
  VOXGRAD_HD A forward(A x) const {
    return A(scale) * x + A(shift);
  }
  template <class A>
  VOXGRAD_HD A backward(A, A, A g) const {
    return A(scale) * g;
  }
};

}  // namespace voxgrad::formula
