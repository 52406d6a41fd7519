#pragma once
#include "kernels/compare/compare_formulas.h"
#include "kernels/compare/compare_kernels.h"

namespace voxgrad {

// Calls f(formula) for the relation.
template <class F>
decltype(auto) on_relation(Relation r, F&& f) {
  switch (r) {
    case Relation::equal: return f(compare_formula::Equal{});
    case Relation::not_equal: return f(compare_formula::NotEqual{});
    case Relation::less: return f(compare_formula::Less{});
    case Relation::less_equal: return f(compare_formula::LessEqual{});
    case Relation::both: return f(compare_formula::And{});
    default: return f(compare_formula::Or{});
  }
}

// What elements of T are compared as: integers as they are, of any size, others as accum_t.
template <class T>
struct Compared {
  using type = accum_t<T>;
};
template <>
struct Compared<uint8_t> {
  using type = uint8_t;
};
template <>
struct Compared<int16_t> {
  using type = int16_t;
};
template <>
struct Compared<int32_t> {
  using type = int32_t;
};
template <>
struct Compared<int64_t> {
  using type = int64_t;
};

}  // namespace voxgrad
