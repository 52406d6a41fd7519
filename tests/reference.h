#pragma once
#include "kernels/conv3d/conv3d.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/soft_dice/soft_dice.h"
#include "tests/host_array.h"

// Definitions that the references of several ops share, as plain loops in f64.
namespace voxgrad {

// The formula of kernels/conv3d/conv3d.h; b is {K} or absent (empty).
HostArray conv3d_reference(const HostArray& x, const HostArray& w, const HostArray& b, const Conv3dOptions&);

// The coordinates that each output along one axis looks at, those in the padding included.
using Windows = std::vector<std::vector<int64_t>>;
// Windows of a pooling with padding on both sides; those of `ceil_mode` end with the padded input.
Windows sliding_windows(int64_t extent, int kernel, int stride, int padding, int dilation = 1, bool ceil_mode = false);
Windows adaptive_windows(int64_t extent, int64_t out);  // [floor(i extent / out), ceil((i + 1) extent / out))
// y = f(elements inside of the volume, number of coordinates with those of the padding) of each window and channel of x {N, D, H, W, C}.
using OfWindow = std::function<double(const std::vector<double>& inside, int64_t coordinates)>;
HostArray pooled(const HostArray& x, const std::array<Windows, 3>&, const OfWindow&);

// y = f(all elements with the same coordinates along the other axes).
HostArray reduced(const HostArray& x, std::vector<int> axes, bool keep, const std::function<double(const std::vector<double>&)>& f);

// (x - mean) / sqrt(variance + eps) over the elements with the same group(index), times scale[c], plus shift[c] (1 and 0 where empty).
using GroupOf = std::function<int64_t(const Index&)>;
HostArray normalised(const HostArray& x, const GroupOf&, const HostArray& scale = {}, const HostArray& shift = {}, double eps = 1e-5);
GroupOf instance_of(const Shape& x);               // a sample and channel
GroupOf group_of(const Shape& x, int64_t groups);  // a sample and C / groups neighbouring channels
GroupOf layer_of(const Shape& x);                  // a voxel
GroupOf channel_of(const Shape& x);

// Over the last axis, by the definition e^x / sum e^x alone: the long double's range takes in e^11000.
HostArray softmax_reference(const HostArray& x);

// The formulas of kernels/cross_entropy/cross_entropy.h and kernels/soft_dice/soft_dice.h.
double cross_entropy_reference(const HostArray& logits, const HostArray& label, const CrossEntropyOptions&);
double soft_dice_reference(const HostArray& logits, const HostArray& label, const SoftDiceOptions&);

}  // namespace voxgrad
