// Files that are not read, by their first bytes or their names: what they are, and what to do with one.
#include <algorithm>
#include <string_view>

#include "io/formats/formats.h"
#include "io/formats/text_fields.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
using namespace std::string_view_literals;

constexpr const char* kUnpack = "unpack it first";
constexpr const char* kBioformats = "export the level or channel that is wanted as TIFF, for example with QuPath or Fiji";

struct ByContent {
  std::string_view magic;
  size_t at;
  const char* name;
  const char* advice;
};
constexpr ByContent kContents[] = {
    {"version https://git-lfs"sv, 0, "a pointer of Git LFS, which stands for the file", "fetch the file with git lfs pull"},
    {"BZh"sv, 0, "compressed by bzip2", "unpack it with bunzip2; gzip is read"},
    {"\xfd\x37zXZ"sv, 0, "compressed by xz", "unpack it with unxz; gzip is read"},
    {"\x28\xb5\x2f\xfd"sv, 0, "compressed by Zstandard", "unpack it with unzstd; gzip is read"},
    {"7z\xbc\xaf"sv, 0, "a 7z archive", kUnpack},
    {"Rar!"sv, 0, "a RAR archive", kUnpack},
    {"PK\x03\x04"sv, 0, "a zip archive", kUnpack},
    {"ustar"sv, 257, "a tar archive", kUnpack},
    {"CDF\x01"sv, 0, "MINC 1 (NetCDF)", "convert it with mnc2nii or mri_convert"},
    {"CDF\x02"sv, 0, "MINC 1 (NetCDF)", "convert it with mnc2nii or mri_convert"},
    {"MATLAB 5.0"sv, 0, "a MATLAB file", "save its image as NIfTI (niftiwrite)"},
    {"# vtk DataFile"sv, 0, "VTK", "save its image as NRRD or MetaImage, for example with 3D Slicer"},
    {"<VTKFile"sv, 0, "VTK", "save its image as NRRD or MetaImage, for example with 3D Slicer"},
    {"MATRIX7"sv, 0, "ECAT 7", "convert it to NIfTI, for example with nibabel"},
    {"TRACK\0"sv, 0, "TrackVis: tracks, no voxels", "give an image"},
    {"mrtrix tracks"sv, 0, "MRtrix tracks, no voxels", "give an image"},
    {"mrtrix image"sv, 0, "an MRtrix image", "convert it with mrconvert"},
    {"GIF8"sv, 0, "a GIF picture", "save it as PNG"},
    {"\0\0\0\x0cjP  "sv, 0, "a JPEG 2000 picture", "save it as PNG or TIFF"},
    {"\xff\x4f\xff\x51"sv, 0, "a JPEG 2000 picture", "save it as PNG or TIFF"},
    {"WEBP"sv, 8, "a WebP picture", "save it as PNG"},
    {"%PDF"sv, 0, "a PDF document", "give an image"},
    {"<!DOCTYPE html"sv, 0, "a page of the web", "fetch the file itself"},
    {"<!doctype html"sv, 0, "a page of the web", "fetch the file itself"},
    {"<html"sv, 0, "a page of the web", "fetch the file itself"},
};

struct ByName {
  const char* ending;
  const char* name;
  const char* advice;
};
constexpr ByName kNames[] = {
    {".head", "an AFNI header", "convert the data set with 3dAFNItoNIFTI"},
    {".brik", "AFNI voxels", "convert the data set with 3dAFNItoNIFTI"},
    {".brik.gz", "AFNI voxels", "convert the data set with 3dAFNItoNIFTI"},
    {".par", "a Philips PAR header", "convert it with dcm2niix or parrec2nii"},
    {".rec", "Philips REC voxels", "convert the scan with dcm2niix or parrec2nii"},
    {".mnc.gz", "MINC", "convert it with mnc2nii or mri_convert"},
    {".gii", "GIFTI: surfaces, no voxels", "give an image"},
    {".mif.gz", "an MRtrix image", "convert it with mrconvert"},
    {".v", "ECAT", "convert it to NIfTI, for example with nibabel"},
    {".gipl", "GIPL", "save it as NRRD or MetaImage"},
    {".mat", "a MATLAB file", "save its image as NIfTI (niftiwrite)"},
    {".svs", "a whole-slide image", kBioformats},
    {".ndpi", "a whole-slide image", kBioformats},
    {".mrxs", "a whole-slide image", kBioformats},
    {".scn", "a whole-slide image", kBioformats},
    {".czi", "a microscope's file", kBioformats},
    {".lif", "a microscope's file", kBioformats},
    {".nd2", "a microscope's file", kBioformats},
    {".oib", "a microscope's file", kBioformats},
    {".ims", "a microscope's file", kBioformats},
    {".raw", "bare voxels without a header", "write a .mhd or .nhdr header for it"},
    {".zraw", "voxels whose header is the .mhd file", "give that"},
};

std::string head_of(const fs::path& path, ByteSource::Coding coding) {
  std::string head(262, '\0');
  try {
    ByteSource source(path, coding);
    head.resize(size_t(source.read_some(head.data(), head.size())));
  } catch (const Error&) { head.clear(); }  // cut off, say: its reader says so
  return head;
}
}  // namespace

std::string unread_kind(const fs::path& path) {
  const auto said = [](const auto& kind) { return std::string(kind.name) + ", which is not read; " + kind.advice; };
  const std::string ending = volume_extension(path), name = lower(path.filename().string());
  if (ending.starts_with(".img")) return {};  // bare voxels
  for (const auto coding : {ByteSource::Coding::plain, ByteSource::Coding::automatic}) {
    const std::string head = head_of(path, coding);
    if (head.size() >= 132 && head.compare(128, 4, "DICM") == 0) return {};
    for (const ByContent& kind : kContents)
      if (head.size() >= kind.at + kind.magic.size() && head.compare(kind.at, kind.magic.size(), kind.magic) == 0 && ending != ".npz")
        return said(kind);
  }
  for (const ByName& kind : kNames)
    if (ending.empty() && name.ends_with(kind.ending)) return said(kind);
  return {};
}

}  // namespace voxgrad
