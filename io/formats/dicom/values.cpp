#include "io/formats/dicom/values.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace voxgrad::dicom {
namespace {
constexpr uint64_t kMostPending = 128 << 20;  // bytes of decoded frames at once

// to[i] = read(i) of every sample, in the order of the file.
template <class Read>
void fill(const PixelFormat& p, bool by_plane, std::vector<double>& to, Read&& read) {
  const auto voxels = size_t(p.rows * p.columns), samples = size_t(p.samples);
  to.resize(voxels * samples);
  for (size_t s = 0; s < samples; ++s)
    for (size_t v = 0; v < voxels; ++v) to[v * samples + s] = read(by_plane ? s * voxels + v : v * samples + s);
}

// Two brightnesses and their common two colours in four samples, of YBR_FULL_422.
size_t place_422(size_t i) {
  const size_t voxel = i / 3, sample = i % 3, pair = voxel / 2 * 4;
  return sample == 0 ? pair + voxel % 2 : pair + 1 + sample;
}

double rounded(double v) { return std::floor(std::min(std::max(v, 0.0), 255.0) + 0.5); }

// PS3.3 C.7.6.3.1.2, of 8 bits.
void rgb_from_ybr(std::vector<double>& v) {
  for (size_t i = 0; i + 2 < v.size(); i += 3) {
    const double y = v[i], b = v[i + 1] - 128, r = v[i + 2] - 128;
    v[i] = rounded(y + 1.402 * r), v[i + 1] = rounded(y - 0.344136 * b - 0.714136 * r), v[i + 2] = rounded(y + 1.772 * b);
  }
}

bool is_ybr(const Object& o) {
  const std::string& p = o.format.photometric;
  const bool decoded = o.format.syntax.starts_with("1.2.840.10008.1.2.4.");  // to RGB
  return o.format.samples == 3 && o.format.stored == 8 && !decoded && (p == "YBR_FULL" || p == "YBR_FULL_422");
}

bool is_coloured(const Object& o, bool labels) { return o.format.has_palette() && !labels && !o.palette[0].values.empty(); }
}  // namespace

void unpack(const FrameBytes& f, const PixelFormat& p, std::vector<double>& values) {
  const std::byte* b = f.bytes.data();
  const auto size = int(f.allocated / 8);
  if (f.allocated == 1)
    return fill(p, f.by_plane, values, [&](size_t i) { return double(unsigned(b[(f.bit + i) / 8]) >> (f.bit + i) % 8 & 1); });
  if (p.is_float && p.allocated == 32)
    return fill(p, f.by_plane, values, [&](size_t i) { return double(std::bit_cast<float>(uint32_t(unsigned_at(b + i * 4, 4, f.big)))); });
  if (p.is_float) return fill(p, f.by_plane, values, [&](size_t i) { return std::bit_cast<double>(unsigned_at(b + i * 8, 8, f.big)); });
  const int low = p.is_widened() ? 7 : p.high + 1 - p.stored;
  const uint64_t mask = p.stored >= 32 ? 0xffffffffu : (uint64_t(1) << p.stored) - 1, sign = uint64_t(1) << (p.stored - 1);
  const bool halved = p.photometric == "YBR_FULL_422" && !p.syntax.starts_with("1.2.840.10008.1.2.4.");
  const auto value = [&](uint64_t raw) {
    const uint64_t v = raw >> low & mask;
    return p.is_signed && (v & sign) ? double(v) - 2 * double(sign) : double(v);
  };
  if (halved) return fill(p, false, values, [&](size_t i) { return value(unsigned_at(b + place_422(i) * size_t(size), size, f.big)); });
  if (size == 1) return fill(p, f.by_plane, values, [&](size_t i) { return value(uint64_t(b[i])); });
  if (size == 2 && !f.big)
    return fill(p, f.by_plane, values, [&](size_t i) { return value(uint64_t(b[2 * i]) | uint64_t(b[2 * i + 1]) << 8); });
  fill(p, f.by_plane, values, [&](size_t i) { return value(unsigned_at(b + i * size_t(size), size, f.big)); });
}

int64_t samples_after(const Object& o, bool labels) { return is_coloured(o, labels) ? 3 : o.format.samples; }

void give_meaning(const Object& o, const Plane& p, bool labels, std::vector<double>& v) {
  if (is_ybr(o)) rgb_from_ybr(v);
  if (is_coloured(o, labels)) {
    std::vector<double> colours;
    colours.reserve(v.size() * 3);
    for (const double index : v)
      for (const auto& table : o.palette) colours.push_back(table(index));
    v = std::move(colours);
  } else if (!o.modality_table.values.empty()) {
    for (double& x : v) x = o.modality_table(x);
  } else if (p.slope != 1 || p.intercept != 0) {
    for (double& x : v) x = x * p.slope + p.intercept;
  }
}

namespace {
Stored stored_of(const PixelFormat& p) {
  if (p.is_float) return p.allocated == 32 ? Stored::f32 : Stored::f64;
  if (p.allocated <= 8) return p.is_signed ? Stored::i8 : Stored::u8;
  if (p.allocated == 16) return p.is_signed ? Stored::i16 : Stored::u16;
  return p.is_signed ? Stored::i32 : Stored::u32;
}

// The type of what the values of one object mean, by the table in image.h.
DType meant_by(const Object& o, bool labels) {
  const PixelFormat& p = o.format;
  if (p.is_float) return DType::f32;
  if (is_coloured(o, labels)) return std::max({o.palette[0].bits, o.palette[1].bits, o.palette[2].bits}) <= 8 ? DType::u8 : DType::i32;
  if (!o.modality_table.values.empty()) return o.modality_table.bits < 16 ? DType::i16 : DType::i32;
  const double low = p.is_signed ? -std::ldexp(1, p.stored - 1) : 0, high = std::ldexp(1, p.stored - (p.is_signed ? 1 : 0)) - 1;
  bool rescaled = false, whole = true;
  double least = low, most = high;
  for (const Plane& plane : o.planes) {
    const double a = low * plane.slope + plane.intercept, b = high * plane.slope + plane.intercept;
    rescaled = rescaled || plane.slope != 1 || plane.intercept != 0;
    whole = whole && plane.slope == std::floor(plane.slope) && plane.intercept == std::floor(plane.intercept);
    least = std::min({least, a, b}), most = std::max({most, a, b});
  }
  if (!rescaled) return VoxelLayout{.stored = stored_of(p)}.dtype();
  if (!whole || least < -2147483648.0 || most > 2147483647.0) return DType::f32;
  return least >= -32768 && most <= 32767 ? DType::i16 : DType::i32;
}
}  // namespace

Types types_of(const std::vector<Object>& objects, bool labels) {
  Types t{stored_of(objects[0].format), meant_by(objects[0], labels)};
  for (const Object& o : objects) {
    const DType other = meant_by(o, labels);
    const bool whole = !is_floating(other) && !is_floating(t.dtype);
    if (other != t.dtype) t.dtype = whole ? DType::i32 : DType::f32;
  }
  return t;
}

void each_frame(const std::vector<Object>& objects, const std::vector<WantedFrame>& wanted,
                const std::function<void(size_t, std::vector<double>&)>& use) {
  std::vector<size_t> order(wanted.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return wanted[a].object < wanted[b].object; });
  std::vector<CodedFrame> coded;
  std::vector<size_t> waiting;
  uint64_t pending = 0;
  std::vector<double> values;
  const auto flush = [&] {
    if (coded.empty()) return;
    const auto decoded = decode_frames(coded);
    for (size_t i = 0; i < decoded.size(); ++i) {
      const PixelFormat& p = objects[wanted[waiting[i]].object].format;
      FrameBytes f{.bytes = decoded[i], .allocated = p.allocated == 1 ? 8 : p.allocated};
      unpack(f, p, values);
      use(waiting[i], values);
    }
    coded.clear(), waiting.clear(), pending = 0;
  };
  for (size_t at = 0; at < order.size();) {
    const size_t o = wanted[order[at]].object;
    const DicomFile file = open_dicom(objects[o].path);
    const PixelFormat& p = objects[o].format;
    check(pixel_format(file) == p, file.who(), ": was changed while it was read");
    FrameReader reader(file, p);
    for (; at < order.size() && wanted[order[at]].object == o; ++at) {
      const size_t i = order[at];
      if (reader.coding() == Coding::library) {
        const uint64_t bytes = uint64_t(p.rows) * uint64_t(p.columns) * uint64_t(p.samples) * uint64_t(std::max(p.allocated, 8)) / 8;
        coded.push_back({file.who(), reader.coded_file(wanted[i].frame), bytes});
        waiting.push_back(i), pending += bytes;
        if (pending > kMostPending) flush();
      } else {
        unpack(reader.frame(wanted[i].frame), p, values);
        use(i, values);
      }
    }
  }
  flush();
}

}  // namespace voxgrad::dicom
