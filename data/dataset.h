#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/label_map.h"
#include "data/split.h"

namespace voxgrad {

class ImageStack;

// One case: the files whose channels, one after the other, are the image, its label map (empty where there is none), and what else
// dataset.json says of it: JSON text by key, such as "class" or "target". A "label" that is no text is among them.
struct DatasetCase {
  std::string id;
  std::vector<std::filesystem::path> images;
  std::filesystem::path label = {};
  std::map<std::string, std::string> targets = {};
  std::string series = {};  // of a DICOM folder with several
  int volume = -1;        // of files with several (4-D): the one that is the image, counted from 0; -1: all of them, as channels
  std::string fault = {};  // why it cannot be read, such as a channel that is missing; empty: nothing is known
  std::filesystem::path previous = {};  // the mask that a first stage gave of it; empty: none
  // The image where it is one of many in an array; `images` then names the file that it comes from.
  std::shared_ptr<const ImageStack> stack = {};
  int64_t index = 0;
  bool resample = false;  // channels and labels on another grid than the first channel are resampled to it instead of refused
};

struct Dataset {
  std::string name;
  std::filesystem::path root;
  std::vector<std::string> channel_names;
  std::vector<std::string> labels;  // names of the classes by value, 0 is the background; or of the regions
  LabelMap label_map = {};          // regions, and what is ignored
  std::string file_ending = ".nii.gz";
  std::string json = "{}";         // dataset.json as it is
  std::vector<DatasetCase> cases;  // for training, sorted by id
  std::vector<DatasetCase> tests;  // without labels, sorted by id
  std::optional<Split> split = {};  // of the cases, where the data set says which of them validate
  std::filesystem::path source = {};       // the file that says all this, or the folder; empty: root/dataset.json
  std::vector<std::string> warnings = {};  // what dataset.json says in vain and which test cases are left out, a line each
};

// Of any form that data/readers knows. Whether a case has what is to be learned is for the task to say.
//
// A folder with dataset.json in the layout of the Medical Segmentation Decathlon ("modality", "labels": {"0": name}, "training": [{image,
// label}]) or of nnU-Net v2 ("channel_names", "labels": {name: 0}, imagesTr/{case}_0000{file_ending}, labelsTr/{case}{file_ending}).
// A folder with a DICOM series, imagesTr/{case}, is as good as a file. One file may hold all the channels of a case, as RGB pictures do;
// one that MSD's form lists may stand for those of its channels.
// Every file named is known to exist and to lie inside the folder. Test cases that cannot be used are left out.
Dataset read_dataset(const std::filesystem::path&);
// Whether a form of data sets knows it; a folder of images alone is one where `unlabelled` ones are asked for too.
bool is_dataset(const std::filesystem::path&, bool unlabelled = false);

// The file or folder that says what a data set is, for errors.
std::string source_of(const Dataset&);

// That each case for training has a label of its voxels.
void check_all_labelled(const Dataset&);

// Of its cases, in their order.
std::vector<std::string> ids_of(const Dataset&);

// A file, or a folder with DICOM files, that dataset.json names, relative to its folder: an Error in the name of `who` unless it lies
// inside and is there.
std::filesystem::path dataset_file(const std::filesystem::path& root, const std::string& name, const std::string& who);

// Writes root/dataset.json in a form that read_dataset, MSD readers and nnU-Net v2 take: cases are listed by their files, relative to root.
void write_dataset_json(const Dataset&);

// Images to predict: one file, or those of a folder by name (hidden files and macOS "._" files are not images). With several channels, the
// files {case}_0000.nii.gz, {case}_0001.nii.gz, ... of nnU-Net's naming are one case, as is a {case}_0000 that holds all of them (RGB); one
// that lacks a channel is there with its fault. With one channel, a folder where every name ends in _0000 has that naming too. A folder of
// DICOM files alone is one case, or each folder in it is that holds another study (dicom_cases in listing/files_by_case.h). Of a file that
// is a data set (data/readers), or a folder without images that is one though not by a dataset.json, the test cases, or all where there are
// none. `series` is ReadOptions::series; by a UID it means one case.
std::vector<DatasetCase> list_images(const std::filesystem::path& file_or_folder, int64_t channels = 1, const std::string& series = {});

}  // namespace voxgrad
