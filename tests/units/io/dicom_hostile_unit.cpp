// DICOM objects of which one byte or length after the other is replaced, and which end anywhere: a result or one Error by the name of the
// file, and no memory that the file does not bear out.
#include "core/memory/memory.h"
#include "io/formats/dicom/data_set.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/dicom_bytes.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
constexpr size_t kMostMemory = 64 << 20;

// The number of refusals.
int attempt_all(const std::string& good, size_t from) {
  const TemporaryFolder folder;
  const auto path = folder / "a.dcm";
  int refused = 0;
  const auto attempt = [&](const std::string& bytes, size_t at) {
    put_bytes(path, bytes);
    CAPTURE(at);
    reset_peak_memory(Device{});
    const size_t before = memory_stats(Device{}).in_use;
    const std::string message = error_of([&] { read_volume(path); });
    REQUIRE((message.empty() || message.find(path.string()) != message.npos));
    REQUIRE(memory_stats(Device{}).peak - before < kMostMemory);
    refused += !message.empty();
  };
  attempt(good, 0);
  REQUIRE(refused == 0);
  for (size_t at = from; at < good.size(); ++at) {
    attempt(good.substr(0, at), at);
    for (const unsigned char byte : {0x00, 0x01, 0x39, 0x7f, 0xff}) {
      std::string bad = good;
      bad[at] = char(byte);
      attempt(bad, at);
    }
    if (at % 2 || at + 4 > good.size()) continue;
    for (const uint32_t word : {0xffffffffu, 0x7fffffffu, 0x00010000u}) {
      std::string bad = good;
      std::memcpy(bad.data() + at, &word, sizeof word);
      attempt(bad, at);
    }
  }
  return refused;
}
}  // namespace

TEST_CASE("hostile bytes in a multi-frame DICOM object, a mosaic and a segmentation object") {
  const auto frames = multi_frame(
      {0, 5}, [](size_t k, DicomBytes& item) { item.sequence(0x00209111, {DicomBytes().numbers(0x00209128, "UL", {uint32_t(k)})}); });
  CHECK(attempt_all(frames.file(), 132) > 1000);
  auto mosaic = slice_at(0, 0).text(0x00080008, "CS", "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC").text(0x00190010, "LO", "SIEMENS MR HEADER");
  mosaic.whole(0x0019100a, 1).text(0x00290010, "LO", "SIEMENS CSA HEADER");
  mosaic.bytes(0x00291010, "OB", std::string("SV10\4\3\2\1\1\0\0\0\115\0\0\0SliceNormalVector", 33) + std::string(120, '\0'));
  CHECK(attempt_all(mosaic.file(), 132) > 1000);
  const TemporaryFolder folder;
  std::vector<double> labels(2 * 3 * 4);
  labels[5] = 1, labels[20] = 2;
  write_segmentation(folder / "s.dcm", {Tensor::from(labels, {2, 3, 4}, DType::u8), Affine{}});
  CHECK(attempt_all(file_bytes(folder / "s.dcm"), 260) > 1000);
}

TEST_CASE("hostile run lengths of DICOM") {
  dicom::Elements e;
  std::string code = std::string("\2\0\0\0\100\0\0\0\104\0\0\0", 12) + std::string(52, '\0');
  code += std::string("\373\0\0\0\5\1\2\3\4\5\6\0", 12);  // six zeros, the high bytes; 1 to 6
  DicomBytes d = slice_at(0, 0);
  e.coded_pixels(code);
  d.erase(0x7fe00010);
  const std::string good = d.file("1.2.840.10008.1.2.5") + e.str();
  CHECK(attempt_all(good, good.size() - e.str().size()) > 200);
}

TEST_CASE("nested DICOM sequences without an end are one error") {
  const TemporaryFolder folder;
  std::string open;
  for (int i = 0; i < 10000; ++i) open += std::string("\10\0\1\1SQ\0\0\377\377\377\377\376\377\0\340\377\377\377\377", 20);
  put_bytes(folder / "a.dcm", DicomBytes().text(0x00080005, "CS", "X").file() + open);
  CHECK_THAT(error_of([&] { read_volume(folder / "a.dcm"); }), Contains("nested more than"));
  put_bytes(folder / "b.dcm", DicomBytes().text(0x00080005, "CS", "X").file() + open.substr(0, 100));
  CHECK_THAT(error_of([&] { read_volume(folder / "b.dcm"); }), Contains("no end"));
}
