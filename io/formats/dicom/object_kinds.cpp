// What the objects of DICOM are that hold no image, by their SOP class (PS3.4 B.5), and what to do with one.
#include "core/error.h"
#include "io/formats/dicom/dicom_file.h"

namespace voxgrad::dicom {
namespace {
struct Kind {
  std::string_view uid;  // ending with a dot: of all below it
  const char* name;
  const char* advice;
};
constexpr std::string_view kStorage = "1.2.840.10008.5.1.4.1.1.";
constexpr const char* kFolder = "give the folder of the images, or one of them";
constexpr const char* kStripped = "an image whose voxels were left out: it has no PixelData (7FE0,0010)";
constexpr const char* kAgain = "export it again with them";
constexpr Kind kKinds[] = {
    {"481.3", "a radiotherapy structure set (RTSTRUCT): contours, no voxels",
     "draw it onto the grid of its images first and save that as a segmentation object or NIfTI, for example with 3D Slicer"},
    {"481.5", "a radiotherapy plan", kFolder},
    {"481.", "an object of radiotherapy without voxels", kFolder},
    {"88.59", "a key object selection", kFolder},
    {"88.", "a structured report", kFolder},
    {"11.", "a presentation state, which says how images are shown", kFolder},
    {"9.", "a waveform", kFolder},
    {"4.2", "MR spectroscopy, which has spectra in place of voxels", kFolder},
    {"66.1", "a spatial registration", kFolder},
    {"66.2", "a list of fiducials", kFolder},
    {"66.3", "a deformable registration", kFolder},
    {"66.5", "a surface segmentation: meshes, no voxels", "make a label map of it first, for example with 3D Slicer"},
    {"66.6", "tractography: tracks, no voxels", kFolder},
    {"1", kStripped, kAgain},
    {"1.", kStripped, kAgain},
    {"2", kStripped, kAgain},
    {"2.", kStripped, kAgain},
    {"3.1", kStripped, kAgain},
    {"4", kStripped, kAgain},
    {"4.", kStripped, kAgain},
    {"6.1", kStripped, kAgain},
    {"7", kStripped, kAgain},
    {"7.", kStripped, kAgain},
    {"12.", kStripped, kAgain},
    {"20", kStripped, kAgain},
    {"30", kStripped, kAgain},
    {"66.4", kStripped, kAgain},
    {"66.7", kStripped, kAgain},
    {"128", kStripped, kAgain},
    {"130", kStripped, kAgain},
    {"66", "raw data of a scanner", kFolder},
    {"67", "a mapping to real-world values", kFolder},
    {"68.", "a mesh or point cloud", kFolder},
    {"104.1", "a PDF document", kFolder},
    {"104.", "an encapsulated document", kFolder},
};
}  // namespace

std::string kind_of(const DicomFile& f) {
  const std::string uid = f.sop_class();
  if (uid == "1.2.840.10008.1.3.10") return "a DICOMDIR: the directory of a medium";
  if (uid.starts_with(kStorage)) {
    const std::string_view rest = std::string_view(uid).substr(kStorage.size());
    for (const Kind& k : kKinds)
      if (rest == k.uid || (k.uid.back() == '.' && rest.starts_with(k.uid))) return k.name;
  }
  return "an object of class " + (uid.empty() ? "unknown" : uid);
}

void refuse_without_pixels(const DicomFile& f) {
  const std::string uid = f.sop_class(), name = kind_of(f);
  const char* advice = kFolder;
  for (const Kind& k : kKinds)
    if (name == k.name) advice = k.advice;
  fail(f.who(), ": is ", name, "; it holds no image to read: ", advice);
}

}  // namespace voxgrad::dicom
