#pragma once
#include <vector>

#include "kernels/dice_cross_entropy/dice_cross_entropy.h"
#include "kernels/mse_loss/mse_loss.h"
#include "kernels/region_dice_bce/region_dice_bce.h"

namespace voxgrad {

// Weights of n outputs, full resolution first: 1, 1/2, 1/4, ... with 0 for the last of several, divided by their sum (nnU-Net).
std::vector<double> deep_supervision_weights(size_t n);

// The label {N, D, H, W} at another resolution: output o takes the voxel floor((o + 1/2) in / out) along each axis, as nnU-Net downsamples
// its targets (interpolation "nearest-exact").
Tensor downsample_label(const Tensor& label, const Int3& size);

// sum_i weight_i dice_cross_entropy(outputs[i], label at the resolution of outputs[i]); outputs are full resolution first, as UNet gives.
Tensor deep_supervision_loss(const std::vector<Tensor>& outputs, const Tensor& label, const DiceCrossEntropyOptions& = {});
// The same of region_dice_bce. members {256, R}: which values belong to which region.
Tensor deep_supervision_loss(const std::vector<Tensor>& outputs, const Tensor& label, const Tensor& members,
                             const RegionDiceBceOptions&);

// NT-Xent, the loss of SimCLR (Chen et al. 2020), of embeddings {2 B, C} whose rows 2 i and 2 i + 1 are two views of one image: the mean
// over all rows of the cross-entropy of their cosine similarities to all other rows, divided by the temperature, whose target is the other
// view. A scalar of accum_of(dtype). Error where there are fewer than two images, or an odd number of rows.
Tensor nt_xent(const Tensor& embeddings, double temperature);

}  // namespace voxgrad
