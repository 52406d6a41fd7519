#include <cmath>

#include "io/image.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

Tensor numbered(const Shape& s, DType t) {
  std::vector<double> values(size_t(s.count()));
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = t == DType::u8 ? double(i % 256) : double(i * 37 % 60000) - (t == DType::i16 ? 30000 : 0);
  return Tensor::from(values, s, t);
}

// Turned by 0.4 about the superior axis; `tilt` mm of H per slice, as of a tilted gantry.
Affine turned(double tilt = 0, double rows_to_columns = 0) {
  const double c = std::cos(0.4), s = std::sin(0.4);
  Affine a;
  a.m = {{{-s * tilt, -s * 0.8 + rows_to_columns, c * 1.1, -31.25}, {c * tilt, c * 0.8, s * 1.1, 17.5}, {2.5, 0, 0, 403.75}, {0, 0, 0, 1}}};
  return a;
}

double difference(const Affine& a, const Affine& b) {
  double most = 0;
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 4; ++c)
      if (!(std::abs(a(r, c) - b(r, c)) <= most)) most = std::abs(a(r, c) - b(r, c));
  return most;
}

}  // namespace

#ifdef VOXGRAD_WITH_ITK
TEST_CASE("a DICOM series that is written reads back as the same volume") {
  const TemporaryFolder folder;
  for (const DType t : {DType::u8, DType::i16, DType::i32})
    for (const Affine& affine : {turned(), turned(0.3), Affine::scaling({2, 0.75, 1.25}, {-10, 20, -1e3})})
      for (const char* modality : {"MR", "CT", "PT"}) {
        const TemporaryFolder inside;
        const Volume v{numbered({4, 5, 7, 1}, t), affine};
        write_dicom(inside / "series", v, {.modality = modality, .description = "numbers"});
        const Volume back = read_volume(inside / "series");
        CAPTURE(name_of(t), modality);
        CHECK(back.data.shape() == v.data.shape());
        CHECK(back.data.dtype() == t);
        CHECK(back.data.values() == v.data.values());
        CHECK(difference(back.affine, affine) < 1e-6);
        CHECK(read_header(inside / "series").format == "DICOM");
        CHECK(read_header(inside / "series").modality == modality);
      }
  // Slices against the normal: the order is that of the normal, the place in the world is kept.
  Affine down = turned();
  for (auto& row : down.m) row[0] = -row[0];
  const Volume v{numbered({3, 5, 7}, DType::i16), down};
  write_dicom(folder / "down", v);
  const Volume back = to_canonical(read_volume(folder / "down")), wanted = to_canonical(v);
  CHECK(back.data.values() == wanted.data.values());
  CHECK(difference(back.affine, wanted.affine) < 1e-6);
  write_dicom(folder / "one", {numbered({1, 5, 7}, DType::i16), turned()});
  CHECK(read_volume(folder / "one").data.shape() == Shape{1, 5, 7, 1});
}

TEST_CASE("numbers of any kind are written as DICOM: whole ones as they are, others in 65536 steps") {
  const auto back = [](std::vector<double> values, DType t) {
    const TemporaryFolder folder;
    write_dicom(folder / "s", {Tensor::from(values, {1, 2, 2}, t), turned()});
    return read_volume(folder / "s").data;
  };
  for (const DType t : {DType::i32, DType::f32}) {
    const Tensor hounsfield = back({-1024, 0, 3071, 17}, t), counts = back({0, 40000, 65535, 1}, t);
    CHECK(hounsfield.dtype() == DType::i16);
    CHECK(hounsfield.values() == std::vector<double>{-1024, 0, 3071, 17});
    CHECK(counts.values() == std::vector<double>{0, 40000, 65535, 1});
  }
  const std::vector<double> wanted = {-0.37, 1e-3, 12.25, 0.6};
  const Tensor rounded = back(wanted, DType::f32);
  CHECK(rounded.dtype() == DType::f32);
  for (size_t i = 0; i < 4; ++i) CHECK(std::abs(rounded.values()[i] - wanted[i]) < 0.51 * (12.25 + 0.37) / 65535);
  const Tensor flat = back({0.5, 0.5, 0.5, 0.5}, DType::f32), huge = back({-1e6, 1e6, 1e5, 0.5}, DType::f32);
  CHECK(flat.values() == std::vector<double>(4, 0.5));
  CHECK(std::abs(huge.values()[1] - 1e6) < 31);
}
#endif

TEST_CASE("the same DICOM files are written twice, other content has other identifiers") {
  const TemporaryFolder folder;
  const Volume v{numbered({2, 5, 7, 1}, DType::u8), turned()};
  write_dicom(folder / "a", v), write_dicom(folder / "b", v);
  Volume other = v;
  other.data = v.data.clone();
  other.data.mutable_data<uint8_t>()[3] = 77;
  write_dicom(folder / "c", other);
  const auto slice = [&](const char* series, int k) { return file_bytes(folder / series / ("slice_0000" + std::to_string(k) + ".dcm")); };
  CHECK(slice("a", 1) == slice("b", 1));
  const auto instance = [](const std::string& bytes) { return bytes.substr(bytes.find("2.25."), 24); };
  CHECK(instance(slice("a", 1)) != instance(slice("a", 2)));
  CHECK(instance(slice("a", 1)) != instance(slice("c", 1)));
  CHECK(slice("a", 1).substr(128, 4) == "DICM");
  CHECK(slice("a", 1).size() % 2 == 0);  // 35 voxels of a byte, and one to fill up
}

TEST_CASE("what a DICOM series cannot hold is refused, and nothing is left behind") {
  const TemporaryFolder folder;
  const Volume good{numbered({4, 50, 70, 1}, DType::i16), turned()};
  const auto error = [&](Volume v, const DicomOptions& o = {}) { return error_of([&] { write_dicom(folder / "x", v, o); }); };
  CHECK_THAT(error({Tensor::zeros({4, 5, 7, 1}, DType::f64), turned()}), Contains("f64") && Contains("wanted u8"));
  CHECK_THAT(error({Tensor::full({4, 5, 7, 1}, std::nan("")), turned()}), Contains("not finite"));
  CHECK_THAT(error({Tensor::zeros({4, 5, 7, 2}, DType::u8), turned()}), Contains("{4, 5, 7, 2}"));
  CHECK_THAT(error({Tensor::full({4, 5, 7}, 65536, DType::i32), turned()}), Contains("65536") && Contains("16 bits"));
  CHECK_THAT(error({good.data, turned(0, 0.2)}), Contains("right angles"));
  CHECK_THAT(error(good, {.modality = "US"}), Contains("\"US\""));
  CHECK_THAT(error(good, {.description = std::string(65, 'x')}), Contains("64"));
  {
    const FullDisk full(4000);
    CHECK_THAT(error(good), Contains("cannot write"));
  }
  CHECK(folder.files() == 0);
  CHECK(error(good).empty());
  CHECK_THAT(error(good), Contains("not empty"));
}
