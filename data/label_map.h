#pragma once
#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "core/tensor.h"

namespace voxgrad {

// What the values of a label volume mean, as in nnU-Net. A voxel belongs to one class, which is its value and what an output of the
// network stands for, 0 the background; or to any number of regions, sets of values of which each has an output of its own. Regions may
// overlap and lie within each other. One value may mean that nobody has said what a voxel is.
struct LabelMap {
  struct Region {
    std::string name;
    std::vector<int> values;  // 0 to 255
    int written = 0;          // what a mask has where the region is predicted and none behind it in the list
  };
  std::vector<Region> regions = {};  // by output; empty: classes
  int ignore = -1;                   // the value of voxels that are in no loss, score or statistics and are never predicted; -1: none

  bool plain() const { return regions.empty() && ignore < 0; }
};

// The names of classes or regions, by output, and what they are.
struct Labels {
  std::vector<std::string> names;
  LabelMap map;
};
// "labels" and "regions_class_order" of a dataset.json, whose name `who` is for messages: {"0": name}, {name: 0} or {name: [1, 2]}; what is
// named "ignore" is no class. A list of more than one value makes all of them regions, in the order of the file, without the background.
Labels labels_of(const Json& dataset, const std::string& who);
// Of the file, or of the one in the folder; the rest of the data set need not be there.
Labels read_labels(const std::filesystem::path& file_or_folder);
// The same as a value of "labels", and of "regions_class_order" where there are regions.
Json json_of_labels(const Labels&);

// Which values a label volume may hold, with so many classes where there are no regions; and that in words.
std::array<bool, 256> known_values(const LabelMap&, int classes);
std::string known_values_text(const LabelMap&, int classes);
// The values but 0 that masks may hold and that are not ignored, ascending; with so many classes where there are no regions.
std::vector<int> foreground_values(const LabelMap&, int classes);
// "whole (1, 2) written as 1, core (2) written as 2; 255 ignored"; empty of classes alone.
std::string describe_regions(const LabelMap&);
// A name for each value that occurs in masks and references, from 0, for pictures; empty: none.
std::vector<std::string> names_of_values(const LabelMap&, const std::vector<std::string>& outputs);

// Whether voxels belong to a region, u8 of the shape of the label (u8): 1, 0 or, where they are ignored, kIgnored.
inline constexpr int kIgnored = 255;
Tensor membership(const Tensor& label, const LabelMap::Region&, int ignore);
// {256, R}: 1 where a value belongs to a region.
Tensor membership_table(const LabelMap&);

// The mask of logits f32 {D, H, W, R}: u8 {D, H, W}, 0 and then, region after region, its `written` where its logit is above 0, a
// probability above one half. The rows are those of a sliding window (infer/sliding_window.h).
struct RegionRows {
  Tensor labels;
  std::vector<int> written;
  RegionRows(const Int3& size, const LabelMap&);
  void operator()(int64_t first, int64_t rows, const float* logits, int64_t regions) const;
};
Tensor region_labels(const Tensor& logits, const LabelMap&);

// Regions as JSON: [{"name": "whole", "values": [1, 2], "written": 1}, ..], of a configuration or of a model's description.
Json json_of_regions(const std::vector<LabelMap::Region>&);
std::vector<LabelMap::Region> regions_from_json(const Json&);

}  // namespace voxgrad
