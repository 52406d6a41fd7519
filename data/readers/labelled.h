#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace voxgrad {

// An image file (or a folder with a DICOM series) with what a table or a folder says of it.
struct LabelledImage {
  DatasetCase image;    // with its id, files and targets; "class" is set by labelled_dataset
  std::string label;    // the name of its class; empty: none, or, with several names, see below
  std::string part;     // train, val or test in any of their usual words; empty: train
  bool named_by_file = false;  // the id is to be that of its file (case_names)
};

// train, val or test: of "training", "validation", "valid", "dev", "testing", ..; nothing where the word is none of these.
std::optional<std::string> part_of(std::string word);
// The data set that they are: where a label has a ; or | in it, each is a list of names with these between, and an empty one none of the
// classes; classes in the order of their numbers or names, channels by the header of the first image (pictures: colours where some of them
// have them), a split where some validate. who: the file or folder.
// classes: those that there are whether or not an image is of them.
Dataset labelled_dataset(const std::filesystem::path& root, const std::string& name, std::vector<LabelledImage>, const std::string& who,
                         std::set<std::string> classes = {});

}  // namespace voxgrad
