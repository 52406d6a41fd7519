#include "core/convert.h"
#include "core/cuda/elements.h"
#include "core/memory/memory_kernels.h"

namespace voxgrad {
namespace {

template <class T, int N>
__global__ void fill_kernel(PackLoop<N> loop, T value, T* into) {
  for_packs(loop, [&](int64_t i, auto width) {
    Pack<T, width.value> v;
    for (T& e : v.v) e = value;
    store_pack(into + i, v);
  });
}

template <class T, int N>
__global__ void accumulate_kernel(PackLoop<N> loop, const T* from, T* into) {
  for_packs(loop, [&](int64_t i, auto width) {
    constexpr int kWidth = width.value;
    const auto a = load_pack<kWidth>(from + i);
    auto b = load_pack<kWidth>(into + i);
    for (int k = 0; k < kWidth; ++k) b.v[k] = T(float(b.v[k]) + float(a.v[k]));
    store_pack(into + i, b);
  });
}

template <class From, class To, int N>
__global__ void cast_kernel(PackLoop<N> loop, const From* from, To* into) {
  for_packs(loop, [&](int64_t i, auto width) {
    constexpr int kWidth = width.value;
    const auto a = load_pack<kWidth>(from + i);
    Pack<To, kWidth> b;
    for (int k = 0; k < kWidth; ++k) b.v[k] = converted<To>(a.v[k]);
    store_pack(into + i, b);
  });
}

}  // namespace

void fill(Cuda on, int64_t n, double value, View into) {
  on_any_dtype(into.dtype, [&]<class T>() {
    T* p = into.as<T>();
    const auto loop = pack_loop<kPackWidth<T>>(n, p);
    launch<fill_kernel<T, kPackWidth<T>>>(on, grid_over(loop), loop, converted<T>(value), p);
  });
}

void accumulate(Cuda on, int64_t n, View from, View into) {
  on_dtype(into.dtype, [&]<class T>() {
    const auto loop = pack_loop<kPackWidth<T>>(n, from.as<T>(), into.as<T>());
    launch<accumulate_kernel<T, kPackWidth<T>>>(on, grid_over(loop), loop, from.as<T>(), into.as<T>());
  });
}

void cast(Cuda on, int64_t n, View from, View into) {
  on_any_dtype(from.dtype, [&]<class From>() {
    on_any_dtype(into.dtype, [&]<class To>() {
      const auto loop = pack_loop<4>(n, from.as<From>(), into.as<To>());
      launch<cast_kernel<From, To, 4>>(on, grid_over(loop), loop, from.as<From>(), into.as<To>());
    });
  });
}

}  // namespace voxgrad
