#pragma once
#include "benchmarks/bench.h"
#include "kernels/conv3d/conv3d_kernels.h"

namespace voxgrad::bench {

// A convolution of a network. `p` is the convolution; a transposed one is the adjoint of p, from p.k channels at p.out to p.c at p.in.
struct Layer {
  std::string name;
  Conv3dProblem p;
  bool transposed = false;
  std::vector<std::string> tags = {};

  double flops() const { return 2 * double(p.out_voxels()) * double(p.weights()); }
  // {"op": "conv3d", "transposed", "batch", "in", "out" (channels), "size", "kernel", "stride", "padding", "groups"}, seen by its input.
  Json work() const;
};

struct LayerOptions {
  Int3 kernel = {3, 3, 3}, stride = {1, 1, 1};
  int groups = 1;
  int64_t n = 1;
  bool exact = false;  // f32 without tf32
};
// c -> k channels on an input of `size`, padding (kernel - 1) / 2; with kernel = stride none. Named "32-64/2 at 64", of a batch of two
// "32-64/2 at 64, 2", depthwise "dw3 32 at 64", in groups "64-64 in 4 at 64".
Layer conv_layer(int64_t c, int64_t k, const Int3& size, const LayerOptions& = {});
// Transposed with kernel = stride = 2: "T64-32 at 32".
Layer transposed_layer(int64_t c, int64_t k, const Int3& size, int64_t n = 1);

// Every distinct layer of nnU-Net's default plain networks for 64^3 and 128^3, of a 3D ResNet-50 on 128^3, and of the table of the
// project's goals, tagged "unet64", "unet128", "resnet50" and "table".
std::vector<Layer> network_layers(const Sizes&);

// The layers that the bars of speed on a GPU are about, for batches of two, and one of each class of shapes that has none. Tagged "bar":
// the 3x3x3 convolutions of nnU-Net's default network for 128^3 but its first; "bandwidth": first layers, heads and depthwise ones, which
// should reach the rate of copies; "shape": other classes; "f16" and "exact": what is measured in f16, and in f32 without tf32.
std::vector<Layer> bar_layers(const Sizes&);

enum class Pass { forward, input_gradient, weight_gradient };
inline constexpr Pass kPasses[] = {Pass::forward, Pass::input_gradient, Pass::weight_gradient};
const char* name_of(Pass);

// x, y: input and output of the layer (or their gradients), w the weight: each pass writes one of them from the other two.
struct LayerTensors {
  Tensor x, y, w;
};
// Random, weights of deviation 1 / sqrt(fan in) so that outputs are of order 1.
LayerTensors layer_tensors(const Layer&, DType, Device = {});
void run_layer(const Layer&, Pass, const LayerTensors&);
Case layer_case(const std::string& group, const Layer&, Pass, const std::vector<DType>&);

// The same pass by oneDNN on tensors of its own, in the layouts that it prefers and without the cost of reordering into them. Absent
// where the build has no oneDNN or it has no implementation.
std::function<void()> onednn_layer(const Layer&, Pass, const Setting&);
// "3.1.1"; empty in builds without it.
std::string onednn_version();

}  // namespace voxgrad::bench
