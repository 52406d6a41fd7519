#include "models/unet/unet_plan.h"

namespace voxgrad {

ModelEntry resenc_unet_model() { return unet_entry("resenc_unet", "nnU-Net's U-Net with a residual encoder", true); }

}  // namespace voxgrad
