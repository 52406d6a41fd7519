#pragma once
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/places.h"

// What a data set knows of landmarks. A case has
//   "landmarks": {"name": [x, y, z], ..}, in mm, RAS+; or the name of a file of 3D Slicer, .fcsv or .mrk.json; one that is missing is not
//   known;
//   or a label file, of which `from` makes some.
namespace voxgrad {

struct PointSource {
  // Of label files: centres, the centre of each label; ends, those of all labelled voxels together along their longest extent: the middle
  // of the outermost fiftieth of them on either side, the low end first, on the side of lower superior, anterior or right, whichever the
  // longest extent is closest to.
  std::string from = "centres";
};

inline constexpr double kFarthestMm = 1e6;  // along an axis; what lies further away is an Error

// In mm, RAS+.
struct Landmark {
  std::string name;
  Vec3 mm = {};
  bool known = true;
  double score = 1;  // of a prediction
};

// Names in the order of the first case that has them all; labels without the background, or "low end" and "high end".
std::vector<std::string> landmark_names(const Dataset&, const PointSource&);
bool has_landmarks(const DatasetCase&);
// One for each name, in their order. What cannot be used is an Error by the name of its file.
std::vector<Landmark> case_landmarks(const DatasetCase&, const std::vector<std::string>& names, const PointSource&);

// Of a file of 3D Slicer: the points of .fcsv (of its CoordinateSystem: 0 and RAS, or 1 and LPS) or .mrk.json, by their labels. A point
// that has not been placed (positionStatus) is left out, a label that occurs twice is an Error.
std::vector<Landmark> read_slicer_points(const std::filesystem::path&);
std::string fcsv_of(const std::vector<Landmark>&);      // in LPS
std::string markups_of(const std::vector<Landmark>&);   // JSON, in LPS

}  // namespace voxgrad
