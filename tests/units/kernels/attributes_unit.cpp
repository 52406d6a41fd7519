#include "core/graph.h"
#include "kernels/avg_pool3d/avg_pool3d.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/conv_transpose3d/conv_transpose3d.h"
#include "kernels/dice_cross_entropy/dice_cross_entropy.h"
#include "kernels/dropout/dropout.h"
#include "kernels/flip/flip.h"
#include "kernels/grid_sample3d/grid_sample3d.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "kernels/max_pool3d/max_pool3d.h"
#include "kernels/norm_act/norm_act.h"
#include "kernels/pad/pad.h"
#include "kernels/permute/permute.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/slice/slice.h"
#include "kernels/stack/stack.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {
// The last op of the graph: "permute(axes [1, 0])".
std::string op_of(const Tensor& y) {
  std::ostringstream o;
  o << graph_of(y).back().op;
  return o.str();
}
Tensor ones(const Shape& s) { return Tensor::full(s, 1).require_grad(); }
}  // namespace

TEST_CASE("a recorded op tells the options that it was called with") {
  const Tensor x = ones({2, 3}), v = ones({1, 4, 4, 4, 2}), w = ones({2, 3, 3, 3, 2}), c = ones({2});
  CHECK(op_of(leaky_relu(x, 0.1)) == "leaky_relu(slope 0.1)");
  CHECK(op_of(elu(x, 0.7)) == "elu(alpha 0.7)");
  CHECK(op_of(clamp(x, -1, 0.5)) == "clamp(low -1, high 0.5)");
  CHECK(op_of(power(x, 1.5)) == "power(exponent 1.5)");
  CHECK(op_of(x * 3) == "affine(scale 3, shift 0)");
  CHECK(op_of(permute(x, {1, 0})) == "permute(axes [1, 0])");
  CHECK(op_of(flip(x, {-1})) == "flip(axes [1])");
  CHECK(op_of(slice(x, 1, 1, 3)) == "slice(begin [0, 1], shape [2, 2])");
  CHECK(op_of(crop3d(v, {0, 1, 2}, {3, 2, 1})) == "crop3d(begin [0, 0, 1, 2, 0], shape [1, 3, 2, 1, 2])");
  CHECK(op_of(cat({x, x}, -1)) == "concat(axis 1)");
  CHECK(op_of(dropout(x, 0.25, Rng(1), {.per_channel = true})) == "dropout(probability 0.25, per_channel true)");
  CHECK(op_of(pad3d(v, {0, 1, 2}, {}, {.value = 2})) == "pad3d(before [0, 1, 2], after [1, 1, 1], mode \"constant\", value 2)");
  CHECK(op_of(pad3d(v, {0, 1, 0}, {0, 0, 0}, {.mode = PadMode::edge})) ==
        "pad3d(before [0, 1, 0], after [0, 0, 0], mode \"edge\", value 0)");
  CHECK(op_of(interpolate3d(v, {2, 3, 4}, {.mode = Interpolation::trilinear, .align_corners = true})) ==
        "interpolate3d(size [2, 3, 4], mode \"trilinear\", align_corners true)");
  CHECK(op_of(max_pool3d(v, {.padding = {0, 1, 1}})) ==
        "max_pool3d(kernel [2, 2, 2], stride [2, 2, 2], padding [0, 1, 1], dilation [1, 1, 1], ceil_mode false)");
  CHECK(op_of(avg_pool3d(v, {.stride = {1, 2, 1}, .count_include_pad = false})) ==
        "avg_pool3d(kernel [2, 2, 2], stride [1, 2, 1], padding [0, 0, 0], dilation [1, 1, 1], ceil_mode false, count_include_pad false)");
  CHECK(op_of(adaptive_max_pool3d(v, {1, 2, 3})) == "adaptive_max_pool3d(size [1, 2, 3])");
  CHECK(op_of(adaptive_avg_pool3d(v, {1, 2, 3})) == "adaptive_avg_pool3d(size [1, 2, 3])");
  CHECK(op_of(grid_sample3d(v, Tensor::zeros({1, 2, 2, 2, 3}), {.padding = GridPadding::border})) ==
        "grid_sample3d(mode \"bilinear\", padding \"border\", align_corners false)");
  CHECK(op_of(conv3d(v, w, {}, {.stride = {1, 2, 2}, .padding = {1, 1, 1}})) ==
        "conv3d(stride [1, 2, 2], padding [1, 1, 1], dilation [1, 1, 1], groups 1)");
  CHECK(op_of(conv_transpose3d(v, w, {}, {.stride = {2, 2, 2}, .output_padding = {0, 1, 0}})) ==
        "conv_transpose3d(stride [2, 2, 2], padding [0, 0, 0], output_padding [0, 1, 0], dilation [1, 1, 1], groups 1)");
  CHECK(op_of(conv3d_fused({{.x = v, .normalised = true, .scale = c, .shift = c, .slope = 0.5, .eps = 0.25}}, w)) ==
        "conv3d_fused(stride [1, 1, 1], padding [0, 0, 0], dilation [1, 1, 1], groups 1, normalised [1], slope [0.5], eps [0.25])");
  CHECK(op_of(conv3d_fused({{.x = v, .normalised = true, .eps = 0.25, .groups = 2}}, w)) ==
        "conv3d_fused(stride [1, 1, 1], padding [0, 0, 0], dilation [1, 1, 1], groups 1, normalised [1], slope [1], eps [0.25], "
        "norm_groups [2])");
  CHECK(op_of(group_norm(v, c, c, {.groups = 2, .eps = 0.5})) == "group_norm(eps 0.5, groups 2)");
  CHECK(op_of(layer_norm(v, c, c, {.eps = 0.5})) == "layer_norm(eps 0.5)");
  CHECK(op_of(instance_norm_act(v, c, c, {}, {.slope = 0.5, .eps = 0.5})) == "instance_norm_act(eps 0.5, slope 0.5)");
  CHECK(op_of(batch_norm(v, c, c, {}, {.eps = 0.5, .momentum = 0.5})) == "batch_norm(eps 0.5, training true, momentum 0.5)");
  const Tensor label = Tensor::zeros({1, 4, 4, 4}, DType::u8);
  CHECK(op_of(cross_entropy(v, label, {.ignore_label = 3, .label_smoothing = 0.5})) ==
        "cross_entropy(ignore_label 3, cross_entropy_weight 1, label_smoothing 0.5)");
  CHECK(op_of(soft_dice_loss(v, label, {.batch_dice = true, .smooth = 1})) ==
        "soft_dice_loss(ignore_label -1, dice_weight 1, batch_dice true, include_background false, smooth 1)");
}

TEST_CASE("infinities become 0 where a ReLU takes them, and stay what they are elsewhere") {
  Tensor x = Tensor::from({-INFINITY, INFINITY, -2, 3, NAN}, {5}).require_grad();
  const Tensor y = relu(x);
  CHECK(y.values()[0] == 0);
  CHECK(y.values()[1] == INFINITY);
  CHECK(std::isnan(y.values()[4]));
  backward(y, Tensor::from({INFINITY, 1, -INFINITY, INFINITY, 1}, {5}));
  CHECK(std::vector<double>(x.grad().values()) == std::vector<double>{0, 1, 0, INFINITY, 0});
  CHECK(leaky_relu(x, 0.5).values()[0] == -INFINITY);
}

TEST_CASE("zeros of a ReLU have the sign of 0 x") {
  for (const DType type : {DType::f32, DType::f64}) {
    Tensor x = Tensor::from({-2, -0.0, 0, -INFINITY, 3, -1, -1}, {7}, type).require_grad();
    const Tensor y = relu(x);
    backward(y, Tensor::from({-1, 1, -3, -INFINITY, -4, NAN, 5}, {7}, type));
    const std::vector<double> values = y.values(), gradient = x.grad().values();
    for (int i : {0, 1, 3, 5, 6}) CHECK(std::signbit(values[i]));
    CHECK(!std::signbit(values[2]));
    for (int i : {0, 2, 3}) CHECK((gradient[i] == 0 && std::signbit(gradient[i])));
    for (int i : {1, 6}) CHECK((gradient[i] == 0 && !std::signbit(gradient[i])));
    CHECK(gradient[4] == -4);
    CHECK(std::isnan(gradient[5]));
  }
}
