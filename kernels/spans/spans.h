#pragma once
#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "kernels/spans/spans_isa.h"

// CPU loops that are compiled for the type they compute in alone: elements of other types are converted span by span, in the caches.
namespace voxgrad {

inline constexpr int64_t kSpan = 1024;  // elements

// x[0, n) as A: x itself where it is that, else copied into `buffer`. Null stays null.
template <class A, class T>
const A* span_as(const T* x, int64_t n, A* buffer) {
  if constexpr (std::is_same_v<A, T>) return x;
  else {
    if (!x) return nullptr;
    VOXGRAD_BY_ISA(span_kernels, widen(x, n, buffer));
    return buffer;
  }
}

// write(A* to) gives the n elements that y gets.
template <class A, class T, class Write>
void span_into(T* y, int64_t n, A* buffer, Write&& write) {
  if constexpr (std::is_same_v<A, T>) write(y);
  else {
    write(buffer);
    VOXGRAD_BY_ISA(span_kernels, narrow(buffer, n, y));
  }
}

// f(at, n) over spans of [begin, end).
template <class F>
void for_spans(int64_t begin, int64_t end, F&& f) {
  for (int64_t at = begin; at < end; at += kSpan) f(at, std::min(kSpan, end - at));
}

}  // namespace voxgrad
