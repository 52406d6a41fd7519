#pragma once
#include "models/model_registry.h"
#include "models/unet/unet.h"
#include "models/unet/unet_topology.h"

namespace voxgrad {

// Keys of the two U-Nets in a configuration.
struct UNetOptions {
  int base_features = 32, max_features = 320;
  int stages = 0;  // 0: as many as the patch allows, 6 at most
  bool deep_supervision = true;
  std::string norm = "instance";
};
void add_unet_keys(ConfigTable&, UNetOptions&);

// Patch, strides, kernels and channels by nnU-Net's rules (Isensee et al., Nature Methods 2021): an axis is halved while its extent is at
// least 8 and its spacing is within 2x of the finest; kernels are 1 along an axis until its spacing is within 2x; the patch is a multiple
// of its strides.
NetworkPlan plan_unet(const UNetOptions&, const PlanRequest&, bool residual);

// The network of such stages: 2 convolutions each, or 1, 3, 4, 6, 6, .. residual blocks and 1 convolution in the decoder.
UNetConfig unet_config_of(const UNetOptions&, const UNetTopology&, const PlanRequest&, bool residual);

// Patch, batch and network for request.budget, as nnU-Net 2.8's planners: ExperimentPlanner for the plain U-Net, ResEncM, L and XL for that
// with a residual encoder (the one of the most memory that there is). Begins with a patch of 256^3 voxels (2D: 2048^2) in the aspect of
// the spacing, no larger than the median case, and reduces the axis that is longest beside the median case until the feature maps fit the
// memory; the batch is what is left, of at most 5 % of the data set's voxels (the plain one). Departs from nnU-Net where that makes a
// network of one stage, kernels smaller than their stride, or never ends.
NetworkPlan plan_unet_for_memory(const UNetOptions&, const PlanRequest&, bool residual);

// Values of all feature maps that its convolutions give for one patch, as nnU-Net counts them (one head, without deep supervision).
double feature_map_values(const UNetConfig&, const Int3& patch);

// The entry of either in the registry.
ModelEntry unet_entry(const char* name, const char* summary, bool residual);

}  // namespace voxgrad
