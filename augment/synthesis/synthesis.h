#pragma once
#include <string>
#include <vector>

#include "augment/sample.h"
#include "core/config/config_table.h"
#include "core/config/range.h"
#include "core/rng.h"

namespace voxgrad {

// Images made from label maps, to learn segmentation without a single image (Billot et al., "SynthSeg: Segmentation of brain MRI scans of
// any contrast and resolution without retraining", 2023): a map is turned, stretched and deformed, every label gets a mean intensity and
// voxels that scatter about it, then come bias field, blur and noise. Intensities have no unit; white noise has the unit of the means.

// Labels that look alike: the mean of all of them is drawn together, in `mean`, and the standard deviation of a label's voxels in
// `deviation`.
struct SynthesisTissue {
  std::string name;
  std::vector<int> labels;
  Range mean = {0, 1}, deviation = {0.02, 0.1};
};

// A class to be learned: all voxels of the labels or, with `towards`, those whose place along that direction ("superior", "inferior",
// "anterior", "posterior", "right", "left") is a part from `from` to `to` of the extent of all of them, 0 at its beginning.
struct SynthesisTarget {
  std::string name;
  std::vector<int> labels;
  std::string towards = "";
  double from = 0, to = 1;
};

struct SynthesisOptions {
  std::vector<SynthesisTissue> tissues;
  SynthesisTissue others = {.name = "others"};  // labels of no tissue; each has a mean of its own
  double label_variation = 0.1;                 // standard deviation of the mean of a label about that of its tissue
  std::vector<SynthesisTarget> targets;         // classes 1, 2, ..
  double boundary_variation = 0;                // standard deviation of `from` and `to`, but for 0 and 1; together for all targets
  // Each image shows one of these labels, drawn at random, with a margin on each side of its box, and the others of them are no target;
  // none: all of the map.
  std::vector<int> objects;
  Range margin_mm = {5, 10};
  double rotation_degrees = 15;    // largest angle about each axis
  Range scale = {0.9, 1.1};        // of all axes
  double stretch = 0.05;           // standard deviation of the logarithm of a factor for each axis
  double deformation_mm = 1.5;     // standard deviation of a displacement, which varies over deformation_reach_mm
  double deformation_reach_mm = 10;
  Range bias = {0, 0.2};           // standard deviation of the logarithm of the field
  Range blur_mm = {0.5, 1.0};      // sigma
  Range noise = {0.01, 0.05};
};

// Its JSON, with unknown keys refused.
SynthesisOptions synthesis_from_json(const Json&, const std::string& source);

struct LabelVolume {
  Tensor labels;  // i32 {D, H, W}, D towards superior, H anterior, W right
  Double3 spacing_mm = {1, 1, 1};
};
struct SyntheticImage {
  Tensor image;  // f32 {D, H, W, 1}
  Tensor label;  // u8 {D, H, W}: 0, or the number of a target
};

// At the spacing of the map. An Error where the map has none of the objects.
SyntheticImage synthesize(const LabelVolume&, const SynthesisOptions&, Rng);

}  // namespace voxgrad
