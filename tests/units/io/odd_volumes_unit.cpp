// Volumes of the less usual kinds: values that f32 and i32 have no place for, headers that say where a volume lies in other words, and
// files that are known and not read.
#include <bit>

#include "data/dataset.h"
#include "io/formats/nifti_format.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {
template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  return {reinterpret_cast<const char*>(std::data(values)), values.size() * sizeof(T)};
}

std::string nrrd(const std::string& header, const std::string& data) { return "NRRD0004\n" + header + "\n\n" + data; }

Volume read_bytes(const std::string& name, const std::string& bytes) {
  const TemporaryFolder folder;
  put_bytes(folder / name, bytes);
  return read_volume(folder / name);
}
std::string refusal(const std::string& name, const std::string& bytes) {
  return error_of([&] { read_bytes(name, bytes); });
}

// Of 2 x 1 x 1 voxels.
std::string nifti(int datatype, const std::string& voxels, int version = 1, int intent = 0, float slope = 1) {
  NiftiHeader h{.version = version, .dim = {3, 2, 1, 1, 1, 1, 1, 1}, .datatype = datatype, .pixdim = {1, 1, 1, 1, 1, 1, 1, 1}};
  std::string out;
  for (const std::byte b : serialize_nifti(h)) out += char(b);
  if (version == 1) out.replace(112, 4, std::string(reinterpret_cast<const char*>(&slope), 4));
  if (version == 2) out.replace(504, 4, std::string(reinterpret_cast<const char*>(&intent), 4));
  return out + voxels;
}
const std::string kSpacings = "type: uchar\ndimension: 3\nsizes: 2 3 4\nencoding: raw\n";
}  // namespace

TEST_CASE("numbers that f32 or i32 cannot hold are refused, whatever the format") {
  const std::string far = bytes_of<double>({1e300, 1}), good = bytes_of<double>({3e38, -INFINITY});
  CHECK_THAT(refusal("a.nii", nifti(64, far)), Contains("f64 do not fit f32"));
  CHECK(read_bytes("a.nii", nifti(64, good)).data.values()[1] == -INFINITY);
  CHECK_THAT(refusal("a.nii", nifti(16, bytes_of<float>({3e38f, 1}), 1, 0, 100)), Contains("rescaled f32 do not fit f32"));
  CHECK_THAT(refusal("a.nrrd", nrrd("type: double\ndimension: 1\nsizes: 2\nencoding: raw\nendian: little", far)), Contains("f32"));
  CHECK_THAT(refusal("a.nii", nifti(1280, bytes_of<uint64_t>({1, uint64_t(1) << 63}))),
             Contains("the values 1 to 9223372036854775808 of u64"));
  const auto text = [](const std::string& type, const std::string& numbers) {
    return nrrd("type: " + type + "\ndimension: 1\nsizes: 2\nencoding: ascii", numbers);
  };
  CHECK_THAT(refusal("a.nrrd", text("uchar", "1 300")), Contains("the voxel 300 is no u8"));
  CHECK_THAT(refusal("a.nrrd", text("short", "1 0.5")), Contains("the voxel 0.5 is no i16"));
  CHECK_THAT(refusal("a.nrrd", text("short", "1 nan")), Contains("nan is no i16"));
  CHECK_THAT(refusal("a.nrrd", text("longlong", "1 30000000000")), Contains("3e+10 is no i32"));
  CHECK_THAT(refusal("a.nrrd", text("double", "1 1e300")), Contains("is no f32"));
  CHECK(read_bytes("a.nrrd", text("float", "nan -inf")).data.values()[1] == -INFINITY);
  CHECK(read_bytes("a.nrrd", text("signed char", "-128 127")).data.values() == std::vector<double>{-128, 127});
}

TEST_CASE("NRRD says where axes begin and end in several ways") {
  const std::string voxels(24, 'x');
  const auto extent = [&](const std::string& more) { return read_bytes("a.nrrd", nrrd(kSpacings + more, voxels)).affine; };
  const Affine cells = extent("axis mins: 1 2 nan\naxis maxs: 2 5 nan\nspacings: nan nan 7");
  CHECK(cells.spacing() == Vec3{7, 1, 0.5});
  CHECK(cells.origin() == Vec3{-1.25, -2.5, 0});
  const Affine nodes = extent("axismins: 1 2 3\naxismaxs: 2 6 9\ncenterings: node node node");
  CHECK(nodes.spacing() == Vec3{2, 2, 1});
  CHECK(nodes.origin() == Vec3{-1, -2, 3});
  CHECK(extent("spacings: 2 3 4\naxis mins: 10 10 10").origin() == Vec3{-11, -11.5, 12});
  // Vectors that are no numbers are those of no axis in space.
  const Volume colours = read_bytes("a.nrrd", nrrd(kSpacings + "space: RAS\nspace directions: (nan,nan,nan) (2,0,0) (0,3,0)", voxels));
  CHECK(colours.data.shape() == Shape{1, 4, 3, 2});
  CHECK(colours.spacing()[2] == 2);
}

TEST_CASE("units of length in NRRD files are read as what they are") {
  const std::string voxels(24, 'x'), directions = "space: RAS\nspace directions: none (2,0,0) (0,3,0)\n";
  const auto spacing = [&](const std::string& unit) {
    const Volume v = read_bytes("a.nrrd", nrrd(kSpacings + directions + "space units: " + unit + " " + unit + " " + unit, voxels));
    return v.spacing()[2];
  };
  const std::pair<const char*, double> units[] = {{"mm", 1},    {"cm", 10}, {"centimeters", 10},    {"dm", 100},       {"inches", 25.4},
                                                  {"nm", 1e-6}, {"M", 1e3}, {"\xc2\xb5m", 1e-3}, {"Microns", 1e-3}, {"furlongs", 1},
                                                  {"", 1}};
  for (const auto& [name, mm] : units)
    CHECK(std::abs(spacing("\"" + std::string(name) + "\"") / (2 * mm) - 1) < 1e-12);
  const TemporaryFolder folder;
  const auto said = [&](const std::string& unit) {
    put_bytes(folder / "a.nrrd", nrrd(kSpacings + directions + "space units: \"" + unit + "\" \"mm\" \"mm\"", voxels));
    return read_header(folder / "a.nrrd").warning;
  };
  CHECK_THAT(said("furlongs"), Contains("furlongs") && Contains("mm is assumed"));
  CHECK(said("").empty());
}

TEST_CASE("SPM's matrix beside an Analyze file says where it lies") {
  std::string header(348, '\0');
  const auto put = [&](size_t at, const std::string& bytes) { header.replace(at, bytes.size(), bytes); };
  put(0, bytes_of<int32_t>({348}));
  put(40, bytes_of<int16_t>({3, 2, 1, 1, 1}));
  put(70, bytes_of<int16_t>({2, 8}));
  put(76, bytes_of<float>({1, 2, 3, 4}));
  const TemporaryFolder folder;
  put_bytes(folder / "a.hdr", header);
  CHECK_THAT(error_of([&] { read_volume(folder / "a.hdr"); }), Contains("a.hdr") && Contains("a.img beside it, which is not there"));
  put_bytes(folder / "a.img", "xy");
  CHECK(read_volume(folder / "a.hdr").affine.origin() == Vec3{1, 0, 0});
  CHECK_THAT(read_header(folder / "a.hdr").warning, Contains("left from right"));
  // Columns of (i, j, k, 1), indices from 1.
  const auto matrix = [](const std::string& name) {
    return bytes_of<int32_t>({0, 4, 4, 0, int32_t(name.size() + 1)}) + name + std::string(1, '\0') +
           bytes_of<double>({2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4, 0, 10, 20, 30, 1});
  };
  put_bytes(folder / "a.mat", matrix("M"));
  CHECK(read_volume(folder / "a.hdr").affine.origin() == Vec3{-12, 23, 34});
  CHECK(read_volume(folder / "a.hdr").affine(0, 2) == -2);
  CHECK(read_header(folder / "a.img").warning.empty());
  put_bytes(folder / "a.mat", matrix("M") + matrix("mat"));
  CHECK(read_volume(folder / "a.hdr").affine.origin() == Vec3{12, 23, 34});
  put_bytes(folder / "a.mat", "MATLAB 5.0 MAT-file, " + std::string(200, ' '));
  CHECK_THAT(error_of([&] { read_volume(folder / "a.hdr"); }), Contains("a.mat") && Contains("save -v4"));
  put_bytes(folder / "a.mat", matrix("mat").substr(0, 100));
  CHECK_THAT(error_of([&] { read_volume(folder / "a.hdr"); }), Contains("a.mat") && Contains("ends too early"));
}

TEST_CASE("files that are known and not read are refused by what they are, with what to do") {
  const std::string cdf("CDF\x01", 4), rest(300, 'x');
  const std::tuple<const char*, std::string, const char*, const char*> kinds[] = {
      {"a.mnc", cdf + rest, "MINC 1", "mnc2nii"},
      {"a.nii", "version https://git-lfs.github.com/spec/v1\n", "Git LFS", "git lfs pull"},
      {"a.nii.bz2", "BZh91AY" + rest, "bzip2", "bunzip2"},
      {"a.nii", "PK\x03\x04" + rest, "zip archive", "unpack"},
      {"a+orig.HEAD", rest, "AFNI", "3dAFNItoNIFTI"},
      {"a+orig.BRIK.gz", rest, "AFNI", "3dAFNItoNIFTI"},
      {"a.PAR", "# === DATA DESCRIPTION FILE" + rest, "PAR", "dcm2niix"},
      {"a.svs", rest, "whole-slide", "TIFF"},
      {"a.tar", std::string(257, 'x') + "ustar" + rest, "tar archive", "unpack"},
      {"a.dconn.nii", nifti(16, bytes_of<float>({1, 2}), 2, 3001), "CIFTI", "wb_command"},
  };
  for (const auto& [name, bytes, what, advice] : kinds) {
    CAPTURE(name);
    CHECK_THAT(refusal(name, bytes), Contains(std::string(name) + ": is ") && Contains(what) && Contains(advice));
    const TemporaryFolder folder;
    const std::filesystem::path file = folder / name;
    put_bytes(file, bytes);
    CHECK_THAT(error_of([&] { read_header(file); }), Contains(what));
  }
  CHECK(refusal("a.nii", nifti(16, bytes_of<float>({1, 2}), 2)).empty());
  CHECK(refusal("a.hdr", "x").find("not read; ") == std::string::npos);
  const TemporaryFolder folder;
  put_bytes(folder / "a.mnc", cdf + rest);
  CHECK_THAT(error_of([&] { list_images(folder.path()); }), Contains("without images") && Contains("MINC 1") && Contains("mnc2nii"));
  CHECK_THAT(refusal("a.mha", "ObjectType = Tube\nNDims = 3\nDimSize = 1 1 1\nElementType = MET_UCHAR\nElementDataFile = LOCAL\nx"),
             Contains("Tube"));
}
