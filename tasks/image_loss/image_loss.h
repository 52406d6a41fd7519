#pragma once
#include <string>
#include <vector>

#include "core/config/config_table.h"
#include "core/tensor.h"

namespace voxgrad {

// One term of a loss between an image x and its reference y, 0 where they are equal. d = x - y.
//   l1           mean |d|
//   l2           mean d^2
//   charbonnier  mean sqrt(d^2 + epsilon^2) - epsilon (Charbonnier et al. 1994; Lai et al. 2017)
//   gradient     mean over axes of |differences of neighbours of d|: edges (Mathieu et al. 2016 with the exponent 1)
//   ssim         1 - SSIM of windows of 7 x 7 (layers/ssim.h)
//   ms_ssim      1 - multi-scale SSIM
struct LossTerm {
  std::string kind = "l1";
  double weight = 1;
  double epsilon = 1e-3;  // charbonnier
  double range = 1;       // ssim, ms_ssim: of the values of images
  bool volume = false;    // ssim, ms_ssim: windows are cubes instead of squares in slices
  friend bool operator==(const LossTerm&, const LossTerm&) = default;
};
// The sum of its terms, each times its weight.
using ImageLoss = std::vector<LossTerm>;

struct ImagePair {
  Tensor image, reference;  // {N, D, H, W, C} of one dtype
  Tensor base = {};         // what is to be added to both, where likeness depends on more than their difference; absent: nothing
  Tensor mask = {};         // {N, D, H, W, 1}: 1 where voxels count, else 0; for l1, l2 and charbonnier alone. Absent: all of them
};
// A scalar of the accumulator's dtype.
Tensor image_loss(const ImageLoss&, const ImagePair&);
// Whether all terms are of voxels by themselves, which a mask needs.
bool is_of_voxels(const ImageLoss&);

// The name of a kind, "l1_ssim" (l1 + 0.1 ssim), or a list of {"kind", "weight", "epsilon", "range", "volume"}.
ImageLoss image_loss_from(const Json&);
Json json_of(const ImageLoss&);
// The key "loss".
void add_loss_key(ConfigTable&, ImageLoss&);

}  // namespace voxgrad
