#pragma once
#include <string>
#include <vector>

#include "core/config/json.h"
#include "data/dataset.h"
#include "io/grid.h"

namespace voxgrad {

// What of a label file is an object.
struct BoxSource {
  std::string objects = "components";  // of label files without instances; labels: all voxels of a value are one object
  int64_t min_voxels = 1;              // smaller parts are no objects
  // Where some classes of the data set are looked for and not all: of each its number among all of them, from 1, which is its value in
  // label files; what is of another class is left out.
  std::vector<int> values = {};
};

// Objects by their numbers: i32 {D, H, W}, 0 or from 1, and the class of each, from 0.
struct LabelledObjects {
  Tensor number;
  std::vector<int> label;
};
// Of a label volume: the connected parts (26 neighbours) of each value from 1 up to `classes`, or all of its voxels. A value beyond is an
// Error in the name of `where`, unless source.values says which are meant.
LabelledObjects objects_of_labels(const Tensor& label, int classes, const BoxSource&, const std::string& where);
// Of the label file of a case, on the grid of its image, by the instances beside it or its labels (case_boxes.h).
LabelledObjects case_objects(const DatasetCase&, const Grid& image, const std::vector<std::string>& classes, const BoxSource&);
// Whether there is nnDetection's JSON file beside the label file of a case.
bool comes_with_instances(const DatasetCase&);

// The number of a class by its name or number; -1: one of the data set's that is not looked for. Else an Error in the name of `where`.
int class_of(const Json& label, const std::vector<std::string>& classes, const BoxSource&, const std::string& where);

}  // namespace voxgrad
