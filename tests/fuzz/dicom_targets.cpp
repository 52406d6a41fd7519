#include "io/image.h"
#include "tests/dicom_bytes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/temporary_folder.h"

namespace voxgrad {
namespace {

void run(const std::string& bytes) {
  const auto file = fuzz_file("f.dcm");
  put_bytes(file, bytes);
  read_volume(file);
}

std::vector<std::string> seeds() {
  const auto frames = multi_frame({0, 5, 0, 5}, [](size_t k, DicomBytes& item) {
    item.sequence(0x00209111, {DicomBytes().numbers(0x00209128, "UL", {uint32_t(k / 2)})});
  });
  auto mosaic = slice_at(0, 0).text(0x00080008, "CS", "ORIGINAL\\PRIMARY\\M\\ND\\MOSAIC").text(0x00290010, "LO", "SIEMENS CSA HEADER");
  std::string csa = std::string("SV10\4\3\2\1\1\0\0\0\115\0\0\0NumberOfImagesInMosaic", 38) + std::string(42, '\0');
  mosaic.bytes(0x00291010, "OB", csa + std::string(32, '\1'))
      .bytes(0x00291020, "OB", "### ASCCONV BEGIN ###\nsSliceArray.lSize = 1\n### ASCCONV END ###");
  auto colours = small_image(0).text(0x00280004, "CS", "PALETTE COLOR");
  for (uint32_t c = 0; c < 3; ++c) colours.numbers(0x00281101 + c, "US", {2, 0, 8}).numbers(0x00281201 + c, "US", {1, 2});
  dicom::Elements runs;
  runs.coded_pixels(std::string("\2\0\0\0\100\0\0\0\104\0\0\0", 12) + std::string(52, '\0') +
                    std::string("\373\0\0\0\5\1\2\3\4\5\6\0", 12));
  const std::string coded = slice_at(0, 0).erase(0x7fe00010).file("1.2.840.10008.1.2.5") + runs.str();
  const auto file = fuzz_file("seed.dcm");
  std::vector<double> labels(2 * 3 * 4);
  labels[5] = 1, labels[20] = 2;
  write_segmentation(file, {Tensor::from(labels, {2, 3, 4}, DType::u8), Affine{}});
  return {slice_at(0, 0).file(), frames.file(), mosaic.file(), colours.file(), coded, file_bytes(file)};
}

}  // namespace

std::vector<FuzzTarget> dicom_targets() { return {{.name = "dicom", .run = run, .seeds = seeds}}; }

}  // namespace voxgrad
