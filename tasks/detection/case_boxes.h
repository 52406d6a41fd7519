#pragma once
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/places.h"
#include "io/grid.h"
#include "tasks/detection/box.h"
#include "tasks/detection/label_objects.h"

// What a data set knows of boxes, in voxels of the file of the image. A case has
//   "boxes": [{"label": name or number, "voxels": [i, j, k, i, j, k]}, ..], lowest and highest edges along the axes of the file, where
//     voxel i reaches from i to i + 1 (numbers of a slice of an array; [i, j, i, j] of a picture); what `predict` writes, and what the
//     readers of VOC and COCO give;
//   "box": [[x, y, z, w, h, d], ..] with "label": [number, ..], as in MONAI's lists for detection: centre and sizes in mm, in LPS+;
//   or a label file: with {"instances": {"3": 0}} in a JSON file of its name, the voxels of value 3 are an object of class 0 (nnDetection);
//   else values from 1 are the classes, and their connected parts the objects.
namespace voxgrad {

// Names of the classes, in the order of ObjectBox::label: the labels of the data set, without the background where boxes come from label
// files.
std::vector<std::string> box_classes(const Dataset&);
// `source` for these of them, in this order. A name that is none of them is an Error.
BoxSource with_classes(BoxSource source, const Dataset&, const std::vector<std::string>& names);
bool has_boxes(const DatasetCase&);
// image: its grid. What cannot be used, such as a box that lies outside of the image as a whole, is an Error by the name of its file.
std::vector<ObjectBox> case_boxes(const DatasetCase&, const Grid& image, const std::vector<std::string>& classes,
                                  const BoxSource&);
// Of a list as "boxes" is, wherever they lie. where: its file, for messages.
std::vector<ObjectBox> listed_boxes(const Json& list, const std::vector<std::string>& classes, const BoxSource&, const std::string& where);
// Of the file of the first image.
Grid image_grid(const DatasetCase&);

// Around the voxels of each object.
std::vector<ObjectBox> boxes_around(const LabelledObjects&);

// From voxels of the file to those that the network sees, and back.
ObjectBox in_working_voxels(const ObjectBox&, const Geometry&);
ObjectBox in_file_voxels(const ObjectBox&, const Geometry&);

}  // namespace voxgrad
