// Every file of other programs that is kept outside of the project: what nibabel 5.4, SimpleITK 2.5 and pydicom 3.0 read (tools/crosscheck/
// image_files --table writes the rows), or the sentence that refuses it.
#include <cmath>

#include "io/image.h"
#include "tests/catch.h"
#include "tests/outside_data.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {
struct Row {
  const char* file;
  Shape shape;
  double sum, middle;          // of all voxels; of that at {C, D, H, W} / 2
  std::vector<double> affine;  // of (d, h, w, 1), row by row; empty: the file does not say
};
struct Refusal {
  const char *file, *what, *advice;
};

void check_rows(const fs::path& folder, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    CAPTURE(row.file);
    const Volume v = read_volume(folder / row.file);
    CHECK(v.data.shape() == row.shape);
    if (v.data.shape() != row.shape) continue;
    const std::vector<double> values = v.data.values();
    double sum = 0, sizes = 0;
    for (const double x : values)
      if (!std::isnan(x)) sum += x, sizes += std::abs(x);
    const Shape& s = row.shape;
    CHECK(std::abs(sum - row.sum) <= 2e-7 * sizes);  // f32 of rescaled values
    const double middle = values[size_t(((s[0] / 2 * s[1] + s[1] / 2) * s[2] + s[2] / 2) * s[3] + s[3] / 2)];
    CHECK(std::abs(middle - row.middle) <= 2e-7 * std::abs(row.middle));
    for (size_t i = 0; i < row.affine.size(); ++i) CHECK_FALSE(!(std::abs(v.affine.m[i / 4][i % 4] - row.affine[i]) < 1e-4));
    CHECK(read_header(folder / row.file).shape == row.shape);
  }
}

void check_refusals(const fs::path& folder, const std::vector<Refusal>& refusals) {
  for (const Refusal& r : refusals) {
    CAPTURE(r.file);
    const std::string message = error_of([&] { read_volume(folder / r.file); });
    CHECK_THAT(message, Contains((folder / r.file).string() + ": ") && Contains(r.what) && Contains(r.advice));
  }
}
}  // namespace

TEST_CASE("nibabel's files hold what nibabel reads") {
  const fs::path folder = outside_data("io_nibabel");
  if (folder.empty()) return;
  check_rows(
      folder,
      {
          {"doc/source/downloads/someones_anatomy.nii.gz",
           {56, 67, 57, 1},
           9834293.11365,
           64.1291879,
           {0, 0, 2.75, -78, 0, 2.75, 0, -91, 2.75, 0, 0, -91}},
          {"doc/source/downloads/someones_epi.nii.gz",
           {33, 61, 53, 1},
           4873536.84668,
           81.5492878,
           {0, 0, 3, -78, -0.88656062, 2.8660095, 0, -76, 2.8660095, 0.88656062, 0, -64}},
          {"nibabel/nicom/tests/data/decimal_rescale.dcm",
           {1, 96, 128, 1},
           -50331648,
           -4096,
           {0, 0, -1.125, 116.06846, 0.50528147, -1.1192408, 0, 97.901815, 4.9744035, 0.11368833, 0, -43.233071}},
          {"nibabel/nicom/tests/data/slicethickness_empty_string.dcm",
           {1, 384, 384, 1},
           4626321,
           173,
           {0.75456357, 0, 0.34178466, -65.568804, 0.65622696, 0, -0.39300161, 75.510174, 0, -0.520833, 0, -6.4e-05}},
          {"nibabel/tests/data/anatomical.nii", {25, 41, 33, 1}, 284166082, 11881, {0, 0, -2, 32, 0, 2, 0, -40, 2, 0, 0, -16}},
          {"nibabel/tests/data/example4d.nii.gz",
           {24, 96, 128, 2},
           101985356,
           266,
           {0, 0, -2, 117.8551, -0.35552824, 1.9737115, 0, -35.722942, 2.1710818, 0.32320762, 0, -7.2487984}},
          {"nibabel/tests/data/example_nifti2.nii.gz",
           {12, 20, 32, 2},
           6926802,
           266,
           {0, 0, -2, 117.8551, -0.35552824, 1.9737115, 0, -35.722942, 2.1710818, 0.32320762, 0, -7.2487984}},
          {"nibabel/tests/data/functional.nii", {3, 21, 17, 20}, 77913290.3629, 3937.25122, {0, 0, -4, 32, 0, 4, 0, -40, 8, 0, 0, 0}},
          {"nibabel/tests/data/reoriented_anat_moved.nii",
           {22, 26, 21, 1},
           32739769.4492,
           8117.22021,
           {0, 0, 4, -35.297897, 0, 4, 0, -47.977585, 4, 0, 0, -27.599409}},
          {"nibabel/tests/data/resampled_anat_moved.nii",
           {3, 21, 17, 1},
           7749957.09866,
           10849.9043,
           {0, 0, -4, 32, 0, 4, 0, -40, 8, 0, 0, 0}},
          {"nibabel/tests/data/standard.nii.gz", {7, 5, 4, 1}, 7650, 0, {0, 0, 1, 0, 0, 3, 0, 0, 2, 0, 0, 0}},
          {"nibabel/tests/data/test.mgz", {5, 4, 3, 2}, -15.556573835, -0.709699631, {3, 2, 1, -13, 1, 3, 2, -11.5, 2, 1, 3, -11.5}},
      });
  check_refusals(folder,
                 {
                     {"nibabel/tests/data/analyze.hdr", "its voxels should lie in", "analyze.img"},
                     {"nibabel/tests/data/nifti1.hdr", "its voxels should lie in", "nifti1.img"},
                     {"nibabel/tests/data/nifti2.hdr", "its voxels should lie in", "nifti2.img"},
                     {"nibabel/tests/data/row_major.dconn.nii", "CIFTI", "wb_command -cifti-separate"},
                     {"nibabel/tests/data/tiny.mnc", "MINC 1", "mnc2nii"},
                     {"nibabel/tests/data/minc1_4d.mnc", "MINC 1", "mnc2nii"},
                     {"nibabel/tests/data/small.mnc", "MINC 2", "mnc2nii"},
                     {"nibabel/tests/data/minc2-4d-d.mnc", "MINC 2", "mnc2nii"},
                     {"nibabel/tests/data/scaled+tlrc.HEAD", "AFNI", "3dAFNItoNIFTI"},
                     {"nibabel/tests/data/scaled+tlrc.BRIK", "AFNI", "3dAFNItoNIFTI"},
                     {"nibabel/tests/data/example4d+orig.HEAD", "AFNI", "3dAFNItoNIFTI"},
                     {"nibabel/tests/data/phantom_EPI_asc_CLEAR_2_1.PAR", "Philips PAR", "dcm2niix"},
                     {"nibabel/tests/data/phantom_EPI_asc_CLEAR_2_1.REC", "Philips REC", "dcm2niix"},
                     {"nibabel/nicom/tests/data/0.dcm", "is a mosaic of 48 slices in 7 x 7 tiles", "256 x 256"},  // shrunk by its authors
                     {"nibabel/nicom/tests/data/1.dcm", "is a mosaic of 48 slices in 7 x 7 tiles", "256 x 256"},
                     {"nibabel/nicom/tests/data/csa_slice_norm.dcm", "an image whose voxels were left out", "export it again"},
                 });
}

TEST_CASE("pynrrd's files hold what SimpleITK reads") {
  const fs::path folder = outside_data("io_pynrrd");
  if (folder.empty()) return;
  check_rows(
      folder,
      {
          {"BallBinary30x30x30.nhdr", {30, 30, 30, 1}, 3682296, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"BallBinary30x30x30.nii.gz", {30, 30, 30, 1}, 3682296, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"BallBinary30x30x30.nrrd", {30, 30, 30, 1}, 3682296, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"BallBinary30x30x30_byteskip_minus_one.nhdr", {30, 30, 30, 1}, 3682296, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"BallBinary30x30x30_byteskip_minus_one_nifti.nhdr", {30, 30, 30, 1}, 3682296, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"BallBinary30x30x30_gz.nrrd", {30, 30, 30, 1}, 3682296, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"BallBinary30x30x30_gz_byteskip_minus_one.nrrd", {30, 30, 30, 1}, 3682296, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"BallBinary30x30x30_gz_lineskip.nrrd", {30, 30, 30, 1}, 3682296, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"BallBinary30x30x30_nifti.nhdr", {30, 30, 30, 1}, 3950518, 257, {0, 0, -1, 0, 0, -1, 0, 0, 1, 0, 0, 0}},
          {"test2d_ascii.nrrd", {1, 9, 3, 1}, 378, 14, {0, 0, -1.0458, 0, 0, -2, 0, 0, 1, 0, 0, 0}},
          // SimpleITK wants two axes; these are as pynrrd reads them.
          {"test1d_ascii.nrrd", {1, 1, 27, 1}, 378, 14, {}},
          {"test_customFields.nrrd", {1, 1, 27, 1}, 378, 14, {}},
          {"test_simple4d_raw.nrrd", {1, 1, 1, 1}, 0.76903426, 0.76903426, {0, 0, 1.5, 0, 0, 1.5, 0, 0, 1, 0, 0, 0}},
      });
  check_refusals(folder, {
                             {"BallBinary30x30x30_bz2.nrrd", "bzip2", "save it as gzip"},
                             {"BallBinary30x30x30_byteskip_minus_five.nhdr", "-5 bytes", "not possible"},
                         });
}

#ifdef VOXGRAD_WITH_ITK
TEST_CASE("pydicom's files hold what pydicom reads") {
  const fs::path folder = outside_data("dicom_pydicom");
  if (folder.empty()) return;
  check_rows(
      folder,
      {
          {"693_J2KR.dcm", {1, 512, 512, 1}, -271466631, 24, {0, 0, -0.478516, 122.5, 0, -0.478516, 0, 112.4, 5, 0, 0, 47}},
          {"693_UNCI.dcm", {1, 512, 512, 1}, -270617240, 32, {0, 0, -0.478516, 122.5, 0, -0.478516, 0, 112.4, 5, 0, 0, 47}},
          {"693_UNCR.dcm", {1, 512, 512, 1}, -271466631, 24, {0, 0, -0.478516, 122.5, 0, -0.478516, 0, 112.4, 5, 0, 0, 47}},
          {"HTJ2KLossless_08_RGB.dcm", {1, 480, 640, 3}, 117137474, 136, {}},
          {"JLSL_08_07_0_1F.dcm", {1, 128, 128, 1}, 775483, 110, {}},
          {"JLSL_16_15_1_1F.dcm", {1, 128, 128, 1}, -66250735, 12205, {}},
          {"JLSN_RGB_ILV0.dcm", {1, 256, 256, 3}, 28879253, 190, {}},
          {"JPEG-LL.dcm", {1, 1024, 256, 1}, 3596452, 13, {}},
          {"JPEG2000_UNC.dcm", {1, 1024, 256, 1}, 3527976, 7, {}},
          {"JPGLosslessP14SV1_1s_1f_8b.dcm", {1, 768, 1024, 1}, 13572107, 15, {}},
          {"MR-SIEMENS-DICOM-WithOverlays.dcm",
           {1, 484, 484, 1},
           28033480,
           108,
           {0, 0, -0.7231405, 159.82566, 0, -0.7231405, 0, 175.32202, 4, 0, 0, 28.426151}},
          {"MR2_J2KI.dcm",
           {1, 1024, 1024, 1},
           297341684.236,
           1181.29774,
           {4.932006, 0, -0.11122802, 180.05822, -3.416916, 0, -0.16054748, 97.147766, 0, -0.195313, 0, 112.82799}},
          {"MR2_J2KR.dcm",
           {1, 1024, 1024, 1},
           297139221.891,
           1139.78249,
           {4.932006, 0, -0.11122802, 180.05822, -3.416916, 0, -0.16054748, 97.147766, 0, -0.195313, 0, 112.82799}},
          {"SC_rgb.dcm", {1, 100, 100, 3}, 3831000, 128, {}},
          {"SC_rgb_16bit.dcm", {1, 100, 100, 3}, 984567000, 32896, {}},
          {"SC_ybr_full_uncompressed.dcm", {1, 100, 100, 3}, 3832000, 130, {}},
          {"bad_sequence.dcm",
           {1, 512, 512, 1},
           -20086954,
           202,
           {0, 0, -0.28710938, 65.356445, 0, -0.28710938, 0, 154.35645, 1, 0, 0, 1687.5}},
          {"color-pl.dcm", {1, 120, 256, 3}, 3931744, 16, {}},
          {"color-px.dcm", {1, 120, 256, 3}, 3931744, 16, {}},
          {"emri_small.dcm", {10, 64, 64, 1}, 4493276, 66, {}},
          {"emri_small_RLE.dcm", {10, 64, 64, 1}, 4493276, 66, {}},
          {"emri_small_big_endian.dcm", {10, 64, 64, 1}, 4493276, 66, {}},
          {"emri_small_jpeg_2k_lossless.dcm", {10, 64, 64, 1}, 4493276, 66, {}},
          {"emri_small_jpeg_ls_lossless.dcm", {10, 64, 64, 1}, 4493276, 66, {}},
          {"explicit_VR-UN.dcm", {1, 512, 512, 1}, -175887460, -27, {0, 0, -0.859375, 0, 0, 0.859375, 0, 0, -1, 0, 0, -121}},
          {"liver.dcm", {3, 512, 512, 1}, 107098, 1, {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
          {"liver_expb.dcm", {3, 512, 512, 1}, 107098, 1, {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
          {"liver_j2k.dcm", {3, 512, 512, 1}, 107098, 1, {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
          {"liver_nonbyte_aligned.dcm", {3, 510, 510, 1}, 107098, 1, {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
          {"liver_nonbyte_aligned_j2k.dcm",
           {3, 510, 510, 1},
           107098,
           1,
           {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
          {"mlut_18.dcm", {1, 512, 512, 1}, 8697190668, 31447, {}},
          {"parametric_map_double_float.dcm",
           {1, 128, 128, 1},
           9617.08534916,
           0.120036513,
           {0, 0, -0.661468, 158.1358, 0, -0.661468, 0, 179.0358, 5, 0, 0, -75.699997}},
          {"parametric_map_float.dcm",
           {1, 128, 128, 1},
           9617.08536105,
           0.120036513,
           {0, 0, -0.661468, 158.1358, 0, -0.661468, 0, 179.0358, 5, 0, 0, -75.699997}},
          {"vlut_04.dcm", {1, 512, 512, 1}, 33772018, 122, {}},
          {"liver_deflate.dcm", {3, 512, 512, 1}, 107098, 1, {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
          {"liver_rle.dcm", {3, 512, 512, 1}, 107098, 1, {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
          {"liver_nonbyte_aligned_deflate.dcm",
           {3, 510, 510, 1},
           107098,
           1,
           {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
          {"liver_nonbyte_aligned_rle.dcm",
           {3, 510, 510, 1},
           107098,
           1,
           {0, 0, -0.810547, 235.2, 0, -0.810547, 0, 226.8, 1, 0, 0, -128.69}},
      });
  check_refusals(folder, {
                             {"emri_small_jpeg_2k_lossless_too_short.dcm", "cut off", "has no end"},
                         });
}
#endif
