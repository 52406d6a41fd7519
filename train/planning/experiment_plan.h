#pragma once
#include <string>
#include <vector>

#include "data/fingerprint.h"
#include "models/model_registry.h"

namespace voxgrad {

// One way to train on a data set: "2d" (slices), "3d_fullres" or "3d_lowres" (both volumes).
struct ConfigurationPlan {
  std::string name;
  std::array<double, 3> spacing;  // target, mm along the axes of the network; of 2d 0 along the first: as in the file
  std::array<double, 3> median;   // extents of the median case at the target spacing, in voxels; of 2d 1 along the first
  NetworkPlan network;            // with patch and batch
  bool batch_dice = false;        // nnU-Net sums its soft Dice over the batch
};

struct ExperimentPlan {
  std::array<int, 3> axis_order = {0, 1, 2};  // axis a of the network is this one of the fingerprint: the coarsest comes first
  std::array<double, 3> median_spacing, median_extent;  // of the cases as they are, in that order
  std::vector<ConfigurationPlan> configurations;        // 2d, then 3d_lowres and 3d_fullres where they are of use
  bool mask = false;  // values are standardised within what is not 0: cropping leaves less than 3/4 of the median case
  // A second stage at 3d_fullres that sees the result of 3d_lowres: whenever there is one.
  bool cascade() const;
  // Error that lists those which there are.
  const ConfigurationPlan& at(const std::string& name) const;
};

struct ExperimentRequest {
  std::string network = "unet";  // a name of the model registry
  Options options;               // of that network
  int in_channels = 1, outputs = 2;
  double memory_gb = 8;
  std::vector<double> spacing = {};  // of 3d_fullres, mm along the axes of the fingerprint; empty: planned
};

// nnU-Net 2.8's rules. Target spacing: the median along each axis, but the 10th percentile along one that is over three times as coarse as
// the others and has under a third of their voxels. 3d_lowres where a patch of 3d_fullres holds less than a quarter of the median case: its
// spacing grows by steps of 3 % until one does, the finer axes first where they are over twice as fine; dropped where it halves the voxels
// at the most. No 3d where the median case is one slice.
ExperimentPlan plan_experiment(const Fingerprint&, const ExperimentRequest&);

}  // namespace voxgrad
