#pragma once
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/places.h"
#include "io/grid.h"
#include "tasks/detection/box.h"

// What a data set knows of boxes, in voxels of the file of the image. A case has
//   "boxes": [{"label": name or number, "voxels": [i, j, k, i, j, k]}, ..], lowest and highest edges along the axes of the file, where
//     voxel i reaches from i to i + 1 (numbers of a slice of an array; [i, j, i, j] of a picture); what `predict` writes, and what the
//     readers of VOC and COCO give;
//   "box": [[x, y, z, w, h, d], ..] with "label": [number, ..], as in MONAI's lists for detection: centre and sizes in mm, in LPS+;
//   or a label file: with {"instances": {"3": 0}} in a JSON file of its name, the voxels of value 3 are an object of class 0 (nnDetection);
//   else values from 1 are the classes, and their connected parts the objects.
namespace voxgrad {

struct BoxSource {
  std::string objects = "components";  // of label files without instances; labels: all voxels of a value are one object
  int64_t min_voxels = 1;              // smaller parts are no objects
  // Where some classes of the data set are looked for and not all: of each its number among all of them, from 1, which is its value in
  // label files; what is of another class is left out.
  std::vector<int> values = {};
};

// Names of the classes, in the order of ObjectBox::label: the labels of the data set, without the background where boxes come from label
// files.
std::vector<std::string> box_classes(const Dataset&);
// `source` for these of them, in this order. A name that is none of them is an Error.
BoxSource with_classes(BoxSource source, const Dataset&, const std::vector<std::string>& names);
bool has_boxes(const DatasetCase&);
// image: its grid. What cannot be used is an Error by the name of its file.
std::vector<ObjectBox> case_boxes(const DatasetCase&, const Grid& image, const std::vector<std::string>& classes,
                                  const BoxSource&);
// Of the file of the first image.
Grid image_grid(const DatasetCase&);

// Boxes of a label volume on the grid of its image: around the connected parts (26 neighbours) of each value from 1 up to `classes`, or
// around all of its voxels. A value beyond is an Error in the name of `where`, unless source.values says which are meant.
std::vector<ObjectBox> boxes_of_labels(const Tensor& label, int classes, const BoxSource&, const std::string& where);

// From voxels of the file to those that the network sees, and back.
ObjectBox in_working_voxels(const ObjectBox&, const Geometry&);
ObjectBox in_file_voxels(const ObjectBox&, const Geometry&);

}  // namespace voxgrad
