// Pictures of the less usual kinds, in files that Pillow 13 and tifffile 2026.3 wrote; what they hold is as those programs read it.
#include <zlib.h>

#include "io/formats/tiff/tiff_axes.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "tests/tiff_bytes.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// 11 rows of 13 greys, 7 i modulo 251 for pixel i; Adam7, rows with and without the filter of differences to the row above.
const std::string kInterlaced = from_hex(
    "89504e470d0a1a0a0000000d494844520000000d0000000b0800000001f6de682b000000914944415478da6360b0607af49c412684e9f97386c2de95"
    "4719f8b4dc980a0b0b193e08ea326c3b72e9c13b467ea63210008acd5dbdf3f8d5c71f19d845950ded7d99b681c06e868ab6298b36ec63da0d060c2f"
    "bf7349a8990079204986e8a4cc82f2bad69ec9b316ae580f5502050c672edf7af8e2fd37264e01713955981cd8cc6d0c4e9e01e171a939c5558d1dfd"
    "d30027f750342a9ec96c0000000049454e44ae426082");
// 5 x 6 pixels, i modulo 3, of the palette (10, 20, 30), (200, 100, 50), (7, 8, 9), of which the first is transparent; 2 bits.
const std::string kTransparent = from_hex(
    "89504e470d0a1a0a0000000d49484452000000060000000502030000001b36757500000009504c54450a141ec86432070809a63ce24b000000017452"
    "4e530040e6d8660000000f49444154789c6394f06062608023000552006ae21a1b960000000049454e44ae426082");
// 3 x 4 pixels of 16 bits, 5000 i.
const std::string kDeep = from_hex(
    "89504e470d0a1a0a0000000d4948445200000004000000031000000000c10f2d590000001c49444154789c63606010ee5017b09ac1e2a720ac20a220"
    "ac0067000036f903bd113ca73d0000000049454e44ae426082");
// 6 x 5 pixels of RGBA, of the sum 15552; pixel (3, 2) is (216, 134, 96, 79).
const std::string kAlpha = from_hex(
    "89504e470d0a1a0a0000000d49484452000000050000000608060000000bfb544b0000008949444154789c017e0081ff00d9a382454e0a13042cd0a6"
    "e9809bf8baa18b8fef0147d0ab001d0be2085fdf4b2453222d5efe7076e2006707011f02ab86a5419dc36275ffcefb61aff3a60270a9b344de770e13"
    "97e99dedf77deae8b14095b502d5e28defd876ed9eeadef494d7befebcfa26d87a04ba3710eb641793d1e1be7ed099392fa5d8010e386c6941fff50c"
    "3e2c0000000049454e44ae426082");
// 8 x 8 pixels of CMYK.
const std::string kCmyk = from_hex(
    "ffd8ffee000e41646f626500640000000000ffdb00430050373c463c32504641465a55505f78c882786e6e78f5afb991c8ffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffc000140800080008044311004d11005911004b1100ffc4001f00000105010101"
    "01010100000000000000000102030405060708090a0bffc400b5100002010303020403050504040000017d0102030004110512213141061351610722"
    "7114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a63646566"
    "6768696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5"
    "d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda000e0443004d0059004b00003f007d3e9f4fafffd9");
// np.arange(24).reshape(2, 3, 2, 2), axes ZCYX, 0.5 x 0.7 um, 2.5 um apart, as ImageJ writes it.
const std::string kHyperstack = from_hex(
    "49492a00080000000e000001040001000000020000000101040001000000020000000201030001000000080000000301030001000000010000000601"
    "030001000000010000000e0102005e000000b60000001101040001000000700100001501030001000000010000001601040001000000020000001701"
    "040001000000040000001a01050001000000540100001b010500010000005c010000280103000100000001000000310102000c000000640100008801"
    "0000496d6167654a3d312e3131610a696d616765733d360a6368616e6e656c733d330a736c696365733d320a6879706572737461636b3d747275650a"
    "6d6f64653d677261797363616c650a73706163696e673d322e350a756e69743d756d0a00000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000000000000002000000010000000a0000000700000074696666"
    "66696c652e707900000102030405060708090a0b0c0d0e0f10111213141516170c000001040001000000020000000101040001000000020000000201"
    "030001000000080000000301030001000000010000000601030001000000010000001101040001000000740100001501030001000000010000001601"
    "040001000000020000001701040001000000040000001a010500010000001e0200001b01050001000000260200002801030001000000010000002e02"
    "000002000000010000000a000000070000000c0000010400010000000200000001010400010000000200000002010300010000000800000003010300"
    "010000000100000006010300010000000100000011010400010000007801000015010300010000000100000016010400010000000200000017010400"
    "01000000040000001a010500010000001e0200001b0105000100000026020000280103000100000001000000d402000002000000010000000a000000"
    "070000000c00000104000100000002000000010104000100000002000000020103000100000008000000030103000100000001000000060103000100"
    "00000100000011010400010000007c0100001501030001000000010000001601040001000000020000001701040001000000040000001a0105000100"
    "00001e0200001b01050001000000260200002801030001000000010000007a03000002000000010000000a000000070000000c000001040001000000"
    "020000000101040001000000020000000201030001000000080000000301030001000000010000000601030001000000010000001101040001000000"
    "800100001501030001000000010000001601040001000000020000001701040001000000040000001a010500010000001e0200001b01050001000000"
    "260200002801030001000000010000002004000002000000010000000a000000070000000c0000010400010000000200000001010400010000000200"
    "000002010300010000000800000003010300010000000100000006010300010000000100000011010400010000008401000015010300010000000100"
    "00001601040001000000020000001701040001000000040000001a010500010000001e0200001b010500010000002602000028010300010000000100"
    "00000000000002000000010000000a00000007000000");

Volume read_bytes(const std::string& name, const std::string& bytes, const ReadOptions& how = {}) {
  const TemporaryFolder folder;
  put_bytes(folder / name, bytes);
  return read_volume(folder / name, how);
}
std::string refusal(const std::string& name, const std::string& bytes) {
  return error_of([&] { read_bytes(name, bytes); });
}

// A PNG file whose parts have the sums that go with them.
std::string sealed(std::string bytes) {
  for (size_t at = 8; at + 12 <= bytes.size();) {
    size_t length = 0;
    for (size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[at + i]);
    if (length > bytes.size() - at - 12) break;
    const auto sum = crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + at + 4), uInt(length + 4));
    for (size_t i = 0; i < 4; ++i) bytes[at + 8 + length + i] = char(sum >> (24 - 8 * i) & 255);
    at += 12 + length;
  }
  return bytes;
}

TiffAxes axes_of(const std::string& description, size_t pages, int64_t samples = 1, double pixels_per_unit = 0) {
  TiffPage page{.width = 2, .height = 2, .samples = samples, .description = description};
  page.resolution[0] = page.resolution[1] = pixels_per_unit;
  return tiff_axes(std::vector<TiffPage>(pages, page), "a.tif");
}
std::string ome(const std::string& attributes) {
  return "<?xml version=\"1.0\"?><OME><Image><Pixels ID=\"0\" " + attributes + "/></Image></OME>";
}
}  // namespace

#ifdef VOXGRAD_WITH_ITK
TEST_CASE("PNG files of every kind hold what Pillow wrote") {
  const Volume v = read_bytes("a.png", kInterlaced);
  CHECK(v.data.shape() == Shape{1, 11, 13, 1});
  const auto values = v.data.values();
  for (size_t i = 0; i < values.size(); ++i) CHECK_FALSE(values[i] != double(i * 7 % 251));

  const Tensor indices = read_bytes("p.png", kTransparent, {.labels = true}).data, colours = read_bytes("p.png", kTransparent).data;
  CHECK(indices.shape() == Shape{1, 5, 6, 1});
  CHECK(colours.shape() == Shape{1, 5, 6, 3});
  const double palette[3][3] = {{10, 20, 30}, {200, 100, 50}, {7, 8, 9}};
  for (size_t i = 0; i < 30; ++i) {
    CHECK_FALSE(indices.values()[i] != double(i % 3));
    for (size_t c = 0; c < 3; ++c) CHECK_FALSE(colours.values()[3 * i + c] != palette[i % 3][c]);
  }
  const TemporaryFolder folder;
  put_bytes(folder / "p.png", kTransparent);
  CHECK_THAT(read_header(folder / "p.png").warning, Contains("transparent"));
  CHECK(read_header(folder / "p.png", {.labels = true}).warning.empty());

  const Volume deep = read_bytes("d.png", kDeep);
  CHECK(deep.data.dtype() == DType::i32);
  CHECK(deep.data.values()[11] == 55000);
  const auto alpha = read_bytes("r.png", kAlpha).data;
  CHECK(alpha.shape() == Shape{1, 6, 5, 4});
  double sum = 0;
  for (double x : alpha.values()) sum += x;
  CHECK(sum == 15552);
  const std::vector<double> all = alpha.values(), pixel(all.begin() + 4 * 17, all.begin() + 4 * 18);
  CHECK(pixel == std::vector<double>{216, 134, 96, 79});
}

TEST_CASE("PNG files that are cut off or damaged are refused") {
  for (size_t end = 0; end < kTransparent.size(); end += 7) CHECK_THAT(refusal("a.png", kTransparent.substr(0, end)), Contains("a.png"));
  for (size_t at = 8; at < kInterlaced.size() - 12; at += 5) {
    std::string bytes = kInterlaced;
    bytes[at] = char(bytes[at] ^ 1);
    CAPTURE(at);
    CHECK_THAT(refusal("a.png", bytes), Contains("a.png"));
  }
  // With sums that fit: one Error, or what the file says now.
  for (const std::string& good : {kInterlaced, kTransparent, kDeep, kAlpha})
    for (size_t at = 16; at < good.size(); ++at) {
      std::string bytes = good;
      bytes[at] = char(bytes[at] + 1 + at % 200);
      const std::string message = refusal("a.png", sealed(bytes));
      CAPTURE(at, message);
      CHECK_FALSE(!(message.empty() || message.find("a.png: ") != message.npos));
    }
}

TEST_CASE("pages of a TIFF are slices and channels as ImageJ says, and lie as far apart") {
  const TemporaryFolder folder;
  put_bytes(folder / "h.tif", kHyperstack);
  const Volume v = read_volume(folder / "h.tif");
  CHECK(v.data.shape() == Shape{2, 2, 2, 3});
  CHECK(read_header(folder / "h.tif").shape == v.data.shape());
  for (int64_t z = 0; z < 2; ++z)
    for (int64_t c = 0; c < 3; ++c)
      for (int64_t i = 0; i < 4; ++i) CHECK_FALSE(v.data.values()[size_t((z * 4 + i) * 3 + c)] != double((z * 3 + c) * 4 + i));
  CHECK(v.unit == LengthUnit::micrometre);
  CHECK(v.spacing()[0] == Approx(2.5e-3));
  CHECK(v.spacing()[1] == Approx(0.7e-3));
  CHECK(v.spacing()[2] == Approx(0.5e-3));
  put_bytes(folder / "h.json", "{\"spacing\": [3, 2, 1]}");
  CHECK(read_volume(folder / "h.tif").spacing() == Vec3{3, 2, 1});
}

// A JPEG of 8 x 24 pixels, white in its first rows and columns.
static std::string white_corner() {
  const TemporaryFolder folder;
  Tensor t = Tensor::full({1, 8, 24, 1}, 0, DType::u8);
  for (int64_t y = 0; y < 4; ++y)
    for (int64_t x = 0; x < 8; ++x) t.mutable_data<uint8_t>()[size_t(y * 24 + x)] = 255;
  write_volume(folder / "plain.jpg", {t, Affine{}});
  return file_bytes(folder / "plain.jpg");
}

// Where that JPEG has its white corner as it is read, with this behind its first marker.
static std::string corner_of(const TemporaryFolder& folder, std::string bytes, const std::string& segment) {
  bytes.insert(2, segment);
  put_bytes(folder / "turned.jpg", bytes);
  const Volume v = read_volume(folder / "turned.jpg");
  CHECK(read_header(folder / "turned.jpg").shape == v.data.shape());
  CHECK(v.spacing() == Vec3{1, 1, 1});
  const int64_t h = v.data.dim(1), w = v.data.dim(2);
  const auto white = [&](int64_t y, int64_t x) { return v.data.values()[size_t(y * w + x)] > 128; };
  std::string where = std::to_string(h) + "x" + std::to_string(w);
  for (const bool bottom : {false, true})
    for (const bool right : {false, true})
      if (white(bottom ? h - 1 : 0, right ? w - 1 : 0)) where += std::string(bottom ? " bottom" : " top") + (right ? " right" : " left");
  // What is white is twice as long along the columns of the file.
  const int64_t count = [&] { int64_t n = 0; for (const double p : v.data.values()) n += p > 128; return n; }();
  CHECK(std::abs(double(count) - 32) < 8);
  return where;
}

TEST_CASE("a JPEG lies as its Exif segment says", "[forks]") {
  const TemporaryFolder folder;
  const std::string plain = white_corner();
  // Exif of `value` in the type and entry given; the lengths that the segment and the directory say may be others.
  const auto exif = [](bool little, int value, int tag = 0x112, int type = 3, int said = 1) {
    const auto number = [&](unsigned n, int size) {
      std::string s;
      for (int i = 0; i < size; ++i) s += char(n >> 8 * (little ? i : size - 1 - i));
      return s;
    };
    const std::string tiff = std::string(little ? "II" : "MM") + number(42, 2) + number(8, 4) + number(unsigned(said), 2) +
                             number(0x10f, 2) + number(2, 2) + number(4, 4) + "cam" + std::string(1, 0) + number(unsigned(tag), 2) +
                             number(unsigned(type), 2) + number(1, 4) + number(unsigned(value), 2) + number(0, 2) + number(0, 4);
    const std::string body = std::string("Exif") + std::string(2, 0) + tiff;
    return std::string("\xff\xe1") + char((body.size() + 2) >> 8) + char(body.size() + 2) + body;
  };
  // The visual side of row 0 and of column 0 for each value (Exif 2.32, table of Orientation).
  const char* const wanted[] = {"8x24 top left",  "8x24 top left",  "8x24 top right",    "8x24 bottom right", "8x24 bottom left",
                                "24x8 top left", "24x8 top right", "24x8 bottom right", "24x8 bottom left",  "8x24 top left"};
  for (int value = 0; value <= 9; ++value)
    for (const bool little : {false, true}) {
      CAPTURE(value, little);
      CHECK(corner_of(folder, plain, exif(little, value, 0x112, 3, 2)) == wanted[value]);
    }
  const std::string comment = std::string("\xff\xfe") + std::string(1, 0) + char(5) + "abc", turned = exif(true, 6, 0x112, 3, 2);
  CHECK(corner_of(folder, plain, comment + turned) == "24x8 top right");
  // Another tag, another type, a directory that ends before it, one beyond the segment, a segment cut short.
  CHECK(corner_of(folder, plain, exif(true, 6, 0x113, 3, 2)) == "8x24 top left");
  CHECK(corner_of(folder, plain, exif(true, 6, 0x112, 4, 2)) == "8x24 top left");
  CHECK(corner_of(folder, plain, exif(true, 6)) == "8x24 top left");
  CHECK(corner_of(folder, plain, exif(true, 6, 0x112, 3, 65535)) == "24x8 top right");
  for (size_t cut = 1; cut + 4 < turned.size(); ++cut) {
    std::string s = turned.substr(0, turned.size() - cut);
    s[2] = char((s.size() - 2) >> 8), s[3] = char(s.size() - 2);
    const std::string where = corner_of(folder, plain, s);
    CHECK((where == "8x24 top left" || where == "24x8 top right"));
  }
  std::string far = turned;
  far[14] = far[15] = far[16] = far[17] = '\xff';
  CHECK(corner_of(folder, plain, far) == "8x24 top left");
}

TEST_CASE("pictures that would be read as something else are refused by what they are") {
  CHECK_THAT(refusal("c.jpg", kCmyk), Contains("CMYK") && Contains("RGB"));
  std::vector<tiffs::Entry> inks = tiffs::page(2, 2, 8, 1);
  for (tiffs::Entry& e : inks) e.value = e.tag == 262 ? 5 : e.tag == 277 ? 4 : e.value;
  CHECK_THAT(refusal("i.tif", tiffs::tiff(inks, "abcdefghijklmnop")), Contains("CMYK") && Contains("RGB"));
  for (const auto& [compression, name] :
       {std::pair(4, "CCITT"), {7, "JPEG"}, {34925, "LZMA"}, {50000, "Zstandard"}, {99, "compression 99"}})
    for (const uint32_t bits : {1u, 8u}) {
      CAPTURE(compression, bits);
      const std::string bytes = tiffs::tiff(tiffs::page(8, 2, bits, uint32_t(compression)), "abcdefghijklmnop");
      CHECK_THAT(refusal("a.tif", bytes), Contains(name) && Contains("save it with LZW"));
    }
}
#endif

TEST_CASE("descriptions of TIFF files tell slices, channels and times apart") {
  const TiffAxes plain = axes_of("", 6), imagej = axes_of("ImageJ=1.53\nimages=6\nslices=6\nspacing=-2\nunit=cm\n", 6, 1, 4);
  CHECK(plain.slices == 6);
  CHECK(imagej.slices == 6);
  CHECK(imagej.step[2] == 20);
  CHECK(imagej.step[0] == 2.5);
  CHECK(axes_of("ImageJ=1.53\nimages=6\n", 6).slices == 6);
  const TiffAxes times = axes_of("ImageJ=1.53\nimages=6\nframes=6\n", 6), both = axes_of("ImageJ=1\nimages=6\nframes=3\nslices=2\n", 6);
  CHECK(times.slices == 6);
  CHECK_THAT(times.warning, Contains("time points"));
  CHECK(times.slice == std::vector<int64_t>{0, 1, 2, 3, 4, 5});
  CHECK(both.channels == 3);
  CHECK(both.channel == std::vector<int64_t>{0, 0, 1, 1, 2, 2});
  CHECK(both.slice == std::vector<int64_t>{0, 1, 0, 1, 0, 1});

  const std::string sizes = "DimensionOrder=\"XYZCT\" SizeX=\"2\" SizeY=\"2\" SizeZ=\"3\" SizeC=\"2\" SizeT=\"1\" PhysicalSizeX=\"0.5\" ";
  const TiffAxes stack = axes_of(ome(sizes + "PhysicalSizeZ=\"2\" PhysicalSizeZUnit=\"mm\""), 6);
  CHECK(stack.slices == 3);
  CHECK(stack.channel == std::vector<int64_t>{0, 0, 0, 1, 1, 1});
  CHECK(stack.step[0] == Approx(0.5e-3));
  CHECK(stack.step[2] == 2);
  CHECK(axes_of(ome("DimensionOrder=\"XYCZT\" SizeZ=\"2\" SizeC=\"3\" SizeT=\"1\""), 2, 3).slices == 2);  // RGB
  const TiffAxes shaped = axes_of("{\"shape\": [2, 3, 5, 7]}", 6);
  CHECK(shaped.channels == 2);
  CHECK(shaped.channel == std::vector<int64_t>{0, 0, 0, 1, 1, 1});
  CHECK(axes_of("{\"shape\": [6, 5, 7]}", 6).slices == 6);

  const auto error = [](const std::string& description, size_t pages, int64_t samples = 1) {
    return error_of([&] { axes_of(description, pages, samples); });
  };
  CHECK_THAT(error("ImageJ=1\nimages=12\nchannels=2\nslices=3\nframes=2\n", 12), Contains("2 channels at 2 times"));
  CHECK_THAT(error("ImageJ=1\nimages=12\nslices=12\n", 1), Contains("12 slices") && Contains("has 1 pages"));
  CHECK_THAT(error("ImageJ=1\nimages=6\nchannels=2\nslices=3\n", 6, 3), Contains("coloured"));
}
