#pragma once
#include "core/dtype.h"

// Relations of two elements, once for both devices.
namespace voxgrad::compare_formula {

struct Equal {
  template <class A> VOXGRAD_HD static bool of(A a, A b) { return a == b; }
};
struct NotEqual {
  template <class A> VOXGRAD_HD static bool of(A a, A b) { return a != b; }
};
struct Less {
  template <class A> VOXGRAD_HD static bool of(A a, A b) { return a < b; }
};
struct LessEqual {
  template <class A> VOXGRAD_HD static bool of(A a, A b) { return a <= b; }
};
struct And {
  template <class A> VOXGRAD_HD static bool of(A a, A b) { return a != 0 && b != 0; }
};
struct Or {
  template <class A> VOXGRAD_HD static bool of(A a, A b) { return a != 0 || b != 0; }
};

}  // namespace voxgrad::compare_formula
