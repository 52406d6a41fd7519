// DICOM objects as their elements say, in files made here; the same kinds were compared with pydicom 3.0.
#include "io/image.h"
#include "tests/catch.h"
#include "tests/dicom_bytes.h"
#include "tests/outside_data.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
Volume read(const TemporaryFolder& folder, const DicomBytes& d, const ReadOptions& o = {}) {
  put_bytes(folder / "a.dcm", d.file());
  return read_volume(folder / "a.dcm", o);
}
std::string refused(const TemporaryFolder& folder, const DicomBytes& d) {
  return error_of([&] { read(folder, d); });
}
std::vector<double> row(double first) { return {first, first + 1, first + 2, first + 3, first + 4, first + 5}; }
std::vector<double> joined(std::vector<double> a, const std::vector<double>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
DicomBytes temporal(int index, double b = -1) {
  DicomBytes content, item;
  content.numbers(0x00209128, "UL", {uint32_t(index)});
  item.sequence(0x00209111, {content});
  DicomBytes diffusion;
  if (b >= 0) item.sequence(0x00189117, {diffusion.real(0x00189087, b)});
  return item;
}
}  // namespace

TEST_CASE("a DICOM slice lies where its elements say, as thick as it says, with its values rescaled") {
  const TemporaryFolder folder;
  DicomBytes d = slice_at(7, -3);
  Volume v = read(folder, d);
  CHECK(v.data.shape() == Shape{1, 2, 3, 1});
  CHECK(v.data.dtype() == DType::i16);
  CHECK(v.data.values() == row(-3));
  CHECK(v.spacing() == Vec3{5, 2, 3});
  CHECK(v.affine.origin() == Vec3{10, 20, 7});
  CHECK(v.orientation_code() == "LPS");
  v = read(folder, d.text(0x00281052, "DS", "-1000").text(0x00281053, "DS", "2"));
  CHECK(v.data.dtype() == DType::i32);
  CHECK(v.data.values()[5] == -1000 + 2 * 2);
  CHECK(read(folder, d.text(0x00281053, "DS", "0.5")).data.values()[1] == -1001);
  // 12 of 16 bits, signed, with something else above them.
  d = slice_at(0, 0).whole(0x00280101, 12).whole(0x00280102, 11).pixels({0x7fff, 0x0fff, 0x0800, 0x17ff, 0xf001, 0});
  CHECK(read(folder, d).data.values() == std::vector<double>{-1, -1, -2048, 2047, 1, 0});
  CHECK_THAT(refused(folder, d.text(0x00281053, "DS", "0")), Contains("RescaleSlope") && Contains("is 0"));
  CHECK_THAT(refused(folder, slice_at(0, 0).pixels({1, 2, 3})), Contains("cut off") && Contains("12 bytes, it holds 6"));
  CHECK_THAT(refused(folder, slice_at(0, 0).text(0x00200037, "DS", "1\\0\\0\\1\\0\\0")), Contains("ImageOrientationPatient"));
  CHECK_THAT(refused(folder, slice_at(0, 0).text(0x00280030, "DS", "two\\3")), Contains("(0028,0030)") && Contains("\"two\""));
  // Implicit and big-endian elements, deflate, gzip and a look-up table: through the files of pydicom and cli_test.
  DicomBytes table;
  table.numbers(0x00283002, "US", {4, 0, 16}).numbers(0x00283006, "US", {7, 8, 9, 1000});
  CHECK(read(folder, slice_at(0, 0).sequence(0x00283000, {table})).data.values() == std::vector<double>{7, 8, 9, 1000, 1000, 1000});
}

TEST_CASE("a look-up table of DICOM whose entries have more bits than it says gives them whole") {
  const TemporaryFolder folder;
  DicomBytes table;
  table.numbers(0x00283002, "US", {4, 0, 12}).numbers(0x00283006, "US", {7, 8, 9, 40000});
  CHECK(read(folder, slice_at(0, 0).sequence(0x00283000, {table})).data.values()[3] == 40000);
  DicomBytes colours = slice_at(0, 0).text(0x00280004, "CS", "PALETTE COLOR");
  for (uint32_t c = 0; c < 3; ++c) colours.numbers(0x00281101 + c, "US", {2, 0, 8}).numbers(0x00281201 + c, "US", {255, 255});
  CHECK(read(folder, colours).data.dtype() == DType::u8);
  // The last colour alone says 8 bits of 16.
  const Volume v = read(folder, colours.numbers(0x00281203, "US", {255, 514}));
  CHECK(v.data.dtype() == DType::i32);
  CHECK(v.data.values()[2] == 255);
  CHECK(v.data.values()[5] == 514);
}

TEST_CASE("frames of a multi-frame object are put in order by their groups; times and b-values are channels") {
  const TemporaryFolder folder;
  // Slices at 0, 5, 10 in another order.
  const auto plain = multi_frame({10, 0, 5}, [](size_t, DicomBytes&) {});
  Volume v = read(folder, plain);
  CHECK(v.data.values() == joined(row(100), joined(row(200), row(0))));
  CHECK(v.spacing() == Vec3{5, 2, 3});
  CHECK(v.affine.origin() == Vec3{10, 20, 0});
  CHECK_THAT(refused(folder, multi_frame({10, 0, 20, 5}, [](size_t, DicomBytes&) {})), Contains("not evenly spaced"));
  // Time runs fastest, and backwards in the file.
  const std::vector<double> z = {0, 0, 5, 5};
  const auto timed = multi_frame(z, [](size_t k, DicomBytes& item) {
    item = temporal(2 - int(k) % 2), item.sequence(0x00209113, {DicomBytes().text(0x00200032, "DS", k < 2 ? "0\\0\\0" : "0\\0\\5")});
  });
  v = read(folder, timed);
  CHECK(v.data.shape() == Shape{2, 2, 3, 2});
  CHECK(one_of(v, 0).data.values() == joined(row(100), row(300)));
  CHECK(one_of(v, 1).data.values() == joined(row(0), row(200)));
  CHECK(read_header(folder / "a.dcm").channels == std::vector<std::string>{"time point 1", "time point 2"});
  CHECK(read(folder, timed, {.volume = 1}).data.values() == joined(row(0), row(200)));
  // b-values name the channels, though an index of time tells them apart as well.
  const auto diffusion = multi_frame(z, [](size_t k, DicomBytes& item) {
    const DicomBytes position = DicomBytes().text(0x00200032, "DS", k < 2 ? "0\\0\\0" : "0\\0\\5");
    item = temporal(int(k) % 2, k % 2 ? 1000 : 0).sequence(0x00209113, {position});
  });
  v = read(folder, diffusion);
  CHECK(read_header(folder / "a.dcm").channels == std::vector<std::string>{"b 0", "b 1000"});
  CHECK(one_of(v, 1).data.values() == joined(row(100), row(300)));
  // Of three directions and none, the b-value is said as well.
  const auto directions = multi_frame({0, 0, 0}, [](size_t k, DicomBytes& item) {
    DicomBytes gradient;
    const double along[] = {k == 1 ? 1.0 : 0.0, k == 2 ? 1.0 : 0.0, 0};
    gradient.bytes(0x00189089, "FD", std::string(reinterpret_cast<const char*>(along), sizeof along));
    DicomBytes diffusion = DicomBytes().real(0x00189087, k ? 700 : 0);
    if (k) diffusion.sequence(0x00189076, {gradient});
    item.sequence(0x00189117, {diffusion});
  });
  read(folder, directions);
  CHECK(read_header(folder / "a.dcm").channels ==
        std::vector<std::string>{"b 0, no direction", "b 700, direction (0, 1, 0)", "b 700, direction (1, 0, 0)"});
  // One time point lacks a slice; nothing tells two frames apart.
  CHECK_THAT(refused(folder, multi_frame({0, 0, 5}, [](size_t, DicomBytes&) {})), Contains("missing or double"));
  CHECK_THAT(refused(folder, multi_frame(z, [](size_t, DicomBytes&) {})), Contains("tells them apart"));
  // Every frame has a slope of its own, nearer than that of the object.
  auto scaled = multi_frame({0, 5}, [](size_t k, DicomBytes& item) {
    item.sequence(0x00289145, {DicomBytes().text(0x00281053, "DS", k ? "10" : "1").text(0x00281052, "DS", "0")});
  });
  CHECK(read(folder, scaled.text(0x00281053, "DS", "3")).data.values() == joined(row(0), {1000, 1010, 1020, 1030, 1040, 1050}));
}

TEST_CASE("a mosaic of Siemens is the volume that its tiles are") {
  const TemporaryFolder folder;
  // Three slices of 2 x 3 in 2 x 2 tiles.
  std::vector<int> pixels;
  for (int r = 0; r < 4; ++r)
    for (int c = 0; c < 6; ++c) pixels.push_back((r / 2 * 2 + c / 3) * 100 + r % 2 * 3 + c % 3);
  DicomBytes d =
      slice_at(0, 0).text(0x00080008, "CS", "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC").whole(0x00280010, 4).whole(0x00280011, 6).pixels(pixels);
  d.text(0x00190010, "LO", "SIEMENS MR HEADER").numbers(0x0019100a, "US", {3}).text(0x00180088, "DS", "4");
  const Volume v = read(folder, d);
  CHECK(v.data.shape() == Shape{3, 2, 3, 1});
  CHECK(v.data.values() == joined(row(0), joined(row(100), row(200))));
  CHECK(v.spacing() == Vec3{4, 2, 3});
  // The corner of a tile lies half of the rest further in: 3 columns of 3 mm and 2 rows of 2 mm are left over.
  CHECK(v.affine.origin() == Vec3{10 - 4.5, 20 - 2, 0});
  // Number and direction from the CSA header, against the normal of rows and columns.
  const auto text = [](const std::string& s, size_t n) { return s + std::string(n - s.size(), '\0'); };
  const auto number = [](int v) { return std::string{char(v & 255), char(v >> 8 & 255), 0, 0}; };
  const auto field = [&](const std::string& name, const std::vector<std::string>& words) {
    std::string out = text(name, 64) + number(1) + text("FD", 4) + number(0) + number(int(words.size())) + number(77);
    for (const std::string& w : words) out += number(8) + number(8) + number(77) + number(8) + text(w, 8);
    return out;
  };
  const std::string csa = std::string("SV10\4\3\2\1") + number(2) + number(77) + field("NumberOfImagesInMosaic", {"3"}) +
                          field("SliceNormalVector", {"0.0", "0.0", "-1.0"});
  d.erase(0x0019100a).text(0x00290010, "LO", "SIEMENS CSA HEADER").bytes(0x00291010, "OB", csa);
  const Volume down = read(folder, d);
  CHECK(down.affine.origin() == Vec3{5.5, 18, -8});  // slices come in the order of the normal
  CHECK(down.data.values() == joined(row(200), joined(row(100), row(0))));
  CHECK_THAT(refused(folder, d.erase(0x00291010)), Contains("does not say of how many"));
}

TEST_CASE("objects of DICOM without an image are refused by what they are") {
  const TemporaryFolder folder;
  const auto object = [&](const char* uid) {
    return refused(folder, DicomBytes().text(0x00080016, "UI", uid).text(0x0020000e, "UI", "1.2"));
  };
  CHECK_THAT(object("1.2.840.10008.5.1.4.1.1.481.3"), Contains("RTSTRUCT") && Contains("contours") && Contains("segmentation object"));
  CHECK_THAT(object("1.2.840.10008.5.1.4.1.1.88.11"), Contains("structured report"));
  CHECK_THAT(object("1.2.840.10008.5.1.4.1.1.11.1"), Contains("presentation state"));
  CHECK_THAT(object("1.2.840.10008.1.3.10"), Contains("DICOMDIR"));
  CHECK_THAT(object("1.2.9"), Contains("class 1.2.9"));
  put_bytes(folder / "a.dcm", "x");
  CHECK_THAT(error_of([&] { read_volume(folder / "a.dcm"); }), Contains("is no DICOM file"));
}

TEST_CASE("DICOM that went wrong once") {
  const fs::path cases = outside_data("../cases");
  if (cases.empty()) return;
  const Volume v = read_volume(cases / "dicom_enhanced_4d" / "volumes_inner.dcm");
  CHECK(v.data.shape() == Shape{4, 16, 16, 2});
  CHECK(v.spacing() == Vec3{5, 2, 3});
  CHECK(v.affine.origin() == Vec3{10, 20, -30});
  CHECK_THAT(error_of([&] { read_volume(cases / "dicom_enhanced_4d" / "gap.dcm"); }), Contains("not evenly spaced"));
  CHECK(read_volume(cases / "dicom_with_report").data.shape() == Shape{4, 12, 10, 1});
  CHECK_THAT(error_of([&] { read_volume(cases / "dicom_two_series"); }), Contains("--series") && Contains("1 image of 14 x 10"));
  CHECK(read_volume(cases / "dicom_two_series", {.series = "2"}).data.shape() == Shape{4, 12, 10, 1});
}
