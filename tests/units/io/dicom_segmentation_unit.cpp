// Segmentation objects of DICOM, written and read.
#include <cmath>

#include "io/image.h"
#include "tests/catch.h"
#include "tests/dicom_bytes.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
// Turned by 0.3 about the superior axis, slices 2.5 mm apart.
Affine turned() {
  const double c = std::cos(0.3), s = std::sin(0.3);
  Affine a;
  a.m = {{{0, -s * 0.8, c * 1.1, -31.25}, {0, c * 0.8, s * 1.1, 17.5}, {2.5, 0, 0, 403.75}, {0, 0, 0, 1}}};
  return a;
}

double difference(const Affine& a, const Affine& b) {
  double most = 0;
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 4; ++c) most = std::max(most, std::abs(a(r, c) - b(r, c)));
  return most;
}

// Frames of 2 x 3 voxels: the segment and z of each, with its values.
struct Frame {
  int segment;
  double z;
  std::vector<int> values;
};
DicomBytes object(const char* type, const std::vector<Frame>& frames, int most = 255) {
  DicomBytes d = multi_frame(std::vector<double>(frames.size(), 0), [&](size_t k, DicomBytes& item) {
    item.sequence(0x00209113, {DicomBytes().text(0x00200032, "DS", dicom::decimals({-10, -20, frames[k].z}))});
    item.sequence(0x0062000a, {DicomBytes().whole(0x0062000b, frames[k].segment)});
  });
  d.text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.66.4").text(0x00620001, "CS", type).whole(0x0062000e, most).whole(0x00280103, 0);
  d.sequence(0x00620002, {DicomBytes().whole(0x00620004, 1).text(0x00620005, "LO", "liver"), DicomBytes().whole(0x00620004, 2)});
  const bool binary = std::string(type) == "BINARY";
  std::string bytes;
  int bit = 0;
  for (const Frame& f : frames)
    for (const int v : f.values) {
      if (!binary || bit % 8 == 0) bytes += '\0';
      bytes.back() = char(binary ? bytes.back() | v << bit % 8 : v);
      ++bit;
    }
  for (const uint32_t tag : {0x00280100u, 0x00280101u}) d.whole(tag, binary ? 1 : 8);
  return d.whole(0x00280102, binary ? 0 : 7).bytes(0x7fe00010, "OB", bytes);
}
Volume read(const TemporaryFolder& folder, const DicomBytes& d, const ReadOptions& o = {}) {
  put_bytes(folder / "s.dcm", d.file());
  return read_volume(folder / "s.dcm", o);
}
}  // namespace

TEST_CASE("a mask that is written as a segmentation object reads back as the same volume on the same grid") {
  const TemporaryFolder folder;
  for (const int depth : {1, 5})
    for (const int empty : {0, 1}) {
      // 1 and 3 occur; the outermost slices are empty; 7 x 5 voxels are no whole number of bytes.
      std::vector<double> values(size_t(depth * 35));
      for (size_t i = 0; i < values.size() && !empty; ++i)
        if (depth == 1 || (i >= 35 && i < 4 * 35)) values[i] = i % 7 == 2 ? 3 : i % 3 == 0 ? 1 : 0;
      const Volume v{Tensor::from(values, {depth, 7, 5, 1}, DType::u8), turned()};
      write_segmentation(folder / "m.dcm", v, {.labels = {"background", "liver"}});
      const Volume back = read_volume(folder / "m.dcm", {.labels = true});
      CAPTURE(depth, empty);
      CHECK(back.data.shape() == v.data.shape());
      CHECK(back.data.dtype() == DType::u8);
      CHECK(back.data.values() == values);
      CHECK(difference(back.affine, v.affine) < 1e-6);
      CHECK(read_header(folder / "m.dcm").format == "DICOM segmentation");
      if (!empty) CHECK_THAT(file_bytes(folder / "m.dcm"), Contains("liver") && Contains("label 2") && Contains("label 3"));
    }
  write_volume(folder / "f.dcm", {Tensor::full({2, 3, 4}, 300, DType::f32), turned()});
  CHECK(read_volume(folder / "f.dcm").data.values()[0] == 300);
  const auto error = [&](const Tensor& t) { return error_of([&] { write_volume(folder / "x.dcm", {t, turned()}); }); };
  CHECK_THAT(error(Tensor::full({2, 3, 4}, -1, DType::i16)), Contains("-1") && Contains("give a folder"));
  CHECK_THAT(error(Tensor::full({2, 3, 4}, 0.5, DType::f32)), Contains("0.5 is no label"));
  CHECK_THAT(error(Tensor::zeros({2, 3, 4, 2}, DType::u8)), Contains("{2, 3, 4, 2}"));
}

TEST_CASE("a segmentation object says of which images it is") {
  const TemporaryFolder folder, images;
  for (int k = 0; k < 2; ++k)
    put_bytes(images / std::to_string(k),
              slice_at(5 * k, 0).text(0x00100010, "PN", "Doe^J").text(0x0020000d, "UI", "1.5.5").text(0x00200052, "UI", "1.6.6").file());
  Volume v = read_volume(images.path());
  v.data = Tensor::full(v.data.shape(), 1, DType::u8);
  write_segmentation(folder / "m.dcm", v, {.source = images.path()});
  const std::string bytes = file_bytes(folder / "m.dcm");
  for (const char* text : {"Doe^J", "1.5.5", "1.6.6", "1.2.840.10008.5.1.4.1.1.4"}) CHECK_THAT(bytes, Contains(text));
  CHECK(difference(read_volume(folder / "m.dcm").affine, v.affine) < 1e-6);
}

TEST_CASE("segmentation objects of all types are masks") {
  const TemporaryFolder folder;
  const std::vector<int> a = {1, 1, 0, 0, 0, 0}, b = {0, 0, 1, 0, 0, 1}, none = {0, 0, 0, 0, 0, 0};
  // The slice at 5 has no frame: it is empty.
  Volume v = read(folder, object("BINARY", {{2, 10, b}, {1, 0, a}, {2, 0, b}, {1, 15, none}}));
  CHECK(v.data.shape() == Shape{4, 2, 3, 1});
  CHECK(v.spacing() == Vec3{5, 2, 3});
  std::vector<double> wanted(24);
  wanted[0] = wanted[1] = 1, wanted[2] = wanted[5] = 2, wanted[14] = wanted[17] = 2;
  CHECK(v.data.values() == wanted);
  // Overlapping segments are channels, and no label map.
  const auto overlapping = object("BINARY", {{1, 0, a}, {2, 0, a}});
  v = read(folder, overlapping);
  CHECK(v.data.shape() == Shape{1, 2, 3, 2});
  CHECK(v.data.values() == std::vector<double>{1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(read_header(folder / "s.dcm").channels == std::vector<std::string>{"segment 1 (liver)", "segment 2"});
  CHECK_THAT(error_of([&] { read(folder, overlapping, {.labels = true}); }), Contains("1 (liver) and 2 overlap") && Contains("--volume"));
  CHECK(read(folder, object("LABELMAP", {{1, 0, {0, 1, 2, 0, 200, 0}}})).data.values() == std::vector<double>{0, 1, 2, 0, 200, 0});
  const auto shares = object("FRACTIONAL", {{1, 0, {50, 100, 20, 0, 60, 49}}, {2, 0, {0, 0, 80, 0, 40, 49}}}, 100);
  v = read(folder, shares);
  CHECK(v.data.shape() == Shape{1, 2, 3, 2});
  CHECK(v.data.values()[5] == Approx(0.8));
  CHECK(read(folder, shares, {.labels = true}).data.values() == std::vector<double>{1, 1, 2, 0, 1, 0});
  CHECK_THAT(error_of([&] { read(folder, object("OTHER", {{1, 0, a}})); }), Contains("OTHER"));
  CHECK_THAT(error_of([&] { read(folder, object("LABELMAP", {{1, 0, a}, {1, 5, a}, {1, 12, a}})); }), Contains("one grid of slices"));
}
