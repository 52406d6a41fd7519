#include "core/cuda/launch.h"
#include "kernels/copy/copy_kernels.h"

namespace voxgrad {
namespace {

// What moves at once: units of 1 to 16 bytes.
template <int kBytes>
struct alignas(kBytes) Unit {
  unsigned char bytes[kBytes];
};

template <class F>
void on_unit(int bytes, F&& f) {
  switch (bytes) {
    case 16: return f.template operator()<Unit<16>>();
    case 8: return f.template operator()<Unit<8>>();
    case 4: return f.template operator()<Unit<4>>();
    case 2: return f.template operator()<Unit<2>>();
    default: return f.template operator()<Unit<1>>();
  }
}

// Whether `count` elements of `element` bytes are whole units of `unit` bytes.
bool whole(int64_t count, int64_t element, int64_t unit) { return count * element % unit == 0; }
bool aligned(const void* p, int64_t unit) { return reinterpret_cast<uintptr_t>(p) % uintptr_t(unit) == 0; }

// The largest unit in which the copy can be told, and the copy in it. Elements are joined along the last axis alone.
int widen(StridedCopy& p, const void* from, const void* into, int64_t element) {
  const int last = p.rank - 1;
  int64_t unit = element;
  if (last >= 0 && p.from_stride[last] == 1 && p.into_stride[last] == 1) {
    for (int64_t u = 16; u > element; u /= 2) {
      bool fits = whole(p.extent[last], element, u) && whole(p.from_offset, element, u) && whole(p.into_offset, element, u) &&
                  aligned(from, u) && aligned(into, u);
      for (int k = 0; k < last; ++k) fits = fits && whole(p.from_stride[k], element, u) && whole(p.into_stride[k], element, u);
      if (!fits) continue;
      unit = u;
      break;
    }
    const int64_t n = unit / element;
    p.extent[last] /= n, p.from_offset /= n, p.into_offset /= n;
    for (int k = 0; k < last; ++k) p.from_stride[k] /= n, p.into_stride[k] /= n;
  }
  return int(unit);
}

int64_t count_of(const int64_t* extent, int rank) {
  int64_t n = 1;
  for (int k = 0; k < rank; ++k) n *= extent[k];
  return n;
}

// I: 32 bits where they suffice, for the divisions.
template <class I, class U>
__global__ void copy_strided_kernel(StridedCopy p, int64_t n, const U* from, U* into) {
  for (int64_t item : grid_stride(n)) {
    I rest = I(item);
    int64_t source = p.from_offset, target = p.into_offset;
#pragma unroll
    for (int k = kCopyRank - 1; k >= 0; --k) {
      if (k >= p.rank) continue;
      const I extent = I(p.extent[k]), next = rest / extent;
      const int64_t i = int64_t(rest - next * extent);
      rest = next;
      source += i * p.from_stride[k], target += i * p.into_stride[k];
    }
    into[target] = from[source];
  }
}

constexpr int kTile = 32, kTileRows = 8;

// Axis a is contiguous in `from` and b in `into`: tiles of 32 x 32 go through shared memory so that both sides are read and written
// along their contiguous axis. Block x: tiles along a, then b; y: the other axes.
template <class U>
__global__ void copy_transposing_kernel(StridedCopy p, int a, int b, int64_t outer, const U* from, U* into) {
  VOXGRAD_SHARED(U, tile, [kTile][kTile + 1]);
  const int64_t tiles_a = (p.extent[a] + kTile - 1) / kTile;
  const int64_t a0 = int64_t(blockIdx.x) % tiles_a * kTile, b0 = int64_t(blockIdx.x) / tiles_a * kTile;
  const int column = int(threadIdx.x) % kTile, row = int(threadIdx.x) / kTile;
  for (int64_t item = blockIdx.y; item < outer; item += gridDim.y) {
    int64_t rest = item, source = p.from_offset, target = p.into_offset;
    for (int k = p.rank - 1; k >= 0; --k) {
      if (k == a || k == b) continue;
      const int64_t i = rest % p.extent[k];
      rest /= p.extent[k];
      source += i * p.from_stride[k], target += i * p.into_stride[k];
    }
    __syncthreads();
    for (int r = row; r < kTile; r += kTileRows)
      if (b0 + r < p.extent[b] && a0 + column < p.extent[a])
        tile[r][column] = from[source + (b0 + r) * p.from_stride[b] + a0 + column];
    __syncthreads();
    for (int r = row; r < kTile; r += kTileRows)
      if (a0 + r < p.extent[a] && b0 + column < p.extent[b])
        into[target + (a0 + r) * p.into_stride[a] + b0 + column] = tile[column][r];
  }
}

// `value` is told in 8 bytes, repeated.
template <class I, class U>
__global__ void copy_place_box_kernel(PlacedBox p, int64_t n, const unsigned char* value, int element, const U* from, U* into) {
  U filler;
  for (int i = 0; i < int(sizeof(U)); ++i) filler.bytes[i] = value[i % element];
  for (int64_t item : grid_stride(n)) {
    I rest = I(item);
    int64_t source = 0, step = 1;
    bool inside = true;
#pragma unroll
    for (int k = kCopyRank - 1; k >= 0; --k) {
      if (k >= p.rank) continue;
      const I extent = I(p.extent[k]), next = rest / extent;
      const int64_t i = int64_t(rest - next * extent) - p.begin[k];
      rest = next;
      inside = inside && i >= 0 && i < p.size[k];
      source += i * step, step *= p.size[k];
    }
    into[item] = inside ? from[source] : filler;
  }
}

template <class I, class U>
__global__ void copy_mapped_kernel(MappedCopy p, int64_t n, const int32_t* map_d, const int32_t* map_h, const int32_t* map_w, const U* from,
                                   U* into) {
  for (int64_t item : grid_stride(n)) {
    I rest = I(item);
    const auto pop = [&](int64_t extent) {
      const I next = rest / I(extent), i = rest - next * I(extent);
      rest = next;
      return int64_t(i);
    };
    const int64_t c = pop(p.c), w = map_w[pop(p.out[2])], h = map_h[pop(p.out[1])], d = map_d[pop(p.out[0])];
    into[item] = from[(((int64_t(rest) * p.in[0] + d) * p.in[1] + h) * p.in[2] + w) * p.c + c];
  }
}

template <class F>
void on_index(int64_t n, F&& f) {
  n < int64_t(1) << 31 ? f.template operator()<uint32_t>() : f.template operator()<uint64_t>();
}

}  // namespace

void strided_copy(Cuda on, StridedCopy p, View from, View into) {
  if (!simplify(p)) return;
  const int last = p.rank - 1;
  int contiguous = -1;
  for (int k = 0; k < last; ++k)
    if (p.from_stride[k] == 1) contiguous = k;
  const int unit = widen(p, from.data, into.data, int64_t(size_of(into.dtype)));
  on_unit(unit, [&]<class U>() {
    if (last >= 0 && contiguous >= 0 && p.from_stride[last] != 1 && p.into_stride[last] == 1 && p.extent[contiguous] >= 8) {
      const int64_t outer = count_of(p.extent, p.rank) / p.extent[contiguous] / p.extent[last];
      const int64_t tiles = (p.extent[contiguous] + kTile - 1) / kTile * ((p.extent[last] + kTile - 1) / kTile);
      launch<copy_transposing_kernel<U>>(on, {.x = tiles, .y = outer < 65535 ? outer : 65535, .threads = kTile * kTileRows}, p, contiguous,
                                         last, outer, from.as<U>(), into.as<U>());
      return;
    }
    const int64_t n = count_of(p.extent, p.rank);
    on_index(n, [&]<class I>() { launch<copy_strided_kernel<I, U>>(on, grid_over(n), p, n, from.as<U>(), into.as<U>()); });
  });
}

void place_box(Cuda on, PlacedBox p, View value, View from, View into) {
  simplify(p);
  const int64_t element = int64_t(size_of(into.dtype));
  const int last = p.rank - 1;
  int64_t unit = element;
  for (int64_t u = 16; last >= 0 && unit == element && u > element; u /= 2)
    if (whole(p.extent[last], element, u) && whole(p.begin[last], element, u) && whole(p.size[last], element, u) &&
        aligned(from.data, u) && aligned(into.data, u))
      unit = u;
  if (last >= 0) p.extent[last] /= unit / element, p.begin[last] /= unit / element, p.size[last] /= unit / element;
  const int64_t n = count_of(p.extent, p.rank);
  on_unit(int(unit), [&]<class U>() {
    on_index(n, [&]<class I>() {
      launch<copy_place_box_kernel<I, U>>(on, grid_over(n), p, n, value.as<unsigned char>(), int(element), from.as<U>(), into.as<U>());
    });
  });
}

void mapped_copy(Cuda on, const MappedCopy& copy, View map_d, View map_h, View map_w, View from, View into) {
  MappedCopy p = copy;
  const int64_t element = int64_t(size_of(into.dtype));
  int64_t unit = element;
  for (int64_t u = 16; unit == element && u > element; u /= 2)
    if (whole(p.c, element, u) && aligned(from.data, u) && aligned(into.data, u)) unit = u;
  p.c /= unit / element;
  const int64_t n = p.n * p.out[0] * p.out[1] * p.out[2] * p.c;
  on_unit(int(unit), [&]<class U>() {
    on_index(n, [&]<class I>() {
      launch<copy_mapped_kernel<I, U>>(on, grid_over(n), p, n, map_d.as<int32_t>(), map_h.as<int32_t>(), map_w.as<int32_t>(), from.as<U>(),
                                       into.as<U>());
    });
  });
}

}  // namespace voxgrad
