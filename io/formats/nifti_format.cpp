#include "io/formats/nifti_format.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace voxgrad {
namespace {
constexpr size_t kSize1 = 348, kSize2 = 540;
constexpr int kFirstCifti = 3000, kLastCifti = 3099;         // intent codes (www.nitrc.org/forum/attachment.php?attachid=333)
constexpr int kMetre = 1, kMillimetre = 2, kMicrometre = 3;  // NIFTI_UNITS_*

Affine scaled(Affine a, double factor) {
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 4; ++c) a(r, c) *= factor;
  return a;
}

struct Fields {
  const std::byte* bytes;
  bool swapped;
  template <class T>
  T get(size_t offset) const {
    std::array<std::byte, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes + offset, sizeof(T));
    if (swapped) std::reverse(raw.begin(), raw.end());
    return std::bit_cast<T>(raw);
  }
  template <class T, class U, size_t N>
  void get(size_t offset, U (&out)[N]) const {
    for (size_t i = 0; i < N; ++i) out[i] = U(get<T>(offset + i * sizeof(T)));
  }
};

template <class T>
void put(std::vector<std::byte>& bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(T));
}

struct PixelType {
  int code;
  Stored stored;
  int channels;
};
constexpr PixelType kPixelTypes[] = {
    {2, Stored::u8, 1},     {4, Stored::i16, 1},    {8, Stored::i32, 1},    {16, Stored::f32, 1},  {32, Stored::f32, 2},
    {64, Stored::f64, 1},   {128, Stored::u8, 3},   {256, Stored::i8, 1},   {512, Stored::u16, 1}, {768, Stored::u32, 1},
    {1024, Stored::i64, 1}, {1280, Stored::u64, 1}, {1792, Stored::f64, 2}, {2304, Stored::u8, 4},
};

// Rotation of the unit quaternion (a, b, c, d), a = sqrt(1 - b^2 - c^2 - d^2) >= 0.
void rotation_of(const double (&q)[3], double (&r)[3][3]) {
  double b = q[0], c = q[1], d = q[2], a = 1 - (b * b + c * c + d * d);
  if (a < 1e-7) {  // a turn by 180 degrees, up to rounding
    const double n = 1 / std::sqrt(b * b + c * c + d * d);
    b *= n, c *= n, d *= n, a = 0;
  } else {
    a = std::sqrt(a);
  }
  const double m[3][3] = {{a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
                          {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
                          {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c}};
  std::memcpy(r, m, sizeof m);
}

// (b, c, d) of a rotation, from its largest component so that nothing is divided by a small number.
void quaternion_of(const double (&r)[3][3], double (&q)[3]) {
  const double square[4] = {1 + r[0][0] + r[1][1] + r[2][2], 1 + r[0][0] - r[1][1] - r[2][2], 1 - r[0][0] + r[1][1] - r[2][2],
                            1 - r[0][0] - r[1][1] + r[2][2]};
  const int k = int(std::max_element(square, square + 4) - square);
  const double s = 2 * std::sqrt(square[k]);  // four times the largest component
  const double x = r[2][1] - r[1][2], y = r[0][2] - r[2][0], z = r[1][0] - r[0][1];
  const double xy = r[0][1] + r[1][0], xz = r[0][2] + r[2][0], yz = r[1][2] + r[2][1];
  const double all[4][4] = {
      {s / 4, x / s, y / s, z / s}, {x / s, s / 4, xy / s, xz / s}, {y / s, xy / s, s / 4, yz / s}, {z / s, xz / s, yz / s, s / 4}};
  const double sign = all[k][0] < 0 ? -1 : 1;
  for (int i = 0; i < 3; ++i) q[i] = sign * all[k][i + 1];
}

double usable_size(double pixdim) { return std::isfinite(pixdim) && pixdim != 0 ? std::abs(pixdim) : 1; }

// Columns (i, j, k) of the file to (d, h, w) of the tensor.
Affine from_columns(const double (&m)[3][4]) {
  Affine out;
  for (int r = 0; r < 3; ++r) out.m[r] = {m[r][2], m[r][1], m[r][0], m[r][3]};
  return out;
}
}  // namespace

NiftiHeader parse_nifti(const std::vector<std::byte>& bytes, const std::string& who) {
  check(bytes.size() >= kSize1, who, ": has ", bytes.size(), " bytes, too few for a NIfTI header");
  Fields f{bytes.data(), false};
  if (const int32_t size = f.get<int32_t>(0); size != int(kSize1) && size != int(kSize2)) f.swapped = true;
  const int32_t size = f.get<int32_t>(0);
  check(size == int(kSize1) || (size == int(kSize2) && bytes.size() >= kSize2), who, ": its first bytes are no NIfTI header");
  NiftiHeader h;
  h.swapped = f.swapped, h.version = size == int(kSize1) ? 1 : 2;
  const char* magic = reinterpret_cast<const char*>(bytes.data()) + (h.version == 1 ? 344 : 4);
  const char digit = char('0' + h.version);
  check(magic[0] == 'n' && (magic[1] == '+' || magic[1] == 'i') && magic[2] == digit && magic[3] == 0, who,
        ": has no NIfTI signature; Analyze 7.5 files, which do not say left from right, are not read");
  h.single_file = magic[1] == '+';
  if (h.version == 1) {
    f.get<int16_t>(40, h.dim), f.get<float>(76, h.pixdim);
    h.intent = f.get<int16_t>(68), h.datatype = f.get<int16_t>(70), h.voxel_offset = f.get<float>(108);
    h.slope = f.get<float>(112), h.intercept = f.get<float>(116), h.units = int(f.get<uint8_t>(123));
    h.qform_code = f.get<int16_t>(252), h.sform_code = f.get<int16_t>(254);
    f.get<float>(256, h.quatern), f.get<float>(268, h.qoffset);
    for (int r = 0; r < 3; ++r) f.get<float>(280 + 16 * size_t(r), h.srow[r]);
  } else {
    f.get<int64_t>(16, h.dim), f.get<double>(104, h.pixdim);
    h.intent = f.get<int32_t>(504), h.datatype = f.get<int16_t>(12), h.voxel_offset = double(f.get<int64_t>(168));
    h.slope = f.get<double>(176), h.intercept = f.get<double>(184), h.units = f.get<int32_t>(500) & 0xff;
    h.qform_code = f.get<int32_t>(344), h.sform_code = f.get<int32_t>(348);
    f.get<double>(352, h.quatern), f.get<double>(376, h.qoffset);
    for (int r = 0; r < 3; ++r) f.get<double>(400 + 32 * size_t(r), h.srow[r]);
  }
  check(h.dim[0] >= 1 && h.dim[0] <= 7, who, ": the header announces ", h.dim[0], " axes, 1 to 7 are possible");
  const double least = h.single_file ? double(h.version == 1 ? kSize1 : kSize2) : 0;
  if (h.single_file && h.voxel_offset == 0) h.voxel_offset = least + 4;
  check(h.voxel_offset >= least && h.voxel_offset < 0x1p53 && h.voxel_offset == std::floor(h.voxel_offset), who,
        ": the header says that voxels start at byte ", h.voxel_offset);
  return h;
}

std::vector<std::byte> serialize_nifti(const NiftiHeader& h) {
  const bool first = h.version == 1;
  std::vector<std::byte> b((first ? kSize1 : kSize2) + 4);
  put(b, 0, int32_t(first ? kSize1 : kSize2));
  const VoxelLayout v = layout_of(h, "NIfTI");
  const int bits = 8 * size_of(v.stored);
  std::memcpy(b.data() + (first ? 344 : 4), first ? "n+1\0" : "n+2\0\r\n\032\n", first ? 4 : 8);
  for (size_t i = 0; i < 8; ++i) {
    if (first) put(b, 40 + 2 * i, int16_t(h.dim[i])), put(b, 76 + 4 * i, float(h.pixdim[i]));
    else put(b, 16 + 8 * i, h.dim[i]), put(b, 104 + 8 * i, h.pixdim[i]);
  }
  if (first) {
    put(b, 38, 'r'), put(b, 70, int16_t(h.datatype)), put(b, 72, int16_t(bits)), put(b, 108, float(b.size()));
    put(b, 112, 1.0f), put(b, 123, uint8_t(h.units)), put(b, 252, int16_t(h.qform_code)), put(b, 254, int16_t(h.sform_code));
  } else {
    put(b, 12, int16_t(h.datatype)), put(b, 14, int16_t(bits)), put(b, 168, int64_t(b.size()));
    put(b, 176, 1.0), put(b, 500, int32_t(h.units)), put(b, 344, int32_t(h.qform_code)), put(b, 348, int32_t(h.sform_code));
  }
  for (size_t i = 0; i < 3; ++i) {
    if (first) put(b, 256 + 4 * i, float(h.quatern[i])), put(b, 268 + 4 * i, float(h.qoffset[i]));
    else put(b, 352 + 8 * i, h.quatern[i]), put(b, 376 + 8 * i, h.qoffset[i]);
    for (size_t c = 0; c < 4; ++c) {
      if (first) put(b, 280 + 16 * i + 4 * c, float(h.srow[i][c]));
      else put(b, 400 + 32 * i + 8 * c, h.srow[i][c]);
    }
  }
  return b;
}

VoxelLayout layout_of(const NiftiHeader& h, const std::string& who) {
  VoxelLayout v{.format = h.version == 1 ? "NIfTI-1" : "NIfTI-2", .swapped = h.swapped};
  check(h.version == 1 || h.intent < kFirstCifti || h.intent > kLastCifti, who, ": is CIFTI (intent ", h.intent,
        "): values of points of the brain, no image; wb_command -cifti-separate writes its volumes as NIfTI");
  const auto* type = std::find_if(std::begin(kPixelTypes), std::end(kPixelTypes), [&](const PixelType& t) { return t.code == h.datatype; });
  check(type != std::end(kPixelTypes), who, ": its NIfTI data type ", h.datatype, " is not one that is read");
  v.stored = type->stored;
  int64_t further = 1;
  for (int64_t axis = 1; axis <= h.dim[0]; ++axis) {
    const int64_t extent = h.dim[axis];
    check(extent >= 1, who, ": the header announces ", extent, " voxels along axis ", axis);
    if (axis <= 3) v.size[3 - axis] = extent;
    else check(!__builtin_mul_overflow(further, extent, &further), who, ": the header announces an impossible number of channels");
  }
  check(type->channels == 1 || further == 1, who, ": ", further, " further volumes of voxels with ", type->channels,
        " components are not read");
  v.channels = type->channels * further, v.planar = further > 1;
  // A slope of 0 means that there is none; it does not apply to colours.
  if (h.slope != 0 && std::isfinite(h.slope) && std::isfinite(h.intercept) && h.datatype != 128 && h.datatype != 2304)
    v.slope = h.slope, v.intercept = h.intercept;
  v.validate(who);
  return v;
}

Affine affine_of(const NiftiHeader& h) {
  Affine affine;
  bool known = false;
  if (h.sform_code > 0) {
    affine = from_columns(h.srow);
    known = affine.is_valid();
  }
  const double size[3] = {usable_size(h.pixdim[1]), usable_size(h.pixdim[2]), usable_size(h.pixdim[3])};
  if (!known && h.qform_code > 0) {
    double r[3][3], m[3][4];
    rotation_of(h.quatern, r);
    for (int row = 0; row < 3; ++row) {
      for (int c = 0; c < 3; ++c) m[row][c] = r[row][c] * size[c] * (c == 2 && h.pixdim[0] < 0 ? -1 : 1);
      m[row][3] = h.qoffset[row];
    }
    affine = from_columns(m);
    known = affine.is_valid();
  }
  if (!known) {
    double m[3][4] = {};
    for (int a = 0; a < 3; ++a) {
      m[a][a] = a == 0 ? -size[a] : size[a];
      m[a][3] = -m[a][a] * double((a < h.dim[0] ? h.dim[a + 1] : 1) - 1) / 2;
    }
    affine = from_columns(m);
  }
  return scaled(affine, millimetres(unit_of(h)));
}

LengthUnit unit_of(const NiftiHeader& h) {
  const int unit = h.units & 7;
  return unit == kMetre ? LengthUnit::metre : unit == kMicrometre ? LengthUnit::micrometre : LengthUnit::millimetre;
}

void set_affine(NiftiHeader& h, const Affine& in_mm, LengthUnit unit) {
  const Affine a = scaled(in_mm, 1 / millimetres(unit));
  h.units = unit == LengthUnit::metre ? kMetre : unit == LengthUnit::micrometre ? kMicrometre : kMillimetre;
  h.sform_code = 1, h.qform_code = 1;
  const Vec3 spacing = a.spacing();
  const double handedness = -a.determinant() < 0 ? -1 : 1;  // of (i, j, k), the reverse order of (d, h, w)
  double r[3][3];
  for (int row = 0; row < 3; ++row) {
    for (int c = 0; c < 3; ++c) {
      h.srow[row][c] = a(row, 2 - c);
      r[row][c] = a(row, 2 - c) / spacing[2 - c] * (c == 2 ? handedness : 1);
    }
    h.srow[row][3] = h.qoffset[row] = a(row, 3);
  }
  h.pixdim[0] = handedness;
  for (int c = 0; c < 3; ++c) h.pixdim[c + 1] = spacing[2 - c];
  double shear = 0;
  for (int c = 0; c < 3; ++c) {
    const int next = (c + 1) % 3;
    shear = std::max(shear, std::abs(r[0][c] * r[0][next] + r[1][c] * r[1][next] + r[2][c] * r[2][next]));
  }
  if (shear < 1e-4) quaternion_of(r, h.quatern);
  else h.qform_code = 0;
}

}  // namespace voxgrad
