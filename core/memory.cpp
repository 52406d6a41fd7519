#include "core/memory.h"

#include <cmath>
#include <limits>

#include "core/parallel.h"

namespace voxgrad {
namespace {
constexpr int64_t kGrain = 1 << 15;  // elements worth a thread

template <class To, class From>
To converted(From v) {
  if constexpr (std::is_same_v<To, From>) return v;
  else if constexpr (std::is_integral_v<To>) {
    const double d = std::nearbyint(double(v));
    if (!(d == d)) return 0;
    constexpr double low = double(std::numeric_limits<To>::min()), high = double(std::numeric_limits<To>::max());
    return To(d < low ? low : d > high ? high : d);
  } else if constexpr (std::is_same_v<To, double>) return double(v);
  else return To(float(v));
}
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
