#include "io/formats/voxels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/device/parallel.h"

namespace voxgrad {
namespace {
static_assert(std::endian::native == std::endian::little);
constexpr int64_t kChunk = 256 << 10;  // elements converted at once

template <class F>
decltype(auto) on_stored(Stored s, F&& f) {
  switch (s) {
    case Stored::u8: return f.template operator()<uint8_t>();
    case Stored::i8: return f.template operator()<int8_t>();
    case Stored::u16: return f.template operator()<uint16_t>();
    case Stored::i16: return f.template operator()<int16_t>();
    case Stored::u32: return f.template operator()<uint32_t>();
    case Stored::i32: return f.template operator()<int32_t>();
    case Stored::u64: return f.template operator()<uint64_t>();
    case Stored::i64: return f.template operator()<int64_t>();
    case Stored::f32: return f.template operator()<float>();
    case Stored::f16: return f.template operator()<f16>();
    default: return f.template operator()<double>();
  }
}

void swap_bytes(void* data, int64_t count, int size) {
  if (size == 2) {
    auto* p = static_cast<uint16_t*>(data);
    for (int64_t i = 0; i < count; ++i) p[i] = __builtin_bswap16(p[i]);
  } else if (size == 4) {
    auto* p = static_cast<uint32_t*>(data);
    for (int64_t i = 0; i < count; ++i) p[i] = __builtin_bswap32(p[i]);
  } else if (size == 8) {
    auto* p = static_cast<uint64_t*>(data);
    for (int64_t i = 0; i < count; ++i) p[i] = __builtin_bswap64(p[i]);
  }
}

// to[i] = from[i], or slope from[i] + intercept in f64.
template <class S, class T>
void convert(const S* from, int64_t count, const VoxelLayout& v, T* to, const std::string& who) {
  // Numbers of f64 that f32 has no place for.
  bool lost = false;
  const auto kept = [&](double x) {
    const T y = T(x);
    if constexpr (std::is_floating_point_v<T>) lost |= std::isinf(y) && !std::isinf(x);
    return y;
  };
  if (v.is_rescaled()) {
    for (int64_t i = 0; i < count; ++i) to[i] = kept(double(from[i]) * v.slope + v.intercept);
  } else if constexpr (std::is_integral_v<S> && std::is_integral_v<T>) {
    S low = from[0], high = from[0];
    for (int64_t i = 0; i < count; ++i) low = std::min(low, from[i]), high = std::max(high, from[i]);
    check(std::in_range<T>(low) && std::in_range<T>(high), who, ": the values ", +low, " to ", +high, " of ", name_of(v.stored),
          " do not fit i32");
    for (int64_t i = 0; i < count; ++i) to[i] = T(from[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) to[i] = kept(double(from[i]));
  }
  check(!lost, who, ": values of ", v.is_rescaled() ? "a rescaled " : "", name_of(v.stored), " do not fit f32, whose largest is 3.4e38; ",
        "give them another unit");
}

bool kept_as_is(const VoxelLayout& v) {
  return !v.is_rescaled() && size_of(v.stored) == int(size_of(v.dtype())) && v.stored != Stored::u32;
}

// fetch(to, bytes) delivers the next bytes.
template <class Fetch>
Tensor read_elements(const VoxelLayout& v, const std::string& who, Fetch&& fetch) {
  Tensor out = Tensor::empty(v.shape(), v.dtype());
  const int size = size_of(v.stored);
  const int64_t count = out.count();
  if (kept_as_is(v)) {
    fetch(out.view().data, uint64_t(count) * size);
    if (v.swapped) parallel_ranges(count, kChunk, [&](int64_t b, int64_t e) { swap_bytes(out.view().as<char>() + b * size, e - b, size); });
    return v.planar && v.channels > 1 ? interleaved(out, v.shape()) : out;
  }
  std::vector<uint64_t> chunk(size_t(std::min(count, kChunk)) * size / 8 + 1);
  on_stored(v.stored, [&]<class S>() {
    on_any_dtype(v.dtype(), [&]<class T>() {
      for (int64_t i = 0; i < count; i += kChunk) {
        const int64_t n = std::min(kChunk, count - i);
        fetch(chunk.data(), uint64_t(n) * size);
        if (v.swapped) swap_bytes(chunk.data(), n, size);
        convert(reinterpret_cast<const S*>(chunk.data()), n, v, out.view().as<T>() + i, who);
      }
    });
  });
  return v.planar && v.channels > 1 ? interleaved(out, v.shape()) : out;
}

// to {columns, rows} = transpose of from {rows, columns}, in tiles that fit the cache.
template <class U>
void transpose(const U* from, int64_t rows, int64_t columns, U* to) {
  constexpr int64_t kTile = 64;
  parallel_for(chunk_count(columns, kTile), 16, [&](int64_t tile) {
    const int64_t first = tile * kTile, last = std::min(columns, first + kTile);
    for (int64_t r0 = 0; r0 < rows; r0 += kTile)
      for (int64_t c = first; c < last; ++c)
        for (int64_t r = r0; r < std::min(rows, r0 + kTile); ++r) to[c * rows + r] = from[r * columns + c];
  });
}
}  // namespace

int size_of(Stored s) {
  return on_stored(s, []<class S>() { return int(sizeof(S)); });
}
bool Bounds::holds(double v) const { return std::isfinite(v) ? v >= low && v <= high && (!whole || v == std::floor(v)) : !whole; }
Bounds range_of(Stored s) {
  return on_stored(s, []<class S>() {
    if constexpr (std::is_integral_v<S>) return Bounds{double(std::numeric_limits<S>::min()), double(std::numeric_limits<S>::max()), true};
    else if constexpr (std::is_same_v<S, f16>) return Bounds{-65504, 65504};
    else return Bounds{double(std::numeric_limits<S>::lowest()), double(std::numeric_limits<S>::max())};
  });
}
const char* name_of(Stored s) {
  constexpr const char* names[] = {"u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "f16"};
  return names[int(s)];
}
Stored stored_as(DType t) {
  switch (t) {
    case DType::u8: return Stored::u8;
    case DType::i16: return Stored::i16;
    case DType::i32: return Stored::i32;
    case DType::f64: return Stored::f64;
    default: return Stored::f32;
  }
}

DType VoxelLayout::dtype() const {
  if (is_rescaled()) return DType::f32;
  switch (stored) {
    case Stored::u8: return DType::u8;
    case Stored::i8:
    case Stored::i16: return DType::i16;
    case Stored::f16:
    case Stored::f32:
    case Stored::f64: return DType::f32;
    default: return DType::i32;
  }
}

void VoxelLayout::validate(const std::string& who) const {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  uint64_t total = 8;  // the widest element
  for (const int64_t extent : {size[0], size[1], size[2], channels}) {
    check(extent >= 1 && extent <= kMost && !__builtin_mul_overflow(total, uint64_t(extent), &total) && total >> 62 == 0, who,
          ": the header announces ", size[0], " x ", size[1], " x ", size[2], " voxels of ", channels,
          " channels, which is not possible; its header is wrong");
  }
}

uint64_t VoxelLayout::bytes() const { return uint64_t(size[0]) * size[1] * size[2] * channels * size_of(stored); }

Tensor read_voxels(ByteSource& source, const VoxelLayout& v) {
  v.validate(source.name());
  source.expect(v.bytes(), "voxels");
  Tensor out = read_elements(v, source.name(), [&](void* to, uint64_t bytes) { source.read(to, bytes); });
  source.finish();
  return out;
}

Tensor convert_voxels(std::span<const std::byte> data, const VoxelLayout& v, const std::string& who) {
  v.validate(who);
  check(data.size() == v.bytes(), who, ": ", data.size(), " bytes of voxels, wanted ", v.bytes());
  const std::byte* next = data.data();
  return read_elements(v, who, [&](void* to, uint64_t bytes) {
    std::memcpy(to, next, bytes);
    next += bytes;
  });
}

Tensor interleaved(const Tensor& t, const Shape& shape) {
  Tensor out = Tensor::empty(shape, t.dtype());
  const int64_t channels = shape[-1];
  on_element_size(t.dtype(), [&]<class U>() { transpose(t.view().as<U>(), channels, t.count() / channels, out.view().as<U>()); });
  return out;
}

Tensor planar(const Tensor& t) {
  const Shape& s = t.shape();
  Tensor out = Tensor::empty({s[3], s[0], s[1], s[2]}, t.dtype());
  on_element_size(t.dtype(), [&]<class U>() { transpose(t.view().as<U>(), t.count() / s[3], s[3], out.view().as<U>()); });
  return out;
}

}  // namespace voxgrad
