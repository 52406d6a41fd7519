#include "io/image.h"

#include <array>
#include <bit>

#include "core/device/parallel.h"
#include "io/formats/gzip.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
Affine oblique() {
  Affine a;
  const double c = std::cos(0.4), s = std::sin(0.4);
  a.m = {
      {{0.3 * 2.5, s * 0.8, -c * 1.1, -31.25}, {-0.1 * 2.5, c * 0.8, s * 1.1, 17.5}, {0.9 * 2.5, 0, 0, 403.75}, {0, 0, 0, 1}}};  // sheared
  return a;
}

Affine rotated() {
  Affine a;
  const double c = std::cos(2.8), s = std::sin(2.8);
  a.m = {{{0, -s * 0.8, c * 1.1, -31.25}, {0, c * 0.8, s * 1.1, 17.5}, {-2.5, 0, 0, 403.75}, {0, 0, 0, 1}}};
  return a;
}

Tensor numbered(const Shape& s, DType t) {
  std::vector<double> values(size_t(s.count()));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = t == DType::u8 ? double(i % 256) : t == DType::f32 ? double(i) / 7 - 20 : double(i % 32768) - 300;
  return Tensor::from(values, s, t);
}

double difference(const Affine& a, const Affine& b) {
  double most = 0;
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 4; ++c)
      if (!(std::abs(a(r, c) - b(r, c)) <= most)) most = std::abs(a(r, c) - b(r, c));
  return most;
}

// A NIfTI-1 file of 4 x 3 x 2 voxels of u8, whose header a test changes.
std::string small_nifti(const TemporaryFolder& folder) {
  const auto path = folder / "small.nii";
  write_volume(path, {numbered({2, 3, 4, 1}, DType::u8), rotated()});
  return file_bytes(path);
}
template <class T>
std::string with(std::string bytes, size_t offset, T value) {
  const auto raw = std::bit_cast<std::array<char, sizeof value>>(value);
  for (size_t i = 0; i < raw.size(); ++i) bytes.at(offset + i) = raw[i];
  return bytes;
}
std::string read_error(const std::filesystem::path& path) {
  return error_of([&] { read_volume(path); });
}
}  // namespace

TEST_CASE("a round trip through a file keeps voxels and affine exactly") {
  const TemporaryFolder folder;
  for (const char* ending : {".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"})
    for (const DType t : {DType::u8, DType::i16, DType::i32, DType::f32})
      for (const int64_t channels : {1, 3})
        for (const Affine& affine : {rotated(), oblique(), Affine::scaling({1, 2, 3}, {0, -1, 0.1})}) {
          CAPTURE(ending, name_of(t), channels);
          const Volume v{numbered({5, 6, 7, channels}, t), affine};
          const auto path = folder / (std::string("v") + ending);
          write_volume(path, v);
          const Volume back = read_volume(path);
          REQUIRE(back.data.dtype() == t);
          REQUIRE(back.data.shape() == v.data.shape());
          REQUIRE(back.data.values() == v.data.values());
          // NIfTI-1 has the affine in f32; the others keep spacing and directions apart, as decimal f64.
          REQUIRE_FALSE(!(difference(back.affine, affine) <= (std::string(ending).starts_with(".nii") ? 403.75 * 0x1p-24 : 1e-13)));
          const VolumeHeader h = read_header(path);
          REQUIRE(h.shape == v.data.shape());
          REQUIRE(h.dtype == t);
          REQUIRE(h.affine == back.affine);
        }
}

TEST_CASE("what a file cannot hold is stored as f32, tensors without channels get one, f64 is read as f32") {
  const TemporaryFolder folder;
  const Tensor t = numbered({2, 3, 4}, DType::f32);
  write_volume(folder / "a.nii", {t.to(DType::bf16), Affine::scaling({1, 1, 1})});
  const Volume a = read_volume(folder / "a.nii");
  CHECK(a.data.shape() == Shape{2, 3, 4, 1});
  CHECK(a.data.values() == t.to(DType::bf16).values());
  write_volume(folder / "b.mha", {t.to(DType::f64), Affine::scaling({1, 1, 1})});
  CHECK(read_header(folder / "b.mha").stored == "f64");
  CHECK(read_volume(folder / "b.mha").data.dtype() == DType::f32);
}

TEST_CASE("an extent beyond 32767 makes a NIfTI-2 file") {
  const TemporaryFolder folder;
  const Volume v{numbered({1, 2, 40000, 1}, DType::u8), oblique()};
  write_volume(folder / "wide.nii", v);
  CHECK(read_header(folder / "wide.nii").format == "NIfTI-2");
  const Volume back = read_volume(folder / "wide.nii");
  CHECK(back.data.values() == v.data.values());
  CHECK(back.affine == v.affine);  // f64 in the header
}

TEST_CASE("sform is preferred to qform, qform to voxel sizes alone") {
  const TemporaryFolder folder;
  const std::string bytes = small_nifti(folder);  // 252: qform_code, 254: sform_code
  const auto affine_with = [&](int16_t qform, int16_t sform) {
    put_bytes(folder / "c.nii", with(with(with(bytes, 252, qform), 254, sform), 292, 99.0f));  // 292: the offset in x of the sform
    return read_volume(folder / "c.nii").affine;
  };
  CHECK(affine_with(1, 2)(0, 3) == 99.0);
  CHECK_FALSE(!(difference(affine_with(1, 0), rotated()) < 1e-5));  // the quaternion is f32
  // As nibabel: x to the left, the origin in the centre.
  const Affine bare = affine_with(0, 0);
  CHECK(bare(0, 2) == Approx(-1.1));
  CHECK(bare(0, 3) == Approx(1.1 * 1.5));
  CHECK(bare(1, 3) == Approx(-0.8));
  // A form that cannot be inverted counts as absent.
  put_bytes(folder / "d.nii", with(with(with(bytes, 280, 0.0f), 284, 0.0f), 288, NAN));
  CHECK_FALSE(!(difference(read_volume(folder / "d.nii").affine, rotated()) < 1e-5));
  // 123: units; metres, micrometres. Both are those of the origin too.
  for (const auto& [code, mm] : {std::pair(1, 1000.0), std::pair(3, 0.001)}) {
    put_bytes(folder / "e.nii", with(bytes, 123, char(code)));
    const Affine read = read_volume(folder / "e.nii").affine;
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 4; ++c) CHECK(read(r, c) == Approx(mm * rotated()(r, c)));
  }
}

TEST_CASE("slope and intercept are applied, other byte orders and types are read") {
  const TemporaryFolder folder;
  const std::string bytes = small_nifti(folder);
  put_bytes(folder / "s.nii", with(with(bytes, 112, 0.5f), 116, -3.0f));
  const Volume v = read_volume(folder / "s.nii");
  CHECK(v.data.dtype() == DType::f32);
  CHECK(v.data.values()[6] == 0.0);
  put_bytes(folder / "n.nii", with(bytes, 112, NAN));
  CHECK(read_volume(folder / "n.nii").data.dtype() == DType::u8);

  std::string text =
      "NRRD0004\ntype: ushort\ndimension: 4\nsizes: 2 2 1 2\nendian: big\nencoding: raw\nspace directions: (0,0,2) (0,-3,0) (4,0,0) none\n";
  text += "space: right-anterior-superior\nspace origin: (1,2,3)\n\n";
  for (int i = 0; i < 8; ++i) text += char(0x80), text += char(i);
  put_bytes(folder / "big.nrrd", text);
  const Volume big = read_volume(folder / "big.nrrd");
  CHECK(big.data.shape() == Shape{1, 2, 2, 2});
  CHECK(big.data.dtype() == DType::i32);
  CHECK(big.data.values() == std::vector<double>{32768, 32772, 32769, 32773, 32770, 32774, 32771, 32775});
  CHECK(big.affine.apply({1, 1, 1}) == Vec3{5, -1, 5});

  text =
      "NDims = 2\nDimSize = 2 2\nElementType = MET_LONG_LONG\nBinaryDataByteOrderMSB = False\nElementSpacing = 2 3\nElementDataFile = "
      "LOCAL\n";
  const int64_t values[] = {1, -2, 3, 2147483647};
  put_bytes(folder / "l.mha", text + std::string(reinterpret_cast<const char*>(values), sizeof values));
  CHECK(read_volume(folder / "l.mha").data.values() == std::vector<double>{1, -2, 3, 2147483647});
  const int64_t wide[] = {1, -2, 3, 2147483648};
  put_bytes(folder / "l.mha", text + std::string(reinterpret_cast<const char*>(wide), sizeof wide));
  CHECK_THAT(read_error(folder / "l.mha"), Contains("2147483648") && Contains("do not fit i32"));
}

TEST_CASE("the matrix of a MetaImage lists directions axis by axis") {
  const TemporaryFolder folder;
  put_bytes(folder / "m.mha",
            "NDims = 3\nDimSize = 1 1 2\nElementType = MET_UCHAR\nElementSpacing = 2 3 4\nOffset = 5 6 7\n"
            "TransformMatrix = 0 1 0 0 0 1 1 0 0\nElementDataFile = LOCAL\nab");
  const Volume v = read_volume(folder / "m.mha");
  CHECK(v.data.values() == std::vector<double>{97, 98});
  CHECK(v.affine.apply({0, 0, 0}) == Vec3{-5, -6, 7});
  CHECK(v.affine.apply({0, 0, 1}) == Vec3{-5, -8, 7});  // i along y of LPS+
  CHECK(v.affine.apply({1, 0, 0}) == Vec3{-9, -6, 7});  // k along x
}

TEST_CASE("headers that promise more than the file has are refused before memory is asked for") {
  const TemporaryFolder folder;
  const std::string bytes = small_nifti(folder);
  const auto huge = with(with(with(bytes, 42, int16_t(30000)), 44, int16_t(30000)), 46, int16_t(30000));
  put_bytes(folder / "huge.nii", huge);
  CHECK_THAT(read_error(folder / "huge.nii"), Contains("27000000000000 bytes") && Contains("truncated"));
  const std::span<const std::byte> piece[] = {std::as_bytes(std::span(huge))};
  std::string packed;
  deflate_stream(piece, Wrapper::gzip, [&](const void* data, size_t n) { packed.append(static_cast<const char*>(data), n); });
  put_bytes(folder / "huge.nii.gz", packed);
  CHECK_THAT(read_error(folder / "huge.nii.gz"), Contains("27000000000000 bytes"));
  put_bytes(folder / "negative.nii", with(bytes, 42, int16_t(-4)));
  CHECK_THAT(read_error(folder / "negative.nii"), Contains("-4 voxels along axis 1"));
  put_bytes(folder / "axes.nii", with(bytes, 40, int16_t(9)));
  CHECK_THAT(read_error(folder / "axes.nii"), Contains("axes"));
  put_bytes(folder / "offset.nii", with(bytes, 108, 1e30f));
  CHECK_THAT(read_error(folder / "offset.nii"), Contains("start at byte"));
  put_bytes(folder / "type.nii", with(bytes, 70, int16_t(77)));
  CHECK_THAT(read_error(folder / "type.nii"), Contains("data type 77"));

  put_bytes(folder / "h.nrrd",
            "NRRD0004\ntype: float\ndimension: 3\nsizes: 99999999 99999999 99999999\nendian: little\nencoding: raw\n\nabc");
  CHECK_THAT(read_error(folder / "h.nrrd"), Contains("not possible"));
  put_bytes(folder / "g.nrrd", "NRRD0004\ntype: float\ndimension: 3\nsizes: 9999 9999 9999\nendian: little\nencoding: gzip\n\nabc");
  CHECK_THAT(read_error(folder / "g.nrrd"), Contains("truncated"));
  put_bytes(folder / "h.mha", "NDims = 3\nDimSize = 99999 99999 9999\nElementType = MET_FLOAT\nElementDataFile = LOCAL\nabc");
  CHECK_THAT(read_error(folder / "h.mha"), Contains("truncated"));
}

TEST_CASE("every truncation of every format is an error") {
  const TemporaryFolder folder;
  for (const char* ending : {".nii", ".nii.gz", ".nrrd", ".mha"}) {
    const auto path = folder / (std::string("t") + ending);
    write_volume(path, {numbered({4, 5, 6, 1}, DType::i16), rotated()});
    const std::string whole = file_bytes(path);
    for (size_t n = 0; n < whole.size(); n += n + 8 < whole.size() ? 7 : 1) {
      CAPTURE(ending, n, whole.size());
      put_bytes(path, whole.substr(0, n));
      REQUIRE(read_error(path).starts_with(path.string()));
    }
  }
}

TEST_CASE("corrupt compressed data is an error and no garbage ends the program") {
  const TemporaryFolder folder;
  uint32_t state = 1;
  const auto random = [&] { return state = state * 1664525 + 1013904223, state >> 8; };
  for (const char* ending : {".nii.gz", ".nrrd", ".mha", ".nii"}) {
    const auto path = folder / (std::string("c") + ending);
    write_volume(path, {numbered({4, 5, 6, 1}, DType::i16), rotated()});
    const std::string whole = file_bytes(path);
    int refused = 0;
    for (int round = 0; round < 300; ++round) {
      std::string changed = whole;
      for (int i = 0; i < 1 + round % 4; ++i) changed[random() % changed.size()] = char(random());
      put_bytes(path, changed);
      refused += !read_error(path).empty();
    }
    if (std::string(ending) == ".nii.gz") CHECK(refused >= 290);  // the checksum; bytes 4 to 9 of a gzip file do not matter
    CHECK(refused > 0);
  }
  for (int round = 0; round < 100; ++round) {
    std::string noise(random() % 2000, '\0');
    for (char& c : noise) c = char(random());
    put_bytes(folder / "noise.nii", noise);
    put_bytes(folder / "noise", noise);
    REQUIRE_FALSE(read_error(folder / "noise.nii").empty());
    REQUIRE_FALSE(read_error(folder / "noise").empty());
  }
}

TEST_CASE("names that cannot be read or written say so, and nothing is left behind") {
  const TemporaryFolder folder;
  const Volume v{numbered({20, 30, 40, 1}, DType::f32), rotated()};
  CHECK_THAT(read_error(folder / "absent.nii"), Contains("absent.nii") && Contains("no such file"));
  CHECK_THAT(error_of([&] { write_volume(folder / "no" / "v.nii", v); }), Contains("no folder"));
  CHECK_THAT(error_of([&] { write_volume(folder / "v.xyz", v); }), Contains(".nii.gz"));
  CHECK_THAT(error_of([&] { write_volume(folder / "v.nii", {Tensor(), rotated()}); }), Contains("no data"));
  Affine flat = rotated();
  flat(2, 0) = 0;
  CHECK_THAT(error_of([&] { write_volume(folder / "v.nii", {v.data, flat}); }), Contains("affine"));
  for (const char* ending : {".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"}) {
    const FullDisk full(10000);
    CHECK_THAT(error_of([&] { write_volume(folder / (std::string("v") + ending), v); }), Contains("cannot write"));
  }
  CHECK(folder.files() == 0);
  put_bytes(folder / "out.nhdr", "NRRD0004\ntype: uchar\ndimension: 1\nsizes: 4\nencoding: raw\ndata file: ../../etc/passwd\n\n");
  CHECK_THAT(read_error(folder / "out.nhdr"), Contains("wanted a file beside it"));
  put_bytes(folder / "in.nhdr", "NRRD0004\ntype: uchar\ndimension: 1\nsizes: 4\nencoding: raw\ndata file: in.raw\n\n");
  put_bytes(folder / "in.raw", "abcd");
  CHECK(read_volume(folder / "in.nhdr").data.values() == std::vector<double>{97, 98, 99, 100});
}

TEST_CASE("the same bytes are written with any number of threads") {
  const TemporaryFolder folder;
  const Volume v{numbered({30, 200, 200, 1}, DType::i16), rotated()};  // 2.4 MB: several blocks
  std::string first;
  for (const int n : {1, 2, 3}) {
    const int before = threads();
    set_threads(n);
    write_volume(folder / "v.nii.gz", v);
    set_threads(before);
    const std::string bytes = file_bytes(folder / "v.nii.gz");
    if (first.empty()) first = bytes;
    CHECK(bytes == first);
  }
  CHECK(read_volume(folder / "v.nii.gz").data.values() == v.data.values());
}
