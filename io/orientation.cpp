// Moving voxels between a grid and its canonical orientation.
#include <algorithm>
#include <cstring>

#include "core/device/parallel.h"
#include "io/volume.h"

namespace voxgrad {
namespace {

struct Move {
  int64_t size[3];    // of the result
  int64_t stride[3];  // of the source along the axes of the result, in voxels
  int64_t start;      // the source voxel of result voxel (0, 0, 0)
  int64_t bytes;      // of a voxel with all its channels
};

struct Bytes16 {
  uint64_t half[2];
};

// Calls f with an object of the size of a voxel, or with a byte for sizes that no object has.
template <class F>
void on_voxel_size(int64_t bytes, F&& f) {
  switch (bytes) {
    case 2: return f(uint16_t());
    case 4: return f(uint32_t());
    case 8: return f(uint64_t());
    case 16: return f(Bytes16());
    default: return f(uint8_t());
  }
}

template <class V>
void move_row(const V* from, int64_t stride, V* to, int64_t n, int64_t bytes) {
  if (stride == 1) {
    std::memcpy(to, from, size_t(n * bytes));
  } else if (bytes != int64_t(sizeof(V))) {
    for (int64_t i = 0; i < n; ++i) std::memcpy(to + i * bytes, from + i * stride * bytes, size_t(bytes));
  } else if (stride == -1) {
    for (int64_t i = 0; i < n; ++i) to[i] = from[-i];
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
  }
}

// Where the rows of the result run across those of the source, tiles of both are walked that fit the cache together.
void move_voxels(const Move& m, const char* source, char* result) {
  constexpr int64_t kTile = 32;
  const bool along = std::abs(m.stride[2]) == 1;
  const int across = std::abs(m.stride[1]) == 1 ? 1 : 0, other = 1 - across;
  const int64_t row_tile = along ? m.size[2] : kTile, tiles = chunk_count(m.size[across], kTile);
  const int64_t result_stride[2] = {m.size[1] * m.size[2], m.size[2]};
  on_voxel_size(m.bytes, [&]<class V>(V) {
    const int64_t unit = m.bytes / int64_t(sizeof(V));
    const V* from = reinterpret_cast<const V*>(source) + m.start * unit;
    V* to = reinterpret_cast<V*>(result);
    parallel_for(m.size[other] * tiles, std::max<int64_t>(1, (64 << 10) / (kTile * m.size[2] * m.bytes + 1)), [&](int64_t item) {
      const int64_t o = item / tiles, first = item % tiles * kTile, last = std::min(first + kTile, m.size[across]);
      for (int64_t w = 0; w < m.size[2]; w += row_tile)
        for (int64_t a = first; a < last; ++a)
          move_row(from + (o * m.stride[other] + a * m.stride[across] + w * m.stride[2]) * unit, m.stride[2],
                   to + (o * result_stride[other] + a * result_stride[across] + w) * unit, std::min(row_tile, m.size[2] - w),
                   unit == 1 ? int64_t(sizeof(V)) : unit);
    });
  });
}

// Axis a of the result is axis o.axis[a] of `t`, read backwards where o.flip[a].
Tensor rearranged(const Tensor& t, const Orientation& o) {
  const Shape& s = t.shape();
  check(t && (s.rank == 3 || s.rank == 4), "orientation: ", t, " is not {D, H, W} or {D, H, W, C}");
  if (o.is_canonical()) return t;
  check(t.device().is_cpu(), "orientation: ", t, " is on ", t.device(), ", wanted on the CPU");
  const int64_t strides[3] = {s[1] * s[2], s[2], 1};
  Move m{.start = 0, .bytes = int64_t(size_of(t.dtype())) * (s.rank == 4 ? s[3] : 1)};
  Shape shape = s;
  for (int a = 0; a < 3; ++a) {
    const int from = o.axis[a];
    shape[a] = m.size[a] = s[from];
    m.stride[a] = o.flip[a] ? -strides[from] : strides[from];
    if (o.flip[a]) m.start += (s[from] - 1) * strides[from];
  }
  Tensor out = Tensor::empty(shape, t.dtype());
  if (t.count() > 0) move_voxels(m, static_cast<const char*>(t.view().data), static_cast<char*>(out.view().data));
  return out;
}

Affine rearranged(const Affine& affine, const Shape& shape, const Orientation& o) {
  Affine out = affine;
  for (int row = 0; row < 3; ++row)
    for (int a = 0; a < 3; ++a) {
      const double step = affine(row, o.axis[a]);
      out(row, a) = o.flip[a] && step != 0 ? -step : step;
      if (o.flip[a]) out(row, 3) += step * double(shape[o.axis[a]] - 1);
    }
  return out;
}

Volume rearranged(const Volume& v, const Orientation& o) {
  return {rearranged(v.data, o), rearranged(v.affine, v.data.shape(), o), v.unit};
}

}  // namespace

Tensor to_canonical(const Tensor& t, const Orientation& of_tensor) { return rearranged(t, of_tensor); }
Volume to_canonical(const Volume& v) { return rearranged(v, orientation_of(v.affine)); }
Tensor from_canonical(const Tensor& t, const Orientation& orientation) { return rearranged(t, orientation.inverse()); }
Volume from_canonical(const Volume& v, const Orientation& orientation) { return rearranged(v, orientation.inverse()); }

}  // namespace voxgrad
