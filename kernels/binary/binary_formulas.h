#pragma once
#include "core/dtype.h"
// Where functions of numbers come from; what includes this may have said so before.
#ifdef __CUDACC__
#define VOXGRAD_BINARY_MATH ::
#elif !defined(VOXGRAD_BINARY_MATH)
#include <cmath>
#define VOXGRAD_BINARY_MATH std::
#endif

// f(a, b) and its derivatives, once for both devices. kGrad..Reads..: which operand a gradient reads, and so what the graph keeps.
namespace voxgrad::binary_formula {

struct Add {
  static constexpr bool kGradAReadsA = false, kGradAReadsB = false, kGradBReadsA = false, kGradBReadsB = false;
  template <class A> VOXGRAD_HD static A forward(A a, A b) { return a + b; }
  template <class A> VOXGRAD_HD static A grad_a(A, A, A g) { return g; }
  template <class A> VOXGRAD_HD static A grad_b(A, A, A g) { return g; }
};
struct Sub {
  static constexpr bool kGradAReadsA = false, kGradAReadsB = false, kGradBReadsA = false, kGradBReadsB = false;
  template <class A> VOXGRAD_HD static A forward(A a, A b) { return a - b; }
  template <class A> VOXGRAD_HD static A grad_a(A, A, A g) { return g; }
  template <class A> VOXGRAD_HD static A grad_b(A, A, A g) { return -g; }
};
struct Mul {
  static constexpr bool kGradAReadsA = false, kGradAReadsB = true, kGradBReadsA = true, kGradBReadsB = false;
  template <class A> VOXGRAD_HD static A forward(A a, A b) { return a * b; }
  template <class A> VOXGRAD_HD static A grad_a(A, A b, A g) { return g * b; }
  template <class A> VOXGRAD_HD static A grad_b(A a, A, A g) { return g * a; }
};
struct Div {
  static constexpr bool kGradAReadsA = false, kGradAReadsB = true, kGradBReadsA = true, kGradBReadsB = true;
  template <class A> VOXGRAD_HD static A forward(A a, A b) { return a / b; }
  template <class A> VOXGRAD_HD static A grad_a(A, A b, A g) { return g / b; }
  template <class A> VOXGRAD_HD static A grad_b(A a, A b, A g) { return -g * a / (b * b); }
};
struct Extremum {
  static constexpr bool kGradAReadsA = true, kGradAReadsB = true, kGradBReadsA = true, kGradBReadsB = true;
};
// A NaN on either side is the result: a > b is false beside a NaN in b, which then is taken.
struct Maximum : Extremum {
  template <class A> VOXGRAD_HD static A forward(A a, A b) { return a > b || a != a ? a : b; }
  template <class A> VOXGRAD_HD static A grad_a(A a, A b, A g) { return a > b ? g : a == b ? g / 2 : A(0); }
  template <class A> VOXGRAD_HD static A grad_b(A a, A b, A g) { return b > a ? g : a == b ? g / 2 : A(0); }
};
struct Minimum : Extremum {
  template <class A> VOXGRAD_HD static A forward(A a, A b) { return a < b || a != a ? a : b; }
  template <class A> VOXGRAD_HD static A grad_a(A a, A b, A g) { return a < b ? g : a == b ? g / 2 : A(0); }
  template <class A> VOXGRAD_HD static A grad_b(A a, A b, A g) { return b < a ? g : a == b ? g / 2 : A(0); }
};
// a^b for a >= 0. At a = 0 the gradient of b is 0 for b >= 0, the limit from above for b > 0.
struct Power {
  static constexpr bool kGradAReadsA = true, kGradAReadsB = true, kGradBReadsA = true, kGradBReadsB = true;
  template <class A> VOXGRAD_HD static A forward(A a, A b) { return VOXGRAD_BINARY_MATH pow(a, b); }
  template <class A> VOXGRAD_HD static A grad_a(A a, A b, A g) {
    const A factor = b == 0 ? A(0) : g * b;
    return factor * VOXGRAD_BINARY_MATH pow(a, b - A(b != 0));  // a^0 is 1 whatever a is
  }
  template <class A> VOXGRAD_HD static A grad_b(A a, A b, A g) {
    const A slope = g * VOXGRAD_BINARY_MATH pow(a, b) * VOXGRAD_BINARY_MATH log(a);
    return int(a == 0) & int(b >= 0) ? A(0) : slope;
  }
};

}  // namespace voxgrad::binary_formula
