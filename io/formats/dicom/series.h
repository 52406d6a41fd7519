#pragma once
#include "io/formats/dicom/stack.h"
#include "io/image.h"

namespace voxgrad::dicom {

// The images of one series that are alike, from a file or from all files in a folder and those below it.
struct Series {
  std::vector<Object> objects = {};
  std::vector<Placed> planes = {};
  bool is_segmentation() const { return objects[0].kind == ObjectKind::segmentation; }
};

// Objects without voxels (reports, directories, presentation states ..) are passed over in a folder and refused as a file. Where there are
// several series, or a series of several sizes and orientations, options.series says which: a number of the list in the message, a
// SeriesInstanceUID or the end of one. Doubles of an instance are left out.
Series choose_series(const fs::path&, const ReadOptions&);

}  // namespace voxgrad::dicom
