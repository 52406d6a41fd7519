#include "models/unet/unet_plan.h"

namespace voxgrad {

ModelEntry unet_model() { return unet_entry("unet", "nnU-Net's plain U-Net", false); }

}  // namespace voxgrad
