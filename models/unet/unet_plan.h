#pragma once
#include "models/model_registry.h"
#include "models/unet/unet.h"

namespace voxgrad {

// Keys of the two U-Nets in a configuration.
struct UNetOptions {
  int base_features = 32, max_features = 320;
  int stages = 0;  // 0: as many as the patch allows, 6 at most
  bool deep_supervision = true;
};
void add_unet_keys(ConfigTable&, UNetOptions&);

// Patch, strides, kernels and channels by nnU-Net's rules (Isensee et al., Nature Methods 2021): an axis is halved while its extent is at
// least 8 and its spacing is within 2x of the finest; kernels are 1 along an axis until its spacing is within 2x; the patch is a multiple
// of its strides.
NetworkPlan plan_unet(const UNetOptions&, const PlanRequest&, bool residual);

// The entry of either in the registry.
ModelEntry unet_entry(const char* name, const char* summary, bool residual);

}  // namespace voxgrad
