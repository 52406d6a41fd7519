#include <algorithm>
#include <cstring>
#include <vector>

#include "core/device/parallel.h"
#include "kernels/copy/copy_kernels.h"
#include "kernels/copy/copy_runs.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrainBytes = 1 << 16;

// Calls f(from, into, first, last) for the stretches of axis `axis` in a range of the items that the axes [0, axis] number.
template <class F>
void for_stretches(const StridedCopy& p, int axis, int64_t grain, F&& f) {
  int64_t items = 1;
  for (int k = 0; k <= axis; ++k) items *= p.extent[k];
  parallel_ranges(items, grain, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      int64_t outer = begin / p.extent[axis], from = p.from_offset, into = p.into_offset;
      const int64_t first = begin % p.extent[axis], last = std::min(p.extent[axis], first + (end - begin));
      for (int k = axis - 1; k >= 0; --k) {
        const int64_t i = outer % p.extent[k];
        outer /= p.extent[k];
        from += i * p.from_stride[k], into += i * p.into_stride[k];
      }
      f(from, into, first, last);
      begin += last - first;
    }
  });
}

// into[r into_stride + c] = from[c from_stride + r] for r < rows, c < columns. Elements of four bytes go in blocks of 4 x 4.
template <class E>
void transpose_tile(const E* from, int64_t from_stride, E* into, int64_t into_stride, int64_t rows, int64_t columns) {
  int64_t done = 0;
  if constexpr (sizeof(E) == 4) {
    using V [[gnu::vector_size(16)]] = uint32_t;
    if (rows % 4 == 0)
      for (; done + 4 <= columns; done += 4)
        for (int64_t r = 0; r < rows; r += 4) {
          V a[4];
          for (int k = 0; k < 4; ++k) std::memcpy(&a[k], from + (done + k) * from_stride + r, sizeof(V));
          const V low01 = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5), high01 = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
          const V low23 = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5), high23 = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
          const V b[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5), __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                          __builtin_shufflevector(high01, high23, 0, 1, 4, 5), __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
          for (int k = 0; k < 4; ++k) std::memcpy(into + (r + k) * into_stride + done, &b[k], sizeof(V));
        }
  }
  for (int64_t c = done; c < columns; ++c)
    for (int64_t r = 0; r < rows; ++r) into[r * into_stride + c] = from[c * from_stride + r];
}

// Lines of `from` along its contiguous axis become lines of `into` along its own, through a tile that fits the first cache: a line
// is then read once even where all lines of the tile fall into one cache set.
template <class E>
void transpose(StridedCopy p, const E* from, E* into) {
  constexpr int64_t kTile = 64 / sizeof(E) < 16 ? 16 : 64 / sizeof(E), kWide = 64;
  const int a = p.rank - 2, b = p.rank - 1;  // a: contiguous in `from`, b: contiguous in `into`
  const int64_t extent_a = p.extent[a], extent_b = p.extent[b], stride_a = p.into_stride[a], stride_b = p.from_stride[b];
  // Tiles along the axis with fewer of them are met one after the other: what two of them share of a line is then still cached.
  const int64_t tiles_a = chunk_count(extent_a, kTile), tiles_b = chunk_count(extent_b, kWide);
  const bool a_outside = tiles_a >= tiles_b;
  p.extent[a] = a_outside ? tiles_a : tiles_b;
  p.from_stride[a] = p.into_stride[a] = 0;
  const int64_t inside = a_outside ? tiles_b : tiles_a, bytes = inside * kTile * kWide * int64_t(sizeof(E));
  for_stretches(p, a, std::max<int64_t>(1, kGrainBytes / bytes), [&](int64_t from_at, int64_t into_at, int64_t first, int64_t last) {
    alignas(64) E tile[kTile * kWide];
    for (int64_t t = first; t < last; ++t)
      for (int64_t u = 0; u < inside; ++u) {
        const int64_t a0 = (a_outside ? t : u) * kTile, b0 = (a_outside ? u : t) * kWide;
        const int64_t rows = std::min(kTile, extent_a - a0), columns = std::min(kWide, extent_b - b0);
        transpose_tile(from + from_at + a0 + b0 * stride_b, stride_b, tile, kWide, rows, columns);
        copy_runs(tile, kWide, into + into_at + a0 * stride_a + b0, stride_a, rows, columns);
      }
  });
}

template <class E>
void gather(const StridedCopy& p, const E* from, E* into) {
  const int axis = p.rank - 1;
  const int64_t from_stride = p.from_stride[axis], into_stride = p.into_stride[axis];
  for_stretches(p, axis, kGrainBytes / int64_t(sizeof(E)), [&](int64_t from_at, int64_t into_at, int64_t first, int64_t last) {
    const E* src = from + from_at;
    E* dst = into + into_at;
    if (from_stride == -1 && into_stride == 1)
      for (int64_t i = first; i < last; ++i) dst[i] = src[-i];
    else
      for (int64_t i = first; i < last; ++i) dst[i * into_stride] = src[i * from_stride];
  });
}

template <class E>
void copy_elements(StridedCopy p, const E* from, E* into) {
  const int last = p.rank - 1;
  if (last >= 0 && (p.from_stride[last] != 1 || p.into_stride[last] != 1)) {
    const auto contiguous = std::find(p.from_stride, p.from_stride + last, 1);
    if (p.into_stride[last] != 1 || contiguous == p.from_stride + last) return gather(p, from, into);
    const int axis = int(contiguous - p.from_stride);
    for (int64_t* values : {p.extent, p.from_stride, p.into_stride}) std::rotate(values + axis, values + axis + 1, values + last);
    return transpose(p, from, into);
  }
  if (last < 0) return void(into[p.into_offset] = from[p.from_offset]);
  if (p.rank == 1) {
    return parallel_ranges(p.extent[0], kGrainBytes / int64_t(sizeof(E)), [&](int64_t begin, int64_t end) {
      std::memcpy(into + p.into_offset + begin, from + p.from_offset + begin, size_t(end - begin) * sizeof(E));
    });
  }
  const int64_t run = p.extent[last], from_stride = p.from_stride[last - 1], into_stride = p.into_stride[last - 1];
  for_stretches(p, last - 1, std::max<int64_t>(1, kGrainBytes / (run * int64_t(sizeof(E)))),
                [&](int64_t from_at, int64_t into_at, int64_t first, int64_t end) {
    copy_runs(from + from_at + first * from_stride, from_stride, into + into_at + first * into_stride, into_stride, end - first, run);
  });
}

template <class E>
void place(const PlacedBox& p, E value, const E* from, E* into) {
  if (p.rank == 0) return void(into[0] = from[0]);
  const int last = p.rank - 1;
  int64_t rows = 1;
  for (int k = 0; k < last; ++k) rows *= p.extent[k];
  const int64_t width = p.extent[last], left = p.begin[last], size = p.size[last];
  const int64_t grain = std::max<int64_t>(1, kGrainBytes / std::max<int64_t>(1, width * int64_t(sizeof(E))));
  parallel_ranges(rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t rest = r, step = 1, row = 0;
      bool inside = true;
      for (int k = last - 1; k >= 0; --k) {
        const int64_t i = rest % p.extent[k] - p.begin[k];
        rest /= p.extent[k];
        inside = inside && i >= 0 && i < p.size[k];
        row += i * step, step *= p.size[k];
      }
      E* dst = into + r * width;
      if (!inside) {
        std::fill_n(dst, width, value);
        continue;
      }
      std::fill_n(dst, left, value);
      if (size > 0) std::memcpy(dst + left, from + row * size, size_t(size) * sizeof(E));
      std::fill_n(dst + left + size, width - left - size, value);
    }
  });
}

// A stretch of outputs whose sources follow one another.
struct Stretch {
  int64_t into, from, count;
};

template <class E>
void mapped(const MappedCopy& p, const int32_t* map_d, const int32_t* map_h, const int32_t* map_w, const E* from, E* into) {
  std::vector<Stretch> stretches;
  for (int64_t w = 0; w < p.out[2]; ++w) {
    if (!stretches.empty() && stretches.back().from + stretches.back().count == map_w[w]) ++stretches.back().count;
    else stretches.push_back({w, map_w[w], 1});
  }
  const int64_t width = p.out[2] * p.c, rows = p.n * p.out[0] * p.out[1];
  const bool single = int64_t(stretches.size()) == p.out[2];
  parallel_for(rows, std::max<int64_t>(1, kGrainBytes / std::max<int64_t>(1, width * int64_t(sizeof(E)))), [&](int64_t r) {
    const int64_t h = r % p.out[1], d = r / p.out[1] % p.out[0], n = r / p.out[1] / p.out[0];
    const E* src = from + ((n * p.in[0] + map_d[d]) * p.in[1] + map_h[h]) * p.in[2] * p.c;
    E* dst = into + r * width;
    if (single && p.c == 1)
      for (int64_t w = 0; w < p.out[2]; ++w) dst[w] = src[map_w[w]];
    else
      for (const Stretch& s : stretches) copy_runs(src + s.from * p.c, 0, dst + s.into * p.c, 0, 1, s.count * p.c);
  });
}

}  // namespace

void mapped_copy(Cpu, const MappedCopy& p, View map_d, View map_h, View map_w, View from, View into) {
  on_element_size(into.dtype, [&]<class E>() {
    mapped(p, map_d.as<int32_t>(), map_h.as<int32_t>(), map_w.as<int32_t>(), from.as<E>(), into.as<E>());
  });
}

void strided_copy(Cpu, StridedCopy p, View from, View into) {
  if (!simplify(p)) return;
  on_element_size(into.dtype, [&]<class E>() { copy_elements(p, from.as<E>(), into.as<E>()); });
}

void place_box(Cpu, PlacedBox p, View value, View from, View into) {
  simplify(p);
  on_element_size(into.dtype, [&]<class E>() { place(p, *value.as<E>(), from.as<E>(), into.as<E>()); });
}

}  // namespace voxgrad
