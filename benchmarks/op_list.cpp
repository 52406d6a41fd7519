#include "benchmarks/op_list.h"

#include "kernels/avg_pool3d/avg_pool3d.h"
#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/conv_transpose3d/conv_transpose3d.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/dice_cross_entropy/dice_cross_entropy.h"
#include "kernels/dropout/dropout.h"
#include "kernels/grid_sample3d/grid_sample3d.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "kernels/matmul/matmul.h"
#include "kernels/max_pool3d/max_pool3d.h"
#include "kernels/norm_act/norm_act.h"
#include "kernels/pad/pad.h"
#include "kernels/permute/permute.h"
#include "kernels/reduce/reduce.h"
#include "kernels/softmax/softmax.h"

namespace voxgrad::bench {
namespace {

Int3 cube(int a) { return {a, a, a}; }
Json triple(int a) { return {a, a, a}; }
OpInput parameter(const Shape& s) { return {.shape = s, .role = Role::parameter}; }

// Shapes that several ops share; in real sizes e = 64 and c = 32.
struct Volumes {
  int e, c;
  explicit Volumes(const Sizes& sizes) : e(sizes.extent(64)), c(sizes.channels(32)) {}
  OpInput one() const { return {{1, e, e, e, c}}; }
  OpInput two() const { return {{2, e, e, e, c}}; }
  OpInput halved() const { return {{2, e / 2, e / 2, e / 2, 2 * c}}; }
  OpInput logits() const { return {{2, e, e, e, 3}}; }
  OpInput label() const { return {.shape = {2, e, e, e}, .role = Role::label, .low = 0, .high = 2}; }
};

void norms(const Volumes& v, std::vector<Op>& ops) {
  const OpInput scale = parameter({v.c}), wide = parameter({2 * v.c});
  const auto instance = [](const Tensors& in) { return instance_norm_act(in[0], in[1], in[2], in.size() > 3 ? in[3] : Tensor{}); };
  const auto group = [](const Tensors& in) { return group_norm_act(in[0], in[1], in[2], {}, {.groups = 8, .slope = 0}); };
  const auto batch = [](const Tensors& in) { return batch_norm_act(in[0], in[1], in[2], {}, {}, {.slope = 0}); };
  const auto layer = [](const Tensors& in) { return layer_norm(in[0], in[1], in[2]); };
  const Json leaky{{"slope", 0.01}};
  ops.push_back({"instance norm + leaky relu, 2x64^3x32", "instance_norm_act", {v.two(), scale, scale}, instance, leaky});
  ops.push_back({"instance norm + leaky relu, 2x32^3x64", "instance_norm_act", {v.halved(), wide, wide}, instance, leaky});
  ops.push_back({"instance norm + skip + leaky relu, 2x64^3x32", "instance_norm_act", {v.two(), scale, scale, v.two()}, instance, leaky});
  ops.push_back({"group norm + relu, 2x64^3x32", "group_norm_act", {v.two(), scale, scale}, group, {{"slope", 0}, {"groups", 8}}});
  ops.push_back({"batch norm + relu, 2x64^3x32", "batch_norm_act", {v.two(), scale, scale}, batch, {{"slope", 0}}});
  ops.push_back({"layer norm, 2x32^3x64", "layer_norm", {v.halved(), wide, wide}, layer});
}

void samplings(const Volumes& v, std::vector<Op>& ops) {
  const auto resized = [&](const std::string& name, Interpolation mode, int extent) {
    const auto run = [=](const Tensors& in) { return interpolate3d(in[0], cube(extent), {.mode = mode}); };
    const Json options{{"size", triple(extent)}, {"mode", mode == Interpolation::nearest ? "nearest" : "trilinear"}};
    ops.push_back({name, "interpolate3d", {v.one()}, run, options});
  };
  resized("trilinear x2, 64^3x32", Interpolation::trilinear, 2 * v.e);
  resized("trilinear /2, 64^3x32", Interpolation::trilinear, v.e / 2);
  resized("nearest x2, 64^3x32", Interpolation::nearest, 2 * v.e);
  const auto max_pool = [&](const std::string& name, int kernel, int padding) {
    const MaxPool3dOptions o{.kernel = cube(kernel), .stride = cube(2), .padding = cube(padding)};
    const auto run = [o](const Tensors& in) { return max_pool3d(in[0], o); };
    ops.push_back({name, "max_pool3d", {v.two()}, run, {{"kernel", kernel}, {"stride", 2}, {"padding", padding}}});
  };
  max_pool("max pool 2, 2x64^3x32", 2, 0);
  max_pool("max pool 3/2, 2x64^3x32", 3, 1);
  const auto mean = [](const Tensors& in) { return avg_pool3d(in[0]); };
  const auto global = [](const Tensors& in) { return adaptive_avg_pool3d(in[0], cube(1)); };
  const auto sample = [](const Tensors& in) { return grid_sample3d(in[0], in[1]); };
  ops.push_back({"average pool 2, 2x64^3x32", "avg_pool3d", {v.two()}, mean, {{"kernel", 2}}});
  ops.push_back({"global average pool, 2x64^3x32", "global_avg_pool3d", {v.two()}, global});
  ops.push_back({"grid sample, 64^3x32", "grid_sample3d", {v.one(), parameter({1, v.e, v.e, v.e, 3})}, sample});
}

void losses(const Volumes& v, std::vector<Op>& ops) {
  const auto both = [](const Tensors& in) { return dice_cross_entropy(in[0], in[1]); };
  const auto entropy = [](const Tensors& in) { return cross_entropy(in[0], in[1]); };
  const auto largest = [](const Tensors& in) { return argmax_channels(in[0]); };
  ops.push_back({"softmax, 2x64^3x3", "softmax", {v.logits()}, [](const Tensors& in) { return softmax(in[0]); }});
  ops.push_back({"dice + cross-entropy, 2x64^3x3", "dice_cross_entropy", {v.logits(), v.label()}, both});
  ops.push_back({"cross-entropy, 2x64^3x3", "cross_entropy", {v.logits(), v.label()}, entropy});
  ops.push_back({.name = "argmax, 2x64^3x3", .op = "argmax", .inputs = {v.logits()}, .run = largest, .differentiable = false});
}

void elementwise(const Volumes& v, std::vector<Op>& ops) {
  const auto joined = [](const Tensors& in) { return concat(in, -1); };
  const auto drop = [](const Tensors& in) { return dropout(in[0], 0.5, Rng(1)); };
  const auto padded = [](const Tensors& in) { return pad3d(in[0], cube(1), cube(1)); };
  const auto channels_first = [](const Tensors& in) { return permute(in[0], {0, 4, 1, 2, 3}); };
  const auto leaky = [](const Tensors& in) { return leaky_relu(in[0], 0.01); };
  ops.push_back({"concat of channels, 2x64^3x(32+32)", "concat", {v.two(), v.two()}, joined});
  ops.push_back({"add, 2x64^3x32", "add", {v.two(), v.two()}, [](const Tensors& in) { return in[0] + in[1]; }});
  ops.push_back({"leaky relu, 2x64^3x32", "leaky_relu", {v.two()}, leaky, {{"slope", 0.01}}});
  ops.push_back({"gelu, 2x64^3x32", "gelu", {v.two()}, [](const Tensors& in) { return gelu(in[0]); }});
  ops.push_back({"dropout of voxels, 2x64^3x32", "dropout", {v.two()}, drop, {{"p", 0.5}}});
  ops.push_back({"pad by 1, 2x64^3x32", "pad", {v.two()}, padded, {{"padding", 1}}});
  ops.push_back({"channels first, 2x64^3x32", "channels_first", {v.two()}, channels_first});
}

// With bias and as layers call them; pass by pass they are in the group `layers`.
void convolutions(const Volumes& v, std::vector<Op>& ops) {
  const auto conv = [&](const std::string& name, int kernel, int groups, int out) {
    const Conv3dOptions o{.padding = cube(kernel / 2), .groups = groups};
    const auto run = [o](const Tensors& in) { return conv3d(in[0], in[1], in[2], o); };
    const Json options{{"transposed", false}, {"stride", triple(1)}, {"padding", triple(kernel / 2)}, {"groups", groups}};
    ops.push_back({name, "conv3d", {v.one(), parameter({out, kernel, kernel, kernel, v.c / groups}), parameter({out})}, run, options});
  };
  conv("conv 3^3 with bias, 64^3, 32 to 32", 3, 1, v.c);
  conv("depthwise 3^3, 64^3x32", 3, v.c, v.c);
  conv("depthwise 5^3, 64^3x32", 5, v.c, v.c);
  conv("head 1^3 with bias, 64^3, 32 to 3", 1, 1, 3);
  const auto up = [](const Tensors& in) { return conv_transpose3d(in[0], in[1], in[2], {.stride = cube(2)}); };
  const Json twice{{"transposed", true}, {"stride", triple(2)}, {"padding", triple(0)}, {"groups", 1}};
  ops.push_back({"transposed conv 2^3 with bias, 2x32^3, 64 to 32",
                 "conv3d",
                 {v.halved(), parameter({2 * v.c, 2, 2, 2, v.c}), parameter({v.c})},
                 up,
                 twice});
  const int rows = 64 * v.e, in = 8 * v.c, out = 32 * v.c;
  ops.push_back({"linear 256 to 1024, 4096 rows", "linear", {{{rows, in}}, parameter({out, in}), parameter({out})}, [](const Tensors& t) {
                   return linear(t[0], t[1], t[2]);
                 }});
}

}  // namespace

std::vector<Op> listed_ops(const Sizes& sizes) {
  std::vector<Op> ops;
  for (auto list : {norms, samplings, losses, elementwise, convolutions}) list(Volumes(sizes), ops);
  return ops;
}

}  // namespace voxgrad::bench
