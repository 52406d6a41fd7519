#pragma once
#include <string>
#include <vector>

namespace voxgrad {

// Which cases train, and what is done to a volume before the network sees it.
struct DataConfig {
  std::string split = "auto";          // auto: the data set's own where it has one; folds
  int fold = 0;                        // the fold that validates
  int folds = 5;                       // 1: every case trains and nothing validates
  std::vector<double> spacing;         // target spacing {d, h, w} in mm; empty: the median over the training cases
  std::string normalization = "auto";  // auto, auto_unclipped, zscore, ct, none, rescale_to_0_1, rgb_to_0_1, hounsfield
  std::string nan = "refuse";          // refuse, or zero: what to do with voxels that are not finite
  std::string other_grid = "refuse";   // refuse, or resample: channels and labels that lie on another grid than the first channel
  std::string series = {};             // of DICOM folders with several, where dataset.json names none for a case
  std::string previous_stage = {};     // folder with the masks of a first stage, for the second one of a cascade; empty: none
  double cache_gb = 8;                 // preprocessed cases kept in memory
  std::string cache = {};              // folder of preprocessed cases, of which patches are read; empty: they are kept in memory
  std::string cache_dtype = "f32";     // of images in it: f32, f16 or bf16
};

}  // namespace voxgrad
