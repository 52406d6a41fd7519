#include "kernels/conv3d/conv3d.h"

#include "tests/op_case.h"
#include "tests/reference.h"

#include "kernels/conv3d/conv3d_case.h"

using namespace voxgrad;

OP_CASES(conv3d) {
  struct Use {
    const char* name;
    Shape x;
    int64_t k;
    Int3 kernel;
    Conv3dOptions options = {};
    bool bias = true, bench = false;
    std::vector<DType> dtypes = {DType::f32, DType::bf16, DType::f16};
  };
  const auto add = [&](const Use& u) {
    const int64_t cg = u.x[4] / u.options.groups, taps = int64_t(u.kernel.d) * u.kernel.h * u.kernel.w;
    OpCase c{.op = "conv3d", .name = u.name};
    const Shape w = {u.k, u.kernel.d, u.kernel.h, u.kernel.w, cg};
    c.inputs = {{.shape = u.x}, {.shape = w, .role = Role::parameter}};
    if (u.bias) c.inputs.push_back({.shape = {u.k}, .role = Role::parameter});
    c.run = [options = u.options](const Tensors& in) { return conv3d(in[0], in[1], in.size() > 2 ? in[2] : Tensor{}, options); };
    c.reference = conv3d_reference_of(u.options);
    c.terms = taps * cg + 1;
    if (u.x.count() + w.count() < 8192) c.saved_bytes = (u.x.count() + w.count()) * 4;  // larger blocks are rounded up by more
    c.dtypes = u.dtypes;
    c.bench = u.bench;
    cases.push_back(c);
  };
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  const std::vector<DType> f32 = {DType::f32};
  add({"3x3x3, 16 to 32 channels", {2, 3, 4, 5, 16}, 32, three, {.padding = one}});
  add({"3x3x3 without padding or bias", {1, 4, 5, 6, 5}, 7, three, {}, false});
  add({"first layer, 1 to 32 channels", {1, 4, 5, 7, 1}, 32, three, {.padding = one}});
  add({"long rows of 3 channels to 40", {1, 2, 3, 37, 3}, 40, three, {.padding = one}, true, false, f32});
  add({"two input channels", {1, 3, 4, 6, 2}, 17, three, {.padding = one}});
  add({"pointwise", {2, 3, 4, 5, 12}, 20, one});
  add({"pointwise to 3 outputs", {1, 4, 5, 6, 32}, 3, one});
  add({"pointwise to 4 outputs, many rows", {1, 11, 10, 10, 16}, 4, one});
  add({"pointwise to 2 outputs, 2 rows", {1, 1, 1, 2, 48}, 2, one});
  add({"pointwise to 1 output", {2, 3, 5, 7, 16}, 1, one});
  add({"pointwise from 3 channels", {2, 3, 4, 5, 3}, 48, one});
  add({"pointwise from 1 channel", {1, 3, 5, 5, 1}, 16, one, {}, false});
  add({"pointwise to 1 output, stride 2", {1, 5, 6, 7, 18}, 1, one, {.stride = two}});
  add({"3x3x3 to 2 outputs", {1, 3, 4, 9, 33}, 2, three, {.padding = one}});
  add({"3x3x3 to 1 output from 32 channels", {1, 3, 9, 18, 32}, 1, three, {.padding = one}});
  add({"3x3x3 to 2 outputs from 40 channels along D", {2, 11, 2, 4, 40}, 2, three, {.padding = {0, 1, 2}}});
  add({"3x3x3 to 3 outputs from 64 channels", {1, 4, 5, 4, 64}, 3, three, {}, false});
  add({"3x3x3 to 4 outputs from 32 channels", {1, 2, 4, 17, 32}, 4, three, {.padding = one}});
  add({"1x3x3 to 3 outputs from 48 channels", {1, 3, 3, 4, 48}, 3, {1, 3, 3}, {.padding = {0, 1, 1}}});
  // Rows that take several pieces and a rest of them, whatever the number of lanes.
  add({"long rows to 1 output", {1, 2, 3, 61, 17}, 1, three, {.padding = one}});
  add({"long rows to 2 outputs", {1, 2, 3, 61, 17}, 2, three, {.padding = one}});
  add({"long rows to 3 outputs", {1, 2, 3, 61, 17}, 3, three, {.padding = one}});
  add({"long rows to 4 outputs", {1, 2, 3, 61, 17}, 4, three, {.padding = one}});
  add({"long rows to 3 outputs in each of 2 groups", {1, 2, 2, 53, 36}, 6, {1, 1, 3}, {.padding = {0, 0, 1}, .groups = 2}});
  add({"1 to 1 channel", {1, 4, 5, 6, 1}, 1, three, {.padding = one}});
  add({"anisotropic 1x3x3, stride 1x2x2", {2, 3, 7, 8, 6}, 10, {1, 3, 3}, {.stride = {1, 2, 2}, .padding = {0, 1, 1}}});
  add({"stride 2, odd extents", {1, 5, 7, 9, 8}, 16, three, {.stride = two, .padding = one}});
  add({"stride 2, even extents: the last plane is unused", {1, 6, 6, 8, 4}, 5, three, {.stride = two}});
  add({"stride 3x2x1, kernel 2x3x4", {1, 8, 7, 6, 3}, 4, {2, 3, 4}, {.stride = {3, 2, 1}, .padding = {1, 0, 2}}});
  add({"kernel 5, stride 2, 8 to 12 channels", {1, 4, 5, 7, 8}, 12, {5, 5, 5}, {.stride = two, .padding = two}});
  add({"kernel 3x3x1, stride 2x2x1", {1, 5, 6, 5, 8}, 12, {3, 3, 1}, {.stride = {2, 2, 1}, .padding = {1, 1, 0}}});
  add({"stride above the kernel", {1, 9, 8, 11, 4}, 6, two, {.stride = {4, 3, 3}}});
  add({"kernel equal to stride", {1, 4, 6, 8, 8}, 12, two, {.stride = two}});
  add({"dilation 2x1x3", {1, 6, 4, 9, 5}, 8, {3, 2, 3}, {.padding = {2, 1, 3}, .dilation = {2, 1, 3}}});
  add({"dilation and stride", {1, 7, 8, 9, 4}, 8, three, {.stride = {2, 3, 2}, .padding = {2, 1, 2}, .dilation = {2, 1, 2}}});
  add({"two groups", {1, 3, 4, 5, 12}, 8, three, {.padding = one, .groups = 2}});
  // All channels together fill a vector of one instruction set.
  add({"2 groups of 2", {1, 3, 4, 5, 4}, 4, three, {.padding = one, .groups = 2}});
  add({"2 groups of 4, pointwise", {1, 3, 4, 5, 8}, 8, one, {.groups = 2}});
  add({"4 groups of 4 to 2", {1, 3, 4, 5, 16}, 8, three, {.padding = one, .groups = 4}});
  add({"groups of 16, stride 2", {1, 4, 4, 5, 32}, 32, three, {.stride = two, .padding = one, .groups = 2}});
  add({"depthwise", {2, 3, 4, 7, 19}, 19, three, {.padding = one, .groups = 19}});
  add({"depthwise, kernel 5x1x3, stride 2, dilated",
       {1, 9, 5, 8, 6},
       6,
       {5, 1, 3},
       {.stride = two, .padding = {2, 0, 2}, .dilation = {1, 1, 2}, .groups = 6},
       false});
  add({"depthwise over several blocks of channels", {1, 3, 3, 4, 150}, 150, three, {.padding = one, .groups = 150}, true, false, f32});
  add({"depthwise with 3 filters per channel", {1, 3, 4, 5, 5}, 15, three, {.padding = one, .groups = 5}});
  add({"depthwise, 2 channels", {1, 2, 35, 17, 2}, 2, three, {.padding = one, .groups = 2}});
  add({"depthwise, 8 channels along D", {1, 21, 3, 5, 8}, 8, three, {.padding = one, .groups = 8}});
  add({"depthwise, 9 channels", {2, 3, 18, 4, 9}, 9, three, {.padding = two, .groups = 9}});
  add({"depthwise, 24 channels", {1, 3, 9, 18, 24}, 24, three, {.padding = one, .groups = 24}});
  add({"depthwise, 34 channels in a plane", {1, 2, 3, 17, 34}, 34, {1, 3, 3}, {.padding = {0, 1, 1}, .groups = 34}});
  add({"depthwise, kernel 1x5x5", {1, 2, 5, 18, 8}, 8, {1, 5, 5}, {.padding = {0, 2, 2}, .groups = 8}});
  add({"depthwise, kernel 1x7x7", {1, 2, 5, 18, 16}, 16, {1, 7, 7}, {.padding = {1, 3, 3}, .groups = 16}});
  add({"depthwise, kernel 7", {1, 9, 5, 17, 4}, 4, {7, 7, 7}, {.padding = three, .groups = 4}});
  add({"depthwise, kernel 5", {1, 4, 7, 21, 17}, 17, {5, 5, 5}, {.padding = two, .groups = 17}});
  add({"depthwise, kernel 3x7x7", {1, 3, 5, 13, 16}, 16, {3, 7, 7}, {.padding = {1, 3, 3}, .groups = 16}});
  add({"depthwise, kernel 3x3x5, stride and dilation along D",
       {1, 9, 6, 11, 20},
       20,
       {3, 3, 5},
       {.stride = {2, 1, 1}, .padding = {2, 1, 2}, .dilation = {2, 1, 1}, .groups = 20}});
  add({"depthwise, stride 2", {2, 5, 10, 18, 33}, 33, three, {.stride = two, .padding = one, .groups = 33}});
  add({"depthwise, stride 2, even extents without padding", {1, 8, 6, 12, 8}, 8, three, {.stride = two, .groups = 8}, false});
  add({"depthwise, kernel 5, stride 2", {1, 7, 6, 19, 9}, 9, {5, 5, 5}, {.stride = two, .padding = two, .groups = 9}});
  add({"depthwise, kernel 7, stride 2", {1, 4, 9, 12, 4}, 4, {7, 7, 7}, {.stride = two, .padding = three, .groups = 4}});
  add({"depthwise, kernel 1x3x3, stride 1x2x2",
       {1, 3, 9, 18, 16},
       16,
       {1, 3, 3},
       {.stride = {1, 2, 2}, .padding = {0, 1, 1}, .groups = 16}});
  add({"depthwise, kernel 1x5x5, stride 2", {1, 4, 7, 9, 8}, 8, {1, 5, 5}, {.stride = two, .padding = {0, 2, 2}, .groups = 8}});
  add({"depthwise, kernel 1x7x7, stride 3x2x2",
       {1, 5, 8, 9, 2},
       2,
       {1, 7, 7},
       {.stride = {3, 2, 2}, .padding = {0, 3, 3}, .groups = 2}});
  add({"depthwise, kernel 3x1x3", {1, 4, 5, 9, 34}, 34, {3, 1, 3}, {.padding = {1, 0, 1}, .groups = 34}});
  add({"depthwise, kernel 3x3x1", {2, 4, 9, 17, 8}, 8, {3, 3, 1}, {.padding = {1, 1, 0}, .groups = 8}});
  add({"depthwise, kernel 5x1x5", {1, 6, 5, 7, 8}, 8, {5, 1, 5}, {.padding = {2, 0, 2}, .groups = 8}});
  add({"depthwise, kernel 5x5x1", {1, 6, 7, 3, 8}, 8, {5, 5, 1}, {.padding = {2, 2, 0}, .groups = 8}});
  add({"depthwise, kernel 7x1x7", {1, 8, 2, 9, 2}, 2, {7, 1, 7}, {.padding = {3, 0, 3}, .groups = 2}});
  add({"depthwise, kernel 7x7x1", {1, 8, 9, 2, 2}, 2, {7, 7, 1}, {.padding = {3, 3, 0}, .groups = 2}});
  add({"depthwise, dilated along D", {2, 7, 3, 5, 3}, 3, three, {.padding = {3, 1, 1}, .dilation = {3, 1, 1}, .groups = 3}});
  add({"depthwise without padding or bias", {1, 5, 6, 12, 32}, 32, three, {.groups = 32}, false});
  add({"depthwise, kernel taller than the volume", {1, 1, 2, 9, 33}, 33, {3, 5, 3}, {.padding = {1, 2, 1}, .groups = 33}});
  add({"depthwise, more padding than the kernel needs", {1, 3, 3, 5, 18}, 18, three, {.padding = three, .groups = 18}});
  add({"depthwise, rows of several bricks", {1, 2, 3, 150, 2}, 2, {1, 3, 3}, {.padding = {0, 1, 1}, .groups = 2}, true, false, f32});
  add({"15 to 33 channels", {1, 3, 3, 4, 15}, 33, three, {.padding = one}, true, false, f32});
  add({"33 to 17 channels", {1, 3, 3, 4, 33}, 17, three, {.padding = one}, true, false, f32});
  add({"17 to 15 channels", {1, 3, 4, 13, 17}, 15, three, {.padding = one}, true, false, f32});
  add({"80 to 144 channels: blocks of unequal width", {1, 2, 3, 3, 80}, 144, three, {.padding = one}, true, false, f32});
  add({"more padding than the kernel needs", {1, 2, 3, 2, 4}, 5, two, {.padding = three}});
  add({"one voxel out", {2, 3, 3, 3, 7}, 9, three});
  add({"one voxel in", {1, 1, 1, 1, 20}, 18, three, {.padding = one}});
  add({"one voxel in, 16 to 32 channels", {1, 1, 1, 1, 16}, 32, three, {.padding = one}});
  add({"2 voxels in each of 2 groups, stride 2", {2, 2, 1, 2, 96}, 64, three, {.stride = two, .padding = one, .groups = 2}});
  add({"kernel 7, stride 2, 1 channel", {1, 8, 9, 10, 1}, 12, {7, 7, 7}, {.stride = two, .padding = three}, true, false, f32});
  add({"several tiles", {2, 11, 17, 70, 4}, 6, three, {.padding = one}, true, false, f32});
  add({"several tiles, stride 2", {1, 22, 26, 37, 3}, 5, three, {.stride = two, .padding = one}, true, false, f32});
  add({"several tiles to 1 output", {1, 12, 24, 40, 8}, 1, one, {}, true, false, f32});
  add({"several tiles, depthwise", {1, 13, 18, 40, 3}, 3, three, {.padding = one, .groups = 3}, true, false, f32});
  add({"32 to 32 channels at 64", {1, 64, 64, 64, 32}, 32, three, {.padding = one}, false, true, f32});
  add({"32 to 64 channels at 64, stride 2", {1, 64, 64, 64, 32}, 64, three, {.stride = two, .padding = one}, false, true, f32});
  add({"depthwise 32 channels at 64", {1, 64, 64, 64, 32}, 32, three, {.padding = one, .groups = 32}, false, true, f32});

  const auto x = [] { return Tensor::zeros({1, 4, 4, 4, 6}); };
  const auto w = [] { return Tensor::zeros({8, 3, 3, 3, 6}); };
  const auto reject = [&](const char* name, std::function<void()> run, std::vector<std::string> words) {
    rejects.push_back({"conv3d", name, std::move(run), std::move(words)});
  };
  reject("a weight for other channels",
         [=] {
           conv3d(Tensor::zeros({1, 4, 4, 4, 5}), w(), {});
         },
         {"conv3d", "5 channels", "{8, 3, 3, 3, 6}"});
  reject("a kernel larger than the input", [=] { conv3d(Tensor::zeros({1, 4, 2, 4, 6}), w(), {}); }, {"conv3d", "3x3x3", "4x2x4"});
  reject("groups that do not divide", [=] { conv3d(x(), w(), {}, {.groups = 4}); }, {"conv3d", "4 groups", "6"});
  reject("a weight in bf16", [=] { conv3d(x(), w().to(DType::bf16), {}); }, {"conv3d", "f32", "bf16"});
  reject("a weight in f32 beside f64", [=] { conv3d(x().to(DType::f64), w(), {}); }, {"conv3d", "f64", "f32"});
  reject("a bias of another length", [=] { conv3d(x(), w(), Tensor::zeros({6})); }, {"conv3d", "bias", "{8}", "{6}"});
  reject("labels", [=] { conv3d(Tensor::zeros({1, 4, 4, 4, 6}, DType::u8), w(), {}); }, {"conv3d", "floating", "u8"});
  reject("stride 0", [=] { conv3d(x(), w(), {}, {.stride = {1, 0, 1}}); }, {"conv3d", "stride 1x0x1"});
  reject("no weight", [=] { conv3d(x(), {}, {}); }, {"conv3d", "weight"});
}
