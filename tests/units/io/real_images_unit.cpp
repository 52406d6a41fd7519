// Files of other programs, kept outside the project: the folder VOXGRAD_DATA, or ../shared/data beside the sources. The numbers wanted come
// from nibabel 5.4, pydicom 3.0 and the README of pynrrd's test files.
#include <cstdlib>
#include <iostream>

#include "data/dataset.h"
#include "io/checkpoint.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/outside_data.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
double sum_of(const Tensor& t) {
  double sum = 0;
  for (double v : t.values()) sum += std::isnan(v) ? 0 : v;
  return sum;
}

struct Wanted {
  const char* file;
  Shape shape;
  DType dtype;
  const char* orientation;
  double sum;
  double affine[3][4];  // of (i, j, k)
};
}  // namespace

TEST_CASE("NIfTI files read as nibabel reads them") {
  const fs::path folder = outside_data("io_nibabel");
  if (folder.empty()) return;
  const Wanted wanted[] = {
      {"functional.nii", {3, 21, 17, 20}, DType::f32, "LAS", 77913290.362923, {{-4, 0, 0, 32}, {0, 4, 0, -40}, {0, 0, 8, 0}}},
      {"example4d.nii.gz",
       {24, 96, 128, 2},
       DType::i16,
       "LAS",
       101985356,
       {{-2, 0, 0, 117.855103}, {0, 1.973711, -0.355528, -35.722942}, {0, 0.323208, 2.171082, -7.248798}}},
      {"example_nifti2.nii.gz",
       {12, 20, 32, 2},
       DType::i16,
       "LAS",
       6926802,
       {{-2, 0, 0, 117.855103}, {0, 1.973711, -0.355528, -35.722942}, {0, 0.323208, 2.171082, -7.248798}}},
      {"anatomical.nii", {25, 41, 33, 1}, DType::i16, "LAS", 284166082, {{-2, 0, 0, 32}, {0, 2, 0, -40}, {0, 0, 2, -16}}},
      {"test.mgz", {5, 4, 3, 2}, DType::f32, "SAR", -15.556573835, {{1, 2, 3, -13}, {2, 3, 1, -11.5}, {3, 1, 2, -11.5}}},
      {"standard.nii.gz", {7, 5, 4, 1}, DType::u8, "RAS", 7650, {{1, 0, 0, 0}, {0, 3, 0, 0}, {0, 0, 2, 0}}},
      {"resampled_anat_moved.nii", {3, 21, 17, 1}, DType::f32, "LAS", 7749957.09866333, {{-4, 0, 0, 32}, {0, 4, 0, -40}, {0, 0, 8, 0}}},
  };
  for (auto& w : wanted) {
    CAPTURE(w.file);
    const fs::path path = folder / "nibabel/tests/data" / w.file;
    const Volume v = read_volume(path);
    CHECK(v.data.shape() == w.shape);
    CHECK(v.data.dtype() == w.dtype);
    CHECK(v.orientation_code() == w.orientation);
    CHECK_FALSE(!(std::abs(sum_of(v.data) - w.sum) <= 1e-7 * std::abs(w.sum)));  // f32 of rescaled values
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 4; ++c) CHECK_FALSE(!(std::abs(v.affine(r, c < 3 ? 2 - c : 3) - w.affine[r][c]) < 1e-6));
    CHECK(read_header(path).affine == v.affine);
  }
  const auto error = [&](const char* file) { return error_of([&] { read_volume(folder / "nibabel/tests/data" / file); }); };
  CHECK_THAT(error("analyze.hdr"), Contains("analyze.img"));
  CHECK_THAT(error("nifti1.hdr"), Contains("nifti1.img"));
  CHECK_THAT(error("tiny.mnc"), Contains("MINC 1"));
}

TEST_CASE("NRRD files in all their encodings hold the same ball") {
  const fs::path folder = outside_data("io_pynrrd");
  if (folder.empty()) return;
  for (const char* file :
       {"BallBinary30x30x30.nrrd", "BallBinary30x30x30.nhdr", "BallBinary30x30x30_gz.nrrd", "BallBinary30x30x30_gz_lineskip.nrrd",
        "BallBinary30x30x30_byteskip_minus_one.nhdr", "BallBinary30x30x30_gz_byteskip_minus_one.nrrd",
        "BallBinary30x30x30_byteskip_minus_one_nifti.nhdr", "BallBinary30x30x30.nii.gz"}) {
    CAPTURE(file);
    const Volume v = read_volume(folder / file);
    CHECK(v.data.shape() == Shape{30, 30, 30, 1});
    CHECK(v.orientation_code() == "LPS");
    CHECK(sum_of(v.data) == 3682296);
  }
  CHECK(sum_of(read_volume(folder / "test1d_ascii.nrrd").data) == 378);  // 1 + ... + 27
  CHECK(read_volume(folder / "test2d_ascii.nrrd").data.shape() == Shape{1, 9, 3, 1});
  CHECK_THAT(error_of([&] { read_volume(folder / "BallBinary30x30x30_bz2.nrrd"); }), Contains("bzip2"));
  CHECK_THAT(error_of([&] { read_volume(folder / "BallBinary30x30x30_byteskip_minus_five.nhdr"); }), Contains("-5"));
}

TEST_CASE("a data set of the decathlon is found with its files") {
  const fs::path folder = outside_data("Task04_Hippocampus");
  if (folder.empty()) return;
  const Dataset d = read_dataset(folder);
  CHECK(d.cases.size() == 195);
  CHECK(d.labels == std::vector<std::string>{"background", "Anterior", "Posterior"});
  CHECK(d.cases[0].id == "hippocampus_001");
  const VolumeHeader image = read_header(d.cases[0].images[0]), label = read_header(d.cases[0].label);
  CHECK(image.shape == label.shape);
  CHECK(label.dtype == DType::u8);
}

TEST_CASE("weights that another program saved as safetensors are read") {
  const fs::path folder = outside_data("brainchop");
  if (folder.empty()) return;
  const Checkpoint c = load_checkpoint(folder / "meshnet/model5_gw_ae/model.pth");
  int64_t convolutions = 0;
  for (auto& [name, tensor] : c.tensors) convolutions += tensor.shape().rank == 5;
  CHECK(convolutions == 10);
  CHECK_THAT(error_of([&] { load_checkpoint(folder / "meshnet_batchnorm.pth"); }), Contains("safetensors"));
}

#ifdef VOXGRAD_WITH_ITK
TEST_CASE("a DICOM series is a volume") {
  const fs::path folder = outside_data("dicom_torchio_series");
  if (folder.empty()) return;
  const Volume v = read_volume(folder);
  CHECK(v.data.shape() == Shape{17, 128, 88, 1});
  CHECK(v.data.dtype() == DType::i16);
  CHECK(sum_of(v.data) == 28382022);
  CHECK(v.data.values()[(3 * 128 + 40) * 88 + 50] == 268);
  // ImagePositionPatient of the lowest slice is (82.1807, 122.163, -24.707) in LPS+, rows run to the right and columns to anterior.
  const Vec3 wanted[] = {{-82.1807, -122.163, -24.707}, {-80.1807, -120.163, -22.707}};
  for (int i = 0; i < 2; ++i)
    for (int r = 0; r < 3; ++r) CHECK(v.affine.apply({double(i), double(i), double(i)})[r] == Approx(wanted[i][r]));
  CHECK(read_header(folder).shape == v.data.shape());

  // Two series in one folder are named; one of them can be chosen. A missing slice is noticed.
  const TemporaryFolder two;
  for (auto& file : fs::directory_iterator(folder))
    if (file.path().extension() == ".dcm" && file.path().filename() != "IMG0008.dcm")
      fs::copy(file.path(), two / file.path().filename().string());
  CHECK_THAT(error_of([&] { read_volume(two.path()); }), Contains("not evenly spaced"));
  fs::copy(folder / "IMG0008.dcm", two / "IMG0008.dcm");
  CHECK(list_images(two.path()).size() == 1);
  const fs::path others = outside_data("dicom_pydicom");
  if (others.empty()) return;
  fs::copy(others / "693_UNCR.dcm", two / "other.dcm");
  const std::string message = error_of([&] { read_volume(two.path()); });
  CHECK_THAT(message, Contains("2 DICOM series") && Contains("17 files") && Contains("1 file "));
  CHECK(sum_of(read_volume(two.path(), {.series = "579339530"}).data) == 28382022);
  CHECK_THAT(error_of([&] { read_volume(two.path(), {.series = "no such"}); }), Contains("no series"));
}

TEST_CASE("DICOM files of many transfer syntaxes are read or refused, and malformed ones do not end the program", "[forks]") {
  const fs::path folder = outside_data("dicom_pydicom");
  if (folder.empty()) return;
  int read = 0, refused = 0;
  for (auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() != ".dcm") continue;
    const std::string message = error_of([&] { read_volume(file.path()); });
    CAPTURE(file.path().string(), message);
    CHECK((message.empty() || (message.starts_with(file.path().string()) && message.find('\n') == message.npos)));
    ++(message.empty() ? read : refused);
  }
  CHECK(read >= 28);  // those that GDCM 3.0.21 decodes
  CHECK(read + refused == 39);
  CHECK(sum_of(read_volume(folder / "explicit_VR-UN.dcm").data) == -175887460);
  CHECK(sum_of(read_volume(folder / "693_UNCR.dcm").data) == -271466631);  // 512 x 512 pixels less 1024 each
  CHECK(read_volume(folder / "emri_small.dcm").data.shape() == Shape{10, 64, 64, 1});
  CHECK(read_volume(folder / "SC_rgb.dcm").data.shape() == Shape{1, 100, 100, 3});
}

TEST_CASE("PNG, TIFF and JPEG files are slices and stacks") {
  const TemporaryFolder folder;
  std::vector<double> values(size_t(3 * 16 * 24 * 3));
  for (size_t i = 0; i < values.size(); ++i) values[i] = double(i % 255);
  const Tensor all = Tensor::from(values, {3, 16, 24, 3}, DType::u8);
  const auto slice = [&](int64_t d, int64_t channels) {
    return Tensor::from(std::vector<double>(values.begin() + d, values.begin() + d + 16 * 24 * channels), {1, 16, 24, channels}, DType::u8);
  };
  for (const char* ending : {".png", ".tif"})
    for (const int64_t channels : {1, 3}) {
      const Volume v{slice(5, channels), Affine{}};
      const auto path = folder / (std::string("p") + ending);
      write_volume(path, v);
      const Volume back = read_volume(path);
      CHECK(back.data.shape() == v.data.shape());
      CHECK(back.data.values() == v.data.values());
      CHECK(back.orientation_code() == "LPS");  // rows from anterior, columns from the right: as it is looked at
      CHECK(read_header(path).shape == v.data.shape());
    }
  write_volume(folder / "stack.tif",
               {Tensor::from(std::vector<double>(values.begin(), values.begin() + 3 * 16 * 24), {3, 16, 24, 1}, DType::i16), Affine{}});
  const Volume stack = read_volume(folder / "stack.tif");
  CHECK(stack.data.shape() == Shape{3, 16, 24, 1});
  CHECK(stack.data.dtype() == DType::i16);
  CHECK(stack.data.values() == std::vector<double>(values.begin(), values.begin() + 3 * 16 * 24));
  write_volume(folder / "j.jpg", {Tensor::full({1, 16, 24, 1}, 90, DType::u8), Affine{}});
  CHECK(sum_of(read_volume(folder / "j.jpg").data) == Approx(90 * 16 * 24).epsilon(0.03));

  CHECK_THAT(error_of([&] { write_volume(folder / "x.png", {all, Affine{}}); }), Contains("one slice"));
  CHECK_THAT(error_of([&] { write_volume(folder / "x.png", {all.to(DType::f32), Affine{}}); }), Contains("wanted u8"));
  const std::string png = file_bytes(folder / "p.png");
  put_bytes(folder / "cut.png", png.substr(0, png.size() / 2));
  CHECK_THAT(error_of([&] { read_volume(folder / "cut.png"); }), Contains("cut.png"));
  put_bytes(folder / "text.tif", "no picture");
  CHECK_THAT(error_of([&] { read_volume(folder / "text.tif"); }), Contains("text.tif"));
  {
    const FullDisk full(300);
    CHECK_THAT(error_of([&] { write_volume(folder / "full.tif", {slice(0, 3), Affine{}}); }), Contains("cannot write"));
  }
  CHECK_FALSE(fs::exists(folder / "full.tif"));
  CHECK(folder.files() == 6);
}
#else
TEST_CASE("without ITK, DICOM files and pictures are refused by one clear error") {
  const TemporaryFolder folder;
  put_bytes(folder / "a.png", "x");
  CHECK_THAT(error_of([&] { read_volume(folder / "a.png"); }), Contains("has no ITK"));
  CHECK_THAT(error_of([&] { write_volume(folder / "b.png", {Tensor::zeros({1, 2, 2, 1}, DType::u8), Affine{}}); }), Contains("has no ITK"));
}
#endif
