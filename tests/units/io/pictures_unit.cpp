// Pictures as volumes: files of tifffile 2026.3, Pillow 13 (libtiff 4.7) and what those read in them; what is written.
#include <functional>

#include "data/dataset.h"
#include "io/image.h"
#include "tasks/file_pairs.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

#ifdef VOXGRAD_WITH_ITK
using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// 9 x 10 pixels. Grey: g = (37 y + 11 x) mod 251; wide: (3700 y + 1100 x) mod 65521; colours: g, g / 2, 255 - g; bits: g > 125; indices: g
// mod 4.
const std::string kTiled = from_hex(
    "49492a00080000000d0000010400010000000a0000000101040001000000090000000201030001000000080000000301030001000000080000000601030001"
    "000000010000001501030001000000010000001a01050001000000aa0000001b01050001000000b20000002801030001000000010000004201040001000000"
    "100000004301040001000000100000004401040001000000c00000004501040001000000710000000000000001000000010000000100000001000000000000"
    "000000789c63e01653d43177f28d4866000355036bb7c098f4a2da0e08df2b3421bbacb167faa2b5107e7e55eb84d9cb36ee397e09c29f327fd5d603a7af3d"
    "7cf31dc2df79e4fcada71f1880a642f8f75e7e61e19702990ae17308cb699ad8834c85f0752d9cfd225340a6320c080000899f270b");
const std::string kBigTiles = from_hex(
    "4d4d002b000800000000000000000010000000000000000e0100000400000000000000010000000a0000000001010004000000000000000100000009000000"
    "000102000300000000000000010010000000000000010300030000000000000001000800000000000001060003000000000000000100010000000000000115"
    "000300000000000000010001000000000000011a000500000000000000010000000100000001011b0005000000000000000100000001000000010128000300"
    "000000000000010001000000000000013d00030000000000000001000200000000000001420004000000000000000100000010000000000143000400000000"
    "000000010000001000000000014400100000000000000001000000000000014001450010000000000000000100000000000000540000000000000000000000"
    "0000000000789c636060f14187374318e080af0453fed40384bccc0b4cf93d390879ed184cf9b53f10f2961730e5e7b720e43d5c30e5270a20e4c37660ca37"
    "cd41c8a7ea60ca976820e48b1760caa76e6118310000e94829e0");
const std::string kLzw = from_hex(
    "49492a006c0000008000000ff05815ea0b0341e0d088541e1305874344a126d432211685c3e330d861284ab58bc6a23218e488de3748462471b92491284a35"
    "cb6593395bd5725c234aa750908221e1327ab78de21924f67f349dbd410047bd02934016859a54fa448a1901000b0000010300010000000a00000001010300"
    "01000000090000000201030003000000f600000003010300010000000500000006010300010000000200000011010400010000000800000015010300010000"
    "00030000001601030001000000090000001701040001000000630000001c01030001000000010000003d010300010000000200000000000000080008000800");
const std::string kBits = from_hex(
    "49492a0008000000080000010400010000000a0000000101040001000000090000000301030001000000010000000601030001000000010000001101040001"
    "0000006e0000001601040001000000090000001701040001000000120000001c0103000100000001000000000000000000004007c03fc0ffc0fc00e0000000"
    "00c0");
const std::string kFax = from_hex(
    "49492a0014000000a9c3050b2570518500100100090000010300010000000a0000000101030001000000090000000201030001000000010000000301030001"
    "0000000400000006010300010000000100000011010400010000000800000016010300010000000900000017010400010000000b0000001c01030001000000"
    "0100000000000000");
const std::string kPalettePng = from_hex(
    "89504e470d0a1a0a0000000d494844520000000a00000009020300000076c855800000000c504c5445000000c80000006400000032929316cb000000274944"
    "4154789c63b464f8ce22caf089c595e12fe313863f8c960cdf5944bf86b3388540d90c9f00cee20bcc477131830000000049454e44ae426082");
const std::string kBitPng = from_hex(
    "89504e470d0a1a0a0000000d494844520000000a00000009010000000023dd80be0000002249444154789c05c1311100200c04b0dc2f586244fa8ba98c0e24"
    "e039cd95b232403f35a704a69d1fabf40000000049454e44ae426082");
const std::string kPlanes = from_hex(
    "49492a00080000000d0000010400010000000a0000000101040001000000090000000201030003000000aa0000000301030001000000080000000601030001"
    "000000020000001101040003000000b00000001501030001000000030000001601040001000000090000001701030003000000bc0000001a01050001000000"
    "c20000001b01050001000000ca0000001c010300010000000200000028010300010000000100000000000000080008000800e0000000400100009d01000060"
    "005d006200010000000100000001000000010000000000000000000000000000000000789c63e01653d43177f28d485635b0760b8c492faaedf00a4dc82e6b"
    "ec99be686d7e55eb84d9cb36ee397e69cafc555b0f9cbef6f0cdf79d47cedf7afa8101a8efdecb2f2cfc52207d1cc2729a26f6207dba16ce7e9129f955ad13"
    "00e2c3270b789c6360e51610935654d33114929055d6d033b6b47351d53230b57670f30e0c33b775f2f00d8e884bcef4f20f8d4a48cd2e28ab8e494acf2daa"
    "6000eacb2fa96262e705e963e1e417919207e913935154d73132b775f200006d9d1370789cfbffe5e5bdcb27f66e5a3ee7d6f9233bd72d9ed1db54be75d5fc"
    "299d75c519b141135aabf25322fd9c2d74b31342bdec4d34e58439dcac0d54a5f8ff03f5298a71fffef014a4effb9b87d74e1f00e9bb747ccfc665b327b456"
    "e503000dd3329d");

int grey(int64_t i) { return int((37 * (i / 10) + 11 * (i % 10)) % 251); }
int wide(int64_t i) { return int((3700 * (i / 10) + 1100 * (i % 10)) % 65521); }
int colour(int64_t i, int64_t c) { return c == 0 ? grey(i) : c == 1 ? grey(i) / 2 : 255 - grey(i); }

struct Read {
  TemporaryFolder folder;
  Volume operator()(const char* name, const std::string& bytes, const ReadOptions& options = {}) {
    put_bytes(folder / name, bytes);
    const Volume v = read_volume(folder / name, options);
    CHECK(read_header(folder / name, options).shape == v.data.shape());
    CHECK(read_header(folder / name, options).dtype == v.data.dtype());
    return v;
  }
};

void check_pixels(const Volume& v, int64_t channels, DType dtype, const std::function<int(int64_t, int64_t)>& wanted) {
  CHECK(v.data.shape() == Shape{1, 9, 10, channels});
  CHECK(v.data.dtype() == dtype);
  if (v.data.shape() != Shape{1, 9, 10, channels}) return;
  const auto values = v.data.values();
  int64_t wrong = 0;
  for (int64_t i = 0; i < 90 * channels; ++i) wrong += values[size_t(i)] != wanted(i / channels, i % channels);
  CHECK(wrong == 0);
}
}  // namespace

TEST_CASE("TIFF files in tiles, planes, packed and in either byte order") {
  Read read;
  check_pixels(read("a.tif", kTiled), 1, DType::u8, [](int64_t i, int64_t) { return grey(i); });
  check_pixels(read("b.tif", kBigTiles), 1, DType::i32, [](int64_t i, int64_t) { return wide(i); });
  check_pixels(read("c.tif", kLzw), 3, DType::u8, colour);
  check_pixels(read("d.tif", kPlanes), 3, DType::u8, colour);
  check_pixels(read("e.tif", kBits), 1, DType::u8, [](int64_t i, int64_t) { return int(grey(i) > 125); });
  CHECK(read_header(read.folder / "b.tif").stored == "u16");
  CHECK_THAT(error_of([&] { read("f.tif", kFax); }), Contains("f.tif") && Contains("CCITT") && Contains("LZW or deflate"));
  for (const std::string& good : {kTiled, kBigTiles, kLzw, kPlanes, kBits})
    for (size_t i = 0; i < good.size(); i += 3) {  // every cut and every other byte: a result or one Error
      put_bytes(read.folder / "t.tif", good.substr(0, i));
      CHECK_THAT(error_of([&] { read_volume(read.folder / "t.tif"); }), Contains("t.tif"));
      std::string bad = good;
      bad[i] = char(bad[i] ^ 0x55);
      put_bytes(read.folder / "t.tif", bad);
      error_of([&] { read_volume(read.folder / "t.tif"); });
    }
}

TEST_CASE("a palette means colours in an image and classes in a label map; one bit means 0 and 1") {
  Read read;
  const int colours[4][3] = {{0, 0, 0}, {200, 0, 0}, {0, 100, 0}, {0, 0, 50}};
  const auto palette = [&](int64_t i, int64_t c) { return colours[grey(i) % 4][c]; };
  check_pixels(read("p.png", kPalettePng), 3, DType::u8, palette);
  check_pixels(read("q.png", kPalettePng, {.labels = true}), 1, DType::u8, [](int64_t i, int64_t) { return grey(i) % 4; });
  check_pixels(read("b.png", kBitPng, {.labels = true}), 1, DType::u8, [](int64_t i, int64_t) { return int(grey(i) > 125); });
}

TEST_CASE("pictures are written with their element type and, TIFF, with the spacing beside them") {
  const TemporaryFolder folder;
  const Tensor wide_values = Tensor::from(std::vector<double>{0, 1, 255, 256, 40000, 65535}, {1, 2, 3, 1}, DType::i32);
  for (const char* name : {"w.png", "w.tif"}) {
    write_volume(folder / name, {wide_values, {}}, {.stored = "u16"});
    CHECK(read_header(folder / name).stored == "u16");
    CHECK(read_volume(folder / name).data.values() == wide_values.values());
  }
  CHECK_THAT(error_of([&] { write_volume(folder / "x.png", {wide_values, {}}); }), Contains("wanted u8"));
  const Tensor stack = Tensor::from(std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8}, {2, 2, 2, 1}, DType::u8);
  write_volume(folder / "s.tif", {stack, Affine::scaling({5, 0.5, 0.25})});
  CHECK(read_volume(folder / "s.tif").spacing() == Vec3{5, 0.5, 0.25});
  CHECK(read_volume(folder / "s.tif").data.values() == stack.values());
  CHECK(read_header(folder / "s.tif").affine.spacing() == Vec3{5, 0.5, 0.25});
  put_bytes(folder / "case.json", "{\"spacing\": [4, 3, 2]}");
  std::filesystem::rename(folder / "s.tif", folder / "case_0001.tif");
  CHECK(read_volume(folder / "case_0001.tif").spacing() == Vec3{4, 3, 2});
  put_bytes(folder / "case.json", "{\"spacing\": [4, 3]}");
  CHECK_THAT(error_of([&] { read_volume(folder / "case_0001.tif"); }), Contains("case.json") && Contains("three numbers"));
  write_volume(folder / "b.bmp", {stack.reshape({1, 4, 2, 1}), {}});
  CHECK(read_volume(folder / "b.bmp").data.values() == stack.values());
}

TEST_CASE("element types that tensors lack are kept where they are asked for") {
  const TemporaryFolder folder;
  const Tensor t = Tensor::from(std::vector<double>{0, 7, 65535, 300}, {1, 2, 2, 1}, DType::i32);
  for (const char* name : {"v.nii.gz", "v.nrrd", "v.mha", "v.mgz", "v.npy"}) {
    CAPTURE(name);
    write_volume(folder / name, {t, {}}, {.stored = "u16"});
    CHECK(read_header(folder / name).stored == "u16");
    CHECK(read_volume(folder / name).data.values() == t.values());
    write_volume(folder / name, {t, {}}, {.stored = "i8"});  // they do not fit
    CHECK(read_header(folder / name).stored == "i32");
  }
  const Tensor small = Tensor::from(std::vector<double>{-128, 127}, {1, 1, 2, 1}, DType::i16);
  write_volume(folder / "s.nii", {small, {}}, {.stored = "i8"});
  CHECK(read_header(folder / "s.nii").stored == "i8");
  CHECK(read_volume(folder / "s.nii").data.values() == small.values());
}

TEST_CASE("an RGB picture is three channels of a case, by nnU-Net's names") {
  const TemporaryFolder folder;
  for (const char* sub : {"imagesTr", "labelsTr"}) std::filesystem::create_directory(folder / sub);
  put_bytes(folder / "dataset.json",
            R"({"channel_names": {"0": "R", "1": "G", "2": "B"}, "labels": {"background": 0, "cell": 1}, "file_ending": ".png"})");
  for (const char* id : {"p0", "p1"}) {
    write_volume(folder / ("imagesTr/" + std::string(id) + "_0000.png"), {Tensor::zeros({1, 4, 5, 3}, DType::u8), {}});
    write_volume(folder / ("labelsTr/" + std::string(id) + ".png"), {Tensor::zeros({1, 4, 5, 1}, DType::u8), {}});
  }
  const Dataset d = read_dataset(folder.path());
  CHECK(d.cases.size() == 2);
  CHECK(d.cases[0].images.size() == 1);
  const auto listed = list_images(folder / "imagesTr", 3);
  CHECK(listed.size() == 2);
  CHECK(listed[0].id == "p0");
  CHECK(pair_files(folder / "labelsTr", folder / "labelsTr").size() == 2);
  // Beside volumes, pictures are what --picture wrote.
  write_volume(folder / "labelsTr/p0.nii.gz", {Tensor::zeros({1, 4, 5, 1}, DType::u8), {}});
  CHECK(pair_files(folder / "labelsTr", folder / "labelsTr").size() == 1);
  write_volume(folder / "imagesTr/p1_0000.png", {Tensor::zeros({1, 4, 5, 1}, DType::u8), {}});
  CHECK_THAT(error_of([&] { read_dataset(folder.path()); }), Contains("p1 has no file for channel 1"));
  put_bytes(folder / "dataset.json",
            R"({"channel_names": {"0": "R", "1": "G"}, "labels": {"background": 0, "cell": 1}, "file_ending": ".png"})");
  CHECK_THAT(error_of([&] { read_dataset(folder.path()); }), Contains("p0_0000.png: holds 3 channels, dataset.json names 2"));
  CHECK(list_images(folder / "imagesTr", 2)[0].fault.empty());  // who reads it says that it has three
  CHECK_THAT(list_images(folder / "imagesTr", 2)[1].fault, Contains("lacks channel 1"));
}
#endif
