#include "core/memory/memory.h"

#include <algorithm>

#include "core/convert.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {
constexpr int64_t kGrain = 1 << 15;  // elements worth a thread
}  // namespace

// "conv3d (conv3d_mma_cuda.cu)" for a file of an op, else "function (file)".
OutOfMemory OutOfMemory::of(Asker by) const {
  const std::string path = by.file, file = path.substr(path.rfind('/') + 1);
  const std::string folders = path.substr(0, path.size() - std::min(path.size(), file.size() + 1));
  const size_t kernels = folders.rfind("kernels/");
  return of((kernels == folders.npos ? std::string(by.function) : folders.substr(kernels + 8)) + " (" + file + ")");
}

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
