#include "io/formats/tiff/tiff.h"

#include "tests/catch.h"
#include "tests/temporary_folder.h"
#include "tests/tiff_bytes.h"

using namespace voxgrad;
using namespace voxgrad::tiffs;
using Catch::Matchers::Contains;

namespace {
std::string pixels_of(const std::string& bytes) {
  const TemporaryFolder folder;
  put_bytes(folder / "a.tif", bytes);
  ByteSource source(folder / "a.tif", ByteSource::Coding::plain);
  const std::vector<std::byte> out = tiff_pixels(source, tiff_pages(source));
  return {reinterpret_cast<const char*>(out.data()), out.size()};
}
std::string tiff_refusal(const std::string& bytes) {
  return error_of([&] { pixels_of(bytes); });
}
// The entry of a tag with another value.
std::vector<Entry> but(std::vector<Entry> entries, int tag, uint32_t value) {
  for (Entry& e : entries)
    if (e.tag == tag) e.value = value;
  return entries;
}
}  // namespace

TEST_CASE("pieces of a TIFF that announce more pixels than their bytes can hold are refused before memory is asked for") {
  const std::string twelve = "abcdefghijkl", packed = "\x0b" + twelve;
  CHECK(pixels_of(tiff(page(4, 3, 8, 1), twelve)) == twelve);
  CHECK(pixels_of(tiff(page(4, 3, 8, 32773), packed)) == twelve);
  CHECK_THAT(tiff_refusal(tiff(page(4, 4, 8, 1), twelve)), Contains("its 12 bytes cannot hold"));
  // 13 bytes of packed bits are 64 times as many pixels at most, of LZW 2600 times, of deflate 1032 times.
  CHECK_THAT(tiff_refusal(tiff(but(page(4, 209, 8, 32773), 278, 209), packed)), Contains("its 13 bytes cannot hold"));
  CHECK_THAT(tiff_refusal(tiff(but(page(4, 208, 8, 32773), 278, 208), packed)), Contains("end too early"));
  CHECK_THAT(tiff_refusal(tiff(page(60000, 60000, 8, 5), packed)), Contains("cannot hold"));
  CHECK_THAT(tiff_refusal(tiff(page(60000, 60000, 1, 8), packed)), Contains("cannot hold"));
  // One strip per row, and one offset.
  CHECK_THAT(tiff_refusal(tiff(but(page(4, 3, 8, 1), 278, 1), twelve)), Contains("names 1 pieces of its pixels, wanted 1 x 3"));
}

TEST_CASE("pieces of a TIFF that lie upon one another are refused") {
  // Offsets and lengths of two strips beside the pixels: both are all of the file up to here.
  std::string bytes =
      tiff(but(page(8, 2, 8, 1), 278, 1), std::string(64, 'x') + little(8, 4) + little(8, 4) + little(80, 4) + little(80, 4));
  const auto point = [&](int tag, uint32_t at) {
    const size_t entry = bytes.find(little(uint64_t(tag), 2) + little(4, 2) + little(1, 4));
    REQUIRE(entry != bytes.npos);
    bytes.replace(entry + 4, 8, little(2, 4) + little(at, 4));
  };
  point(273, 8 + 64);
  point(279, 8 + 72);
  CHECK(tiff_refusal(bytes).empty());
  bytes.replace(8 + 72, 8, little(200, 4) + little(200, 4));
  CHECK_THAT(tiff_refusal(bytes), Contains("more bytes than the file"));
}
