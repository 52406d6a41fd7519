#pragma once
// Products of the tensor-core kernels of the convolution.
#include "core/cuda/elements.h"
#include "core/cuda/ptx.h"
#include "kernels/conv3d/cuda/conv3d_mma.cuh"

namespace voxgrad {

// The rounding of f32 to what the tensor cores multiply.
template <class T>
__device__ void round_fragment(uint32_t (&a)[4]) {
  if constexpr (dtype_of<T> == DType::f32)
    for (uint32_t& r : a) r = tf32_of(__uint_as_float(r));
}
template <class T>
__device__ void multiply_add(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  const uint32_t b[2] = {b0, b1};
  if constexpr (dtype_of<T> == DType::f32) mma_tf32(d, a, b);
  else mma_of<T>(d, a, b);
}

// f32 values as sums of two values of tf32: these in place of them, and what is missing.
template <int kCount>
__device__ void split_fragment(uint32_t (&a)[kCount], uint32_t (&rest)[kCount]) {
#pragma unroll
  for (int i = 0; i < kCount; ++i) {
    const float v = __uint_as_float(a[i]);
    a[i] = tf32_of(v);
    rest[i] = tf32_of(v - __uint_as_float(a[i]));
  }
}
// sum += a b of split f32. Tensor cores cut off what they add, so their sum is a short one.
__device__ inline void multiply_add_exactly(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&a_rest)[4], const uint32_t (&b)[2],
                                            const uint32_t (&b_rest)[2]) {
  float d[4] = {};
  mma_tf32(d, a_rest, b);
  mma_tf32(d, a, b_rest);
  mma_tf32(d, a, b);
#pragma unroll
  for (int e = 0; e < 4; ++e) sum[e] += d[e];
}

// 16 bytes into shared memory: the first `here` elements of `from`, zeros behind them; `from` is read where here > 0 alone. whole: rows
// allow accesses of 16 bytes, and the copy is asynchronous; `somewhere` is memory that may be named in place of `from`.
template <class T>
__device__ void copy_piece(unsigned char* into, const T* from, const T* somewhere, int here, bool whole) {
  if (whole) return cp_async_16(SharedAddress(into), here > 0 ? from : somewhere, here > 0);
  Pack<T, kPackWidth<T>> values;
  for (int k = 0; k < kPackWidth<T>; ++k) values.v[k] = k < here ? from[k] : T(0.f);
  store_pack(reinterpret_cast<T*>(into), values);
}

// What normalises the 64 bytes of channels from piece `first` of x on, element k of piece p at k kPieces + p, by these threads; zeros for
// channels that there are not.
template <class T>
__device__ void fill_norms(const GatherInput& x, int first, int64_t sample, GatherNorm* norms, int thread) {
  if (thread >= kMmaChunk<T>) return;
  int piece = first + thread % kPieces;
  const GatherInput::Part part = x.at(piece);
  const int channel = piece * kPackWidth<T> + thread / kPieces;
  const bool there = part.coefficients && channel < part.used;
  norms[thread] = there ? GatherNorm(part.coefficients + sample * 3 * part.channels, part.channels, channel) : GatherNorm();
}
template <class T>
__device__ Pack<T, kPackWidth<T>> normalised(Pack<T, kPackWidth<T>> v, const GatherNorm* norms, int piece, float slope) {
#pragma unroll
  for (int k = 0; k < kPackWidth<T>; ++k) v.v[k] = T(activated(norms[k * kPieces + piece](float(v.v[k])), slope));
  return v;
}
// A piece in shared memory that this thread has copied there.
template <class T>
__device__ void normalise_piece(unsigned char* at, const GatherNorm* norms, int piece, float slope) {
  store_pack(reinterpret_cast<T*>(at), normalised<T>(load_pack<kPackWidth<T>>(reinterpret_cast<const T*>(at)), norms, piece, slope));
}

// The same where groups may be joined.
__device__ inline float joined_weight_of(const ConvGather& g, const WeightPack& p, const float* w, int group, int tap, int row,
                                         int column) {
  if (p.joined == 1) return weight_of(g, p, w, group, tap, row, column);
  const int outputs = g.outputs / p.joined, inputs = g.inputs / p.joined, own = row / outputs;
  if (own != column / inputs || own >= p.joined) return 0.f;
  return weight_of(g, p, w, group * p.joined + own, tap, row - own * outputs, column - own * inputs);
}

// Whether rows of groups of `channels` can be read in pieces of 16 bytes.
template <class T>
bool whole_pieces(int channels, const T* x) {
  return aligned_to_16(x) && channels * int64_t(sizeof(T)) % 16 == 0;
}

}  // namespace voxgrad
