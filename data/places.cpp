#include "data/places.h"

namespace voxgrad {

Double3 in_working_voxels(const Double3& in_file, const Geometry& g) {
  Double3 out;
  for (size_t i = 0; i < 3; ++i) {
    const int a = int(i);
    const double x = in_file[size_t(g.orientation.axis[i])];
    const double turned = (g.orientation.flip[i] ? g.canonical[a] - 1 - x : x) - g.box_begin[a];
    if (g.resampling == "centres") out[i] = turned * g.file_spacing[i] / g.spacing[i];
    else out[i] = (turned + 0.5) * g.working[a] / g.box[a] - 0.5;
  }
  return out;
}

Double3 in_file_voxels(const Double3& in_working, const Geometry& g) {
  Double3 out;
  for (size_t i = 0; i < 3; ++i) {
    const int a = int(i);
    const double x = in_working[i];
    const double in_box = g.resampling == "centres" ? x * g.spacing[i] / g.file_spacing[i] : (x + 0.5) * g.box[a] / g.working[a] - 0.5;
    const double turned = in_box + g.box_begin[a];
    out[size_t(g.orientation.axis[i])] = g.orientation.flip[i] ? g.canonical[a] - 1 - turned : turned;
  }
  return out;
}

}  // namespace voxgrad
