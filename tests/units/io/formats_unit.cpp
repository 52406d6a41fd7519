// Formats beside NIfTI, NRRD, MetaImage and DICOM, in files that other programs wrote (nibabel 5.4, NumPy 2.4); what they hold is as those
// programs and SimpleITK 2.5 read it.
#include <array>
#include <bit>

#include "io/image.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
std::string numbers16(std::initializer_list<int> values) {
  std::string out;
  for (int v : values) out += {char(v & 255), char(v >> 8 & 255)};
  return out;
}

std::string npy(const std::string& dictionary, const std::string& data, int version = 1) {
  const std::string text = dictionary + std::string(118 - dictionary.size() - 1, ' ') + '\n';
  std::string out = std::string("\x93NUMPY") + char(version) + '\0' + char(118) + '\0';
  if (version > 1) out += std::string(2, '\0');
  return out + text + data;
}

void check_affine(const Affine& a, const double (&ijk)[3][4]) {
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 4; ++c) {
      CAPTURE(r, c, a(r, c < 3 ? 2 - c : 3), ijk[r][c]);
      CHECK(std::abs(a(r, c < 3 ? 2 - c : 3) - ijk[r][c]) < 1e-6);
    }
}

std::vector<double> first_of_slices(const Volume& v) {
  std::vector<double> out;
  const auto all = v.data.values();
  for (int64_t d = 0; d < v.data.dim(0); ++d) out.push_back(all[size_t(d * v.data.count() / v.data.dim(0))]);
  return out;
}

// 4 x 3 x 2 voxels of i16, -5 .. 18; and 20 bytes behind them.
const std::string kMgh = from_hex(
                             "00000001000000020000000300000004000000010000000400000000000140000000404000003fc00000"
                             "00000000bf8000000000000000000000000000003f8000003f8000000000000000000000c080000040c0000041580000") +
                         std::string(194, '\0') +
                         from_hex("fffbfffcfffdfffeffff0000000100020003000400050006000700080009000a000b000c000d000e000f001000110012") +
                         std::string(20, '\0');

// np.savez_compressed(image=np.arange(24, dtype=">f2").reshape(2, 3, 4), affine=...).
const std::string kNpz = from_hex(
    "504b03042d0000000800000021008f8d113cffffffffffffffff09001400696d6167652e6e707901001000b00000000000000079000000000000009b"
    "ec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9766a4aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a463a0ac6"
    "3a0a269a3a0ab50ae4012e06061b060706270617065706370677060f068f064f06cf062f06af066f06ef061f061f079f069f03be0cbe0ebe0dbe0700"
    "504b03042d000000080000002100cbd57c15ffffffffffffffff0a001400616666696e652e6e70790100100000010000000000006100000000000000"
    "9bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a263a0a"
    "269a3a0ab50a64032e06ace0c17e08ade2802681c63781f239d0d541811d0e7118f8600f00504b01022d032d0000000800000021008f8d113c790000"
    "00b0000000090000000000000000000000800100000000696d6167652e6e7079504b01022d032d000000080000002100cbd57c156100000000010000"
    "0a00000000000000000000008001b4000000616666696e652e6e7079504b050600000000020002006f000000510100000000");
}  // namespace

TEST_CASE("MGH files read as nibabel reads them") {
  const TemporaryFolder folder;
  put_bytes(folder / "m.mgh", kMgh);
  const Volume v = read_volume(folder / "m.mgh");
  CHECK(v.data.shape() == Shape{4, 3, 2, 1});
  CHECK(v.data.dtype() == DType::i16);
  CHECK(v.data.values()[0] == -5);
  CHECK(v.data.values()[23] == 18);
  check_affine(v.affine, {{0, 0, 1.5, -7}, {-2, 0, 0, 8}, {0, 3, 0, 9}});
  CHECK(read_header(folder / "m.mgh").format == "MGH");
  CHECK(read_header(folder / "m.mgh").affine == v.affine);
  std::string silent = kMgh;  // says nothing of space
  silent[28] = silent[29] = 0;
  put_bytes(folder / "n.mgh", silent);
  check_affine(read_volume(folder / "n.mgh").affine, {{-1, 0, 0, 1}, {0, 0, -1, 2}, {0, 1, 0, -1.5}});
  for (size_t end : {0, 3, 283, 284, 331}) {
    put_bytes(folder / "t.mgh", kMgh.substr(0, end));
    CHECK_THAT(error_of([&] { read_volume(folder / "t.mgh"); }), Contains("t.mgh"));
  }
  std::string odd = kMgh;
  odd[23] = 2;
  put_bytes(folder / "o.mgh", odd);
  CHECK_THAT(error_of([&] { read_volume(folder / "o.mgh"); }), Contains("data type 2"));
}

TEST_CASE("MGH and NumPy files keep what is written") {
  const TemporaryFolder folder;
  Affine a;
  a.m = {{{0.5, 0.1, -1.5, 7}, {0, 2, 0.25, -8}, {-3, 0, 0, 9.5}, {0, 0, 0, 1}}};
  for (const char* name : {"v.mgh", "v.mgz", "v.npz", "v.npy"})
    for (const DType t : {DType::u8, DType::i16, DType::i32, DType::f32})
      for (const int64_t channels : {1, 3}) {
        CAPTURE(name, channels);
        std::vector<double> values;
        for (int64_t i = 0; i < 24 * channels; ++i) values.push_back(double(t == DType::u8 ? i : i * 7 - 30));
        const Tensor data = Tensor::from(values, {2, 3, 4, channels}, t);
        write_volume(folder / name, {data, a});
        const Volume back = read_volume(folder / name);
        CHECK(back.data.dtype() == t);
        CHECK(back.data.shape() == data.shape());
        CHECK(back.data.values() == values);
        const bool spaceless = std::string(name) == "v.npy";
        for (int r = 0; r < 3; ++r)
          for (int c = 0; c < 4; ++c) CHECK(std::abs(back.affine(r, c) - (spaceless ? Affine{} : a)(r, c)) < 1e-5);
      }
}

TEST_CASE("NumPy arrays: order of axes, bytes and elements") {
  const TemporaryFolder folder;
  const auto read = [&](const std::string& bytes, const char* name = "a.npy") {
    put_bytes(folder / name, bytes);
    return read_volume(folder / name);
  };
  const auto error = [&](const std::string& bytes) { return error_of([&] { read(bytes); }); };
  std::string counted;
  for (int i = 0; i < 24; ++i) counted += numbers16({i});
  const Volume plain = read(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3, 4), }", counted));
  CHECK(plain.data.shape() == Shape{2, 3, 4, 1});
  CHECK(plain.data.dtype() == DType::i32);
  CHECK(plain.data.values()[13] == 13);
  CHECK(plain.affine == Affine{});
  CHECK(read(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3, 4), }", counted, 2)).data.values()[13] == 13);
  const Volume swapped = read(npy("{'descr': '>u2', 'fortran_order': False, 'shape': (24,), }", counted));
  CHECK(swapped.data.shape() == Shape{1, 1, 24, 1});
  CHECK(swapped.data.values()[1] == 256);
  // np.asfortranarray(np.arange(48, dtype="<u2").reshape(2, 2, 3, 4)): channel c of voxel v is 24 c + v.
  const Volume turned =
      read(npy("{'descr': '<u2', 'fortran_order': True, 'shape': (2, 2, 3, 4), }",
               from_hex("000018000c00240004001c00100028000800200014002c00010019000d00250005001d00110029000900210015002d00"
                        "02001a000e00260006001e0012002a000a00220016002e0003001b000f00270007001f0013002b000b00230017002f00")));
  CHECK(turned.data.shape() == Shape{2, 3, 4, 2});
  for (int i = 0; i < 48; ++i) CHECK(turned.data.values()[size_t(i)] == i / 2 + i % 2 * 24);
  const Volume archived = read(kNpz, "a.npz");
  CHECK(archived.data.shape() == Shape{2, 3, 4, 1});
  CHECK(archived.data.dtype() == DType::f32);
  for (int i = 0; i < 24; ++i) CHECK(archived.data.values()[size_t(i)] == i);
  check_affine(archived.affine, {{-0.5, 0, 0, 10}, {0, 2, 0, 20}, {0, 0, 3, 30}});
  CHECK(read_header(folder / "a.npz").affine == archived.affine);

  CHECK_THAT(error(npy("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "abc")), Contains("Python objects"));
  CHECK_THAT(error(npy("{'descr': '<c32', 'fortran_order': False, 'shape': (1,), }", "abcdefgh")), Contains("<c32"));
  CHECK_THAT(error(npy("{'descr': '<c8', 'fortran_order': True, 'shape': (1,), }", "abcdefgh")), Contains("complex"));
  CHECK_THAT(error(npy("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", "abcd")), Contains("records"));
  CHECK_THAT(error(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (2, 1, 1, 1, 12), }", counted)), Contains("5 axes"));
  CHECK_THAT(error(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (2147483647, 2147483647), }", counted)), Contains("a.npy"));
  CHECK_THAT(error(npy("{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3, 5), }", counted)), Contains("a.npy"));
  CHECK_THAT(error(npy("{'descr': '<u2', 'shape': (24,), }", counted)), Contains("fortran_order"));
}

TEST_CASE("An array of several in a .npz is asked for by name; damaged archives are refused") {
  const TemporaryFolder folder;
  std::string two = kNpz;
  for (size_t at = 0; (at = two.find("affine.npy", at)) != two.npos; ++at) two.replace(at, 10, "second.npy");
  put_bytes(folder / "a.npz", two);
  CHECK_THAT(error_of([&] { read_volume(folder / "a.npz"); }), Contains("--array") && Contains("image (2 x 3 x 4)") && Contains("second"));
  CHECK(read_volume(folder / "a.npz", {.array = "second"}).data.shape() == Shape{1, 4, 4, 1});
  CHECK_THAT(error_of([&] { read_volume(folder / "a.npz", {.array = "third"}); }), Contains("\"third\"") && Contains("second"));
  for (size_t end = 0; end < kNpz.size(); end += 7) {
    put_bytes(folder / "a.npz", kNpz.substr(0, end));
    CHECK_THAT(error_of([&] { read_volume(folder / "a.npz"); }), Contains("a.npz"));
  }
  std::string flipped = kNpz;
  flipped[120] = char(flipped[120] ^ 1);
  put_bytes(folder / "a.npz", flipped);
  CHECK_THAT(error_of([&] { read_volume(folder / "a.npz"); }), Contains("a.npz"));
}

TEST_CASE("Analyze 7.5 reads as SPM and nibabel take it, with a warning") {
  const TemporaryFolder folder;
  std::string head(348, '\0');
  const auto put = [&](size_t at, const auto& value) {
    const auto raw = std::bit_cast<std::array<char, sizeof value>>(value);
    head.replace(at, raw.size(), raw.data(), raw.size());
  };
  put(0, int32_t(348));
  head.replace(40, 10, numbers16({3, 2, 3, 4, 1}));
  put(70, int16_t(4)), put(80, 2.0f), put(84, 3.0f), put(88, 4.0f), put(112, 0.5f);
  head.replace(253, 6, numbers16({2, 1, 3}));
  std::string voxels;
  for (int i = 0; i < 24; ++i) voxels += numbers16({i});
  put_bytes(folder / "s.hdr", head), put_bytes(folder / "s.img", voxels);
  for (const char* name : {"s.hdr", "s.img"}) {
    const Volume v = read_volume(folder / name);
    CHECK(v.data.shape() == Shape{4, 3, 2, 1});
    CHECK(v.data.values()[23] == 11.5);
    check_affine(v.affine, {{-2, 0, 0, 2}, {0, 3, 0, 0}, {0, 0, 4, -8}});
  }
  const VolumeHeader about = read_header(folder / "s.hdr");
  CHECK(about.format == "Analyze 7.5");
  CHECK_THAT(about.warning, Contains("left from right"));
  head.replace(253, 6, std::string(6, '\0'));
  put_bytes(folder / "s.hdr", head);
  check_affine(read_volume(folder / "s.hdr").affine, {{-2, 0, 0, 1}, {0, 3, 0, -3}, {0, 0, 4, -6}});
  put_bytes(folder / "s.png", "x");  // beside a pair, but none of it
  CHECK_FALSE(error_of([&] { read_volume(folder / "s.png"); }).empty());
  put_bytes(folder / "s.img", voxels.substr(1));
  CHECK_THAT(error_of([&] { read_volume(folder / "s.hdr"); }), Contains("s.img"));
  std::filesystem::remove(folder / "s.img");
  CHECK_THAT(error_of([&] { read_volume(folder / "s.hdr"); }), Contains("s.img"));
}

TEST_CASE("MetaImage and NRRD files name several files") {
  const TemporaryFolder folder;
  for (int k = 1; k <= 3; ++k) put_bytes(folder / ("s0" + std::to_string(k + 4) + ".raw"), numbers16({k, k, k, k, k, k, k, k}));
  const std::string meta = "ObjectType = Image\nNDims = 3\nDimSize = 4 2 3\nElementSpacing = 1 2 3\nElementType = MET_SHORT\n";
  const std::string nrrd = "NRRD0004\ntype: short\ndimension: 3\nsizes: 4 2 3\nspacings: 1 2 3\nendian: little\nencoding: raw\ndata file: ";
  const auto slices = [&](const char* name, const std::string& text) {
    put_bytes(folder / name, text);
    CHECK(read_header(folder / name).shape == Shape{3, 2, 4, 1});
    return first_of_slices(read_volume(folder / name));
  };
  using V = std::vector<double>;
  CHECK(slices("l.mhd", meta + "ElementDataFile = LIST\ns05.raw\ns07.raw\ns06.raw\n") == V{1, 3, 2});
  CHECK(slices("p.mhd", meta + "ElementDataFile = s%02d.raw 5 7 1\n") == V{1, 2, 3});
  CHECK(slices("h.mhd", meta + "HeaderSize = -1\nElementDataFile = s%02d.raw 5 7 1\n") == V{1, 2, 3});
  CHECK(slices("l.nhdr", nrrd + "LIST\ns05.raw\ns07.raw\ns06.raw\n") == V{1, 3, 2});
  CHECK(slices("p.nhdr", nrrd + "s%02d.raw 7 5 -1\n\n") == V{3, 2, 1});
  const auto error = [&](const std::string& files) {
    put_bytes(folder / "e.mhd", meta + "ElementDataFile = " + files + "\n");
    return error_of([&] { read_volume(folder / "e.mhd"); });
  };
  CHECK_THAT(error("LIST"), Contains("names no file"));
  CHECK_THAT(error("LIST\n../s05.raw\ns06.raw\ns07.raw"), Contains("beside it"));
  CHECK_THAT(error("LIST\ns05.raw\ns06.raw"), Contains("s05.raw"));
  CHECK_THAT(error("s%02d.raw 5 8 1"), Contains("s08.raw"));
  CHECK_THAT(error("s%02d.raw 5 7 0"), Contains("steps of 0"));
  CHECK_THAT(error("s%02d.raw 5 2000000000 1"), Contains("1999999996 files"));
  CHECK_THAT(error("s%n.raw 5 7 1"), Contains("pattern"));
  CHECK_THAT(error("s%02d.raw five 7 1"), Contains("five"));
}

TEST_CASE("NIfTI and NRRD keep the unit of a volume") {
  const TemporaryFolder folder;
  const Affine micro = Affine::scaling({0.003, 0.002, 0.001}, {-0.01, 0.02, 0.03});
  for (const LengthUnit unit : {LengthUnit::millimetre, LengthUnit::micrometre, LengthUnit::metre})
    for (const char* name : {"u.nii.gz", "u.nrrd"}) {
      CAPTURE(name, name_of(unit));
      write_volume(folder / name, {Tensor::zeros({2, 3, 4, 1}, DType::u8), micro, unit});
      const Volume back = read_volume(folder / name);
      CHECK(back.unit == unit);
      CHECK(read_header(folder / name).unit == unit);
      for (int r = 0; r < 3; ++r)
        for (int c = 0; c < 4; ++c) CHECK(std::abs(back.affine(r, c) - micro(r, c)) < 1e-8);
    }
  CHECK(from_canonical(to_canonical(read_volume(folder / "u.nrrd")), Orientation{.axis = {2, 1, 0}}).unit == LengthUnit::metre);
  put_bytes(folder / "m.nrrd", "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 2 1\nspacings: 4 5\nunits: \"um\" \"um\"\nencoding: raw\n\nab");
  CHECK(std::abs(read_volume(folder / "m.nrrd").spacing()[2] - 0.004) < 1e-12);
  CHECK(read_volume(folder / "m.nrrd").unit == LengthUnit::micrometre);
}

TEST_CASE("NumPy arrays of complex numbers: real and imaginary parts are channels") {
  const TemporaryFolder folder;
  std::string counted;
  for (int i = 0; i < 48; ++i) {
    const float v = float(i);
    counted.append(reinterpret_cast<const char*>(&v), sizeof v);
  }
  put_bytes(folder / "a.npy", npy("{'descr': '<c8', 'fortran_order': False, 'shape': (4, 3, 2), }", counted));
  const Volume volume = read_volume(folder / "a.npy");
  CHECK(volume.data.shape() == Shape{4, 3, 2, 2});
  CHECK(volume.data.values()[47] == 47);
  put_bytes(folder / "b.npy", npy("{'descr': '<c8', 'fortran_order': False, 'shape': (2, 2, 3, 2), }", counted));
  const Volume several = read_volume(folder / "b.npy");  // channel c of voxel v is 24 c + 2 v
  CHECK(several.data.shape() == Shape{2, 3, 2, 4});
  CHECK(read_header(folder / "b.npy").shape == several.data.shape());
  for (int i = 0; i < 48; ++i) CHECK(several.data.values()[size_t(i)] == i / 4 * 2 + i % 2 + i % 4 / 2 * 24);
  put_bytes(folder / "c.npy", npy("{'descr': '<c8', 'fortran_order': False, 'shape': (4, 3, 3), }", counted));
  CHECK_THAT(error_of([&] { read_volume(folder / "c.npy"); }), Contains("c.npy"));
}
