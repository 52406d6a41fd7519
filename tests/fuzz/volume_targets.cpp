#include "io/image.h"
#include "tests/fuzz/fuzz.h"
#include "tests/temporary_folder.h"

namespace voxgrad {
namespace {

// The same volume of 2 x 3 x 4 voxels of each element type, and one of two channels.
std::vector<std::string> written(const std::string& ending) {
  std::vector<std::string> out;
  const auto add = [&](const Tensor& t, const std::string& stored) {
    const auto file = fuzz_file("seed" + ending);
    write_volume(file, {t, Affine()}, {.stored = stored});
    out.push_back(file_bytes(file));
  };
  for (DType t : {DType::u8, DType::i16, DType::i32, DType::f32}) add(Tensor::full({2, 3, 4, 1}, 1, t), "");
  add(Tensor::full({2, 3, 4, 1}, 1, DType::i32), "u16");
  if (ending != ".npy") add(Tensor::full({2, 3, 4, 2}, 1, DType::i16), "");
  return out;
}

FuzzTarget reader(const std::string& name, const std::string& ending, const std::vector<std::string>& more = {}) {
  return {.name = name,
          .run =
              [ending](const std::string& bytes) {
                const auto file = fuzz_file("f" + ending);
                put_bytes(file, bytes);
                read_volume(file);
              },
          .seeds =
              [ending, more] {
                std::vector<std::string> out = written(ending);
                out.insert(out.end(), more.begin(), more.end());
                return out;
              }};
}

// A header in one file, its voxels in another: the first `header` bytes, then the rest.
FuzzTarget pair_reader(const std::string& name, size_t header) {
  return {.name = name,
          .run =
              [header](const std::string& bytes) {
                put_bytes(fuzz_file("f.hdr"), bytes.substr(0, header));
                put_bytes(fuzz_file("f.img"), bytes.size() > header ? bytes.substr(header) : "");
                read_volume(fuzz_file("f.img"));
              },
          .seeds =
              [] {
                // Analyze 7.5: sizeof_hdr, dim[8], datatype 4, bitpix 16, pixdim.
                std::string h(348, '\0');
                const auto put = [&](size_t at, int value, size_t bytes) { h.replace(at, bytes, std::string((const char*)&value, bytes)); };
                put(0, 348, 4);
                put(38, 'r', 1);
                const int dim[] = {4, 4, 3, 2, 1};
                for (size_t i = 0; i < 5; ++i) put(40 + 2 * i, dim[i], 2);
                put(70, 4, 2);
                put(72, 16, 2);
                for (size_t i = 1; i < 4; ++i) put(76 + 4 * i, 0x3f800000, 4);
                return std::vector<std::string>{h + std::string(48, 'x')};
              }};
}

const std::string kNrrd =
    "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 2 1 2\nspace directions: (1,0,0) (0,1,0) "
    "(0,0,1)\nspace origin: (0,0,0)\nkinds: domain domain domain\nendian: little\nlabels: \"a\" \"b\" \"c\"\n";
const std::string kMeta =
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nTransformMatrix = 1 0 0 0 1 0 0 0 "
    "1\nOffset = 0 0 0\nElementSpacing = 1 1 1\nDimSize = 2 1 2\n";

}  // namespace

std::vector<FuzzTarget> volume_targets() {
  return {
      reader("nifti", ".nii"),
      reader("nifti_gz", ".nii.gz"),
      reader("nrrd", ".nrrd",
             {kNrrd + "encoding: ascii\n\n1 2 3 4\n", kNrrd + "encoding: raw\n\nabcdefgh",
              kNrrd + "encoding: raw\nbyte skip: -1\n\nxxabcdefgh", kNrrd + "encoding: raw\nline skip: 1\nspacings: 1 1 1\n\nx\nabcdefgh"}),
      reader("metaimage", ".mha",
             {kMeta + "ElementType = MET_SHORT\nElementDataFile = LOCAL\nabcdefgh",
              kMeta + "ElementNumberOfChannels = 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\nabcdefgh"}),
      reader("npy", ".npy"),
      reader("npz", ".npz"),
      reader("mgh", ".mgh"),
      pair_reader("analyze", 348)};
}

}  // namespace voxgrad
