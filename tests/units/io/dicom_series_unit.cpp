// Folders of DICOM files: which of them make a volume, and which series is meant.
#include <zlib.h>
#include <algorithm>

#include "data/dataset.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/dicom_bytes.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
void put(const fs::path& path, const DicomBytes& d) {
  fs::create_directories(path.parent_path());
  put_bytes(path, d.file());
}
// First value of every slice.
std::vector<double> firsts(const Volume& v) {
  std::vector<double> out;
  for (int64_t d = 0; d < v.data.dim(0); ++d) out.push_back(v.data.values()[size_t(d * v.data.dim(1) * v.data.dim(2) * v.data.dim(3))]);
  return out;
}
std::string refused(const TemporaryFolder& folder, const ReadOptions& o = {}) {
  return error_of([&] { read_volume(folder.path(), o); });
}
}  // namespace

TEST_CASE("the images of a DICOM folder are found below it, others are passed over") {
  const TemporaryFolder folder;
  put(folder / "b/IM0001", slice_at(5, 50));
  put(folder / "a/c/IM0007.IMA", slice_at(0, 0));
  put(folder / "IM9", slice_at(10, 100));
  put(folder / "report", DicomBytes().text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.88.11").text(0x0020000e, "UI", "1.2.3"));
  put(folder / "b/index", DicomBytes().text(0x00041130, "CS", "MEDIUM"));
  put(folder / "state.dcm", DicomBytes().text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.11.1"));
  put(folder / ".hidden/IM1", slice_at(20, 0, "1.7"));
  put_bytes(folder / "notes.txt", "text");
  const Volume v = read_volume(folder.path());
  CHECK(firsts(v) == std::vector<double>{0, 50, 100});
  CHECK(v.spacing() == Vec3{5, 2, 3});
  CHECK(list_images(folder.path()).size() == 1);
  // The same instance twice is one.
  fs::copy(folder / "IM9", folder / "b/copy");
  CHECK(firsts(read_volume(folder.path())).size() == 3);
  const TemporaryFolder bare;
  put(bare / "x/report", DicomBytes().text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.481.3"));
  CHECK_THAT(refused(bare), Contains("no images") && Contains("RTSTRUCT"));
  put_bytes(bare / "broken.dcm", slice_at(0, 0).file().substr(0, 300));
  CHECK_THAT(refused(bare), Contains("broken.dcm") && Contains("cut off"));
}

TEST_CASE("of several DICOM series one is chosen by number or UID, and the message lists them") {
  const TemporaryFolder folder;
  for (int k = 0; k < 3; ++k) put(folder / ("one/" + std::to_string(k)), slice_at(5 * k, k, "1.2.10").text(0x0008103e, "LO", "first one"));
  put(folder / "two", slice_at(0, 77, "1.2.20"));
  const std::string message = refused(folder);
  CHECK_THAT(message, Contains("2 DICOM series") && Contains("--series") && Contains("\"first one\"") && Contains("UID 1.2.20"));
  CHECK_THAT(message, Contains("1: 3 images of 2 x 3 in 3 files") && Contains("2: 1 image of 2 x 3 in 1 file "));
  CHECK(firsts(read_volume(folder.path(), {.series = "1"})) == std::vector<double>{0, 1, 2});
  CHECK(firsts(read_volume(folder.path(), {.series = "2.20"})) == std::vector<double>{77});
  CHECK(read_header(folder.path(), {.series = "1.2.10"}).shape == Shape{3, 2, 3, 1});
  CHECK_THAT(refused(folder, {.series = "3"}), Contains("no series \"3\""));
  // A localizer within the series: images of two orientations.
  fs::remove(folder / "two");
  put(folder / "scout", slice_at(0, 9, "1.2.10").text(0x00200037, "DS", "1\\0\\0\\0\\0\\-1"));
  CHECK_THAT(refused(folder), Contains("differ in size or orientation"));
  CHECK_THAT(refused(folder, {.series = "1.2.10"}), Contains("2 matching"));
  CHECK(firsts(read_volume(folder.path(), {.series = "1"})).size() == 3);
}

TEST_CASE("slices at one position are channels where something tells them apart") {
  const auto error = [](const std::vector<DicomBytes>& images) {
    const TemporaryFolder folder;
    for (size_t i = 0; i < images.size(); ++i) put(folder / std::to_string(i), images[i]);
    return refused(folder);
  };
  const TemporaryFolder folder;
  int file = 0;
  for (const double z : {5.0, 0.0})
    for (const int echo : {20, 10})
      put(folder / std::to_string(file++), slice_at(z, int(z) + echo).text(0x00180081, "DS", std::to_string(echo)));
  Volume v = read_volume(folder.path());
  CHECK(v.data.shape() == Shape{2, 2, 3, 2});
  CHECK(firsts(one_of(v, 0)) == std::vector<double>{10, 15});
  CHECK(firsts(one_of(v, 1)) == std::vector<double>{20, 25});
  CHECK(read_header(folder.path()).channels == std::vector<std::string>{"echo 10 ms", "echo 20 ms"});
  // Magnitude before phase; by time of acquisition alone.
  const TemporaryFolder parts, timed;
  put(parts / "p", slice_at(0, 1).text(0x00080008, "CS", "ORIGINAL\\PRIMARY\\P\\ND"));
  put(parts / "m", slice_at(0, 2).text(0x00080008, "CS", "ORIGINAL\\PRIMARY\\M\\ND"));
  CHECK(read_header(parts.path()).channels == std::vector<std::string>{"magnitude", "phase"});
  CHECK(read_volume(parts.path()).data.values()[0] == 2);
  for (int k = 0; k < 4; ++k)
    put(timed / std::to_string(k), slice_at(5 * (k / 2), 10 * k).text(0x00080032, "TM", "10000" + std::to_string(9 - k)));
  CHECK(firsts(one_of(read_volume(timed.path()), 0)) == std::vector<double>{10, 30});
  // Nothing does; one is missing; a slice is missing; one lies beside the others.
  CHECK_THAT(error({slice_at(0, 1), slice_at(0, 2)}), Contains("tells them apart"));
  CHECK_THAT(error({slice_at(0, 1), slice_at(0, 2), slice_at(5, 2)}), Contains("missing or double"));
  CHECK_THAT(error({slice_at(0, 1), slice_at(5, 2), slice_at(15, 2)}), Contains("not evenly spaced"));
  CHECK_THAT(error({slice_at(0, 1), slice_at(5, 2).text(0x00200032, "DS", "-7\\-20\\5"), slice_at(10, 2)}),
             Contains("do not lie in a row"));
  // A tilted gantry: every slice is shifted by as much.
  CHECK(
      error({slice_at(0, 1), slice_at(5, 2).text(0x00200032, "DS", "-10\\-19\\5"), slice_at(10, 2).text(0x00200032, "DS", "-10\\-18\\10")})
          .empty());
  // Pictures without a place are no stack.
  CHECK_THAT(error({small_image(1), small_image(2)}), Contains("without a place in space"));
}

TEST_CASE("DICOM slices in gzip are a series as well") {
  const TemporaryFolder folder;
  for (int k = 0; k < 2; ++k) {
    const std::string bytes = slice_at(5 * k, k).file();
    gzFile file = gzopen((folder / (std::to_string(k) + ".dcm.gz")).c_str(), "wb");
    gzwrite(file, bytes.data(), unsigned(bytes.size()));
    gzclose(file);
  }
  CHECK(firsts(read_volume(folder.path())) == std::vector<double>{0, 1});
  CHECK(read_volume(folder / "1.dcm.gz").data.values()[0] == 1);
  CHECK(list_images(folder.path()).size() == 1);
}
