#include "core/memory.h"

#include <algorithm>

#include "core/convert.h"
#include "core/parallel.h"

namespace voxgrad {
namespace {
constexpr int64_t kGrain = 1 << 15;  // elements worth a thread
}  // namespace

void fill(Cpu, int64_t n, double value, View into) {
  on_any_dtype(into.dtype, [&]<class T>() {
    const T v = converted<T>(value);
    T* p = into.as<T>();
    parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) { std::fill(p + begin, p + end, v); });
  });
}

void accumulate(Cpu, int64_t n, View from, View into) {
  on_dtype(into.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const T* a = from.as<T>();
    T* b = into.as<T>();
    parallel_for(n, kGrain, [&](int64_t i) { b[i] = T(A(b[i]) + A(a[i])); });
  });
}

void cast(Cpu, int64_t n, View from, View into) {
  on_any_dtype(from.dtype, [&]<class From>() {
    on_any_dtype(into.dtype, [&]<class To>() {
      const From* a = from.as<From>();
      To* b = into.as<To>();
      parallel_for(n, kGrain, [&](int64_t i) { b[i] = converted<To>(a[i]); });
    });
  });
}

}  // namespace voxgrad
