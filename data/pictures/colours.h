#pragma once
#include "core/tensor.h"

namespace voxgrad {

// A picture f32 {1, H, W, C} of grey (C = 1), grey and alpha (2), colours (3) or these and alpha (4), as `channels` of it, 1 or 3: alpha is
// left out, grey is every colour, and colours are their luminance 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601, as Pillow's "L" is).
// Other tensors and numbers of channels are given back as they are.
Tensor with_colours(const Tensor& picture, int64_t channels);

// Those that a picture of so many is learned with: 1 or 3, whether or not alpha is among them.
inline int64_t colours_of(int64_t channels) { return channels == 3 || channels == 4 ? 3 : channels == 2 ? 1 : channels; }

}  // namespace voxgrad
