#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "core/tensor.h"
#include "data/label_map.h"
#include "tasks/segmentation/distance.h"

namespace voxgrad {

// What is done to a mask when the network is through with it.
struct PostprocessingStep {
  enum class Kind {
    keep_largest,  // of the voxels that have one of `labels`, all but the largest component (26 neighbours; several of the same size are
                   // kept) become 0, as nnU-Net's remove_all_but_largest_component_from_segmentation
    fill_holes,    // one label: what it encloses, that is parts of all other voxels (6 neighbours) that do not reach the border of the
                   // volume; of these the ones that are 0 become the label, other labels stay
    remove_small   // of the voxels that have one of `labels`, components (26 neighbours) below minimum_mm3 become 0
  };
  Kind kind = Kind::keep_largest;
  std::vector<int> labels;  // 1 to 255
  double minimum_mm3 = 0;
  friend bool operator==(const PostprocessingStep&, const PostprocessingStep&) = default;
};
using Postprocessing = std::vector<PostprocessingStep>;

// mask: u8 {D, H, W}, changed.
void apply(const PostprocessingStep&, Tensor& mask, const Spacing&);
void apply(const Postprocessing&, Tensor& mask, const Spacing&);
std::string describe(const PostprocessingStep&);  // "keep_largest of 1, 2"

// {"postprocessing": [{"step": "keep_largest", "labels": [1, 2]}, {"step": "remove_small", "labels": [2], "minimum_mm3": 50}]}; or what
// nnU-Net writes as postprocessing.json, {"postprocessing_fns": [name], "postprocessing_kwargs": [{"labels_or_regions": [1, [2, 3]]}]},
// of which only the function named above is known. Another one, or a file that is no JSON (nnU-Net's .pkl, which could run code), is an
// Error.
Postprocessing read_postprocessing(const std::filesystem::path&);
Json to_json(const Postprocessing&);
Postprocessing postprocessing_from_json(const Json&, const std::string& who);

// The one that belongs to a model: postprocessing.json in its folder, beside its file, or in the one folder crossval_results_* of a
// model of nnU-Net. Empty where there is none, or where several folders have one.
std::filesystem::path postprocessing_of(const std::filesystem::path& model);

}  // namespace voxgrad
