#pragma once
#include <cstdint>

#include "core/dtype.h"
#include "core/isa.h"

// Winograd's algorithm for few channels: the lanes of a vector are not channels but boxes of a volume, a tile of each box at a time. No
// lane is empty then, whatever the channels. Elements of all boxes lie together, {.., channel, box}.
namespace voxgrad {

// out[f][t][k] = sum over c of w[f][c][k] in[f][t][c], for every lane, and frequencies f, tiles t.
template <class A>
struct NarrowProduct {
  int64_t frequencies = 0, tiles = 0, inputs = 0, outputs = 0;
  const A *w = nullptr, *in = nullptr;
  A* out = nullptr;
  int64_t w_step = 0, in_step = 0, out_step = 0;  // from frequency to frequency
};

// sum[f][group][i] += sum over t and the lanes of g[f][t][k] x[f][t][c]: a vector of sums for each group of k and c (NarrowGroups).
template <class A>
struct NarrowOuter {
  int64_t frequencies = 0, tiles = 0, inputs = 0, outputs = 0;
  const A *x = nullptr, *g = nullptr;
  A* sum = nullptr;
  int64_t x_step = 0, g_step = 0, sum_step = 0;  // from frequency to frequency
};

template <class A>
struct NarrowIsa {
  // to[i][l] = from[place[l] + i] for i < count, rounded up to whole vectors, which are read.
  void (*load_lanes)(const A* from, const int64_t* place, int64_t count, A* to);
  // to[place[l] + i] = from[i][l] for i < count[l] <= most; from is read for whole vectors of i.
  void (*store_lanes)(DType, const A* from, int64_t most, void* to, const int64_t* place, const int64_t* count);
  void (*multiply)(const NarrowProduct<A>&);
  void (*outer)(const NarrowOuter<A>&);
};

#define VOXGRAD_NARROW_ISA(isa)                          \
  namespace narrow_##isa {                               \
    template <class A>                                   \
    NarrowIsa<A> kernels();                              \
    extern template NarrowIsa<float> kernels<float>();   \
    extern template NarrowIsa<double> kernels<double>(); \
  }
VOXGRAD_NARROW_ISA(baseline)
VOXGRAD_NARROW_ISA(avx2)
VOXGRAD_NARROW_ISA(avx512)
VOXGRAD_NARROW_ISA(avx512_bf16)
#undef VOXGRAD_NARROW_ISA

template <class A>
NarrowIsa<A> narrow_isa() {
  return isa() >= Isa::avx512_bf16 ? narrow_avx512_bf16::kernels<A>()
         : isa() == Isa::avx512    ? narrow_avx512::kernels<A>()
         : isa() == Isa::avx2      ? narrow_avx2::kernels<A>()
                                   : narrow_baseline::kernels<A>();
}

}  // namespace voxgrad
