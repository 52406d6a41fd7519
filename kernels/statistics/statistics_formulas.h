#pragma once
#include "core/dtype.h"
#include "kernels/statistics/formula_list.h"
// Where functions of numbers come from; what includes this may have said so before.
#ifdef __CUDACC__
#define VOXGRAD_STATISTIC_MATH ::
#elif !defined(VOXGRAD_STATISTIC_MATH)
#include <cmath>
#define VOXGRAD_STATISTIC_MATH std::
#endif

// y = finish(sum of term(x, pivot), pivot), once for both devices; derivative(x, pivot, y) is that of y by x. kPivot, kResult: whether the
// derivative reads the pivot or y.
namespace voxgrad::statistic_formula {

// The pivot is the mean; scale is 1 / (n - correction).
struct Variance {
  static constexpr bool kPivot = true, kResult = false;
  double scale;
  template <class A> VOXGRAD_HD A term(A x, A mean) const { return (x - mean) * (x - mean); }
  template <class A> VOXGRAD_HD A finish(double sum, A) const { return A(sum * scale); }
  template <class A> VOXGRAD_HD A derivative(A x, A mean, A) const { return 2 * A(scale) * (x - mean); }
};
struct Deviation {
  static constexpr bool kPivot = true, kResult = true;
  double scale;
  template <class A> VOXGRAD_HD A term(A x, A mean) const { return (x - mean) * (x - mean); }
  template <class A> VOXGRAD_HD A finish(double sum, A) const { return A(VOXGRAD_STATISTIC_MATH sqrt(sum * scale)); }
  template <class A> VOXGRAD_HD A derivative(A x, A mean, A y) const { return y == 0 ? A(0) : A(scale) * (x - mean) / y; }
};
struct L1 {
  static constexpr bool kPivot = false, kResult = false;
  template <class A> VOXGRAD_HD A term(A x, A) const { return x < 0 ? -x : x; }
  template <class A> VOXGRAD_HD A finish(double sum, A) const { return A(sum); }
  template <class A> VOXGRAD_HD A derivative(A x, A, A) const { return x > 0 ? A(1) : x < 0 ? A(-1) : x; }
};
struct L2 {
  static constexpr bool kPivot = false, kResult = true;
  template <class A> VOXGRAD_HD A term(A x, A) const { return x * x; }
  template <class A> VOXGRAD_HD A finish(double sum, A) const { return A(VOXGRAD_STATISTIC_MATH sqrt(sum)); }
  template <class A> VOXGRAD_HD A derivative(A x, A, A y) const { return y == 0 ? A(0) : x / y; }
};
// The pivot is the largest element, or 0 where that is not finite.
struct LogSumExp {
  static constexpr bool kPivot = false, kResult = true;
  template <class A> VOXGRAD_HD A term(A x, A largest) const { return VOXGRAD_STATISTIC_MATH exp(x - largest); }
  template <class A> VOXGRAD_HD A finish(double sum, A largest) const { return A(double(largest) + VOXGRAD_STATISTIC_MATH log(sum)); }
  template <class A> VOXGRAD_HD A derivative(A x, A, A y) const {
    return x == y && x * 0 != 0 ? A(0) : VOXGRAD_STATISTIC_MATH exp(x - y);  // of infinite ones 0
  }
};

}  // namespace voxgrad::statistic_formula
