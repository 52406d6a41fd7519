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
// have them), a split where some validate. All of them may be test cases. who: the file or folder. An Error: two classes that are one
// number, written in two ways; a case that trains or validates and tests as well, of which an image under two names is a warning, and so
// is a patient of both.
// classes: those that there are whether or not an image is of them. lists: whether a ; or | in a label is between names.
Dataset labelled_dataset(const std::filesystem::path& root, const std::string& name, std::vector<LabelledImage>, const std::string& who,
                         std::set<std::string> classes = {}, bool lists = true);
// The order of classes: numbers by size, then names by their letters.
bool class_comes_before(const std::string&, const std::string&);
// Names of the channels of pictures: red, green and blue, which are divided by 255 (train/plan.cpp), where they are stored as bytes.
std::vector<std::string> channel_names_of(int64_t channels, bool bytes);

}  // namespace voxgrad
