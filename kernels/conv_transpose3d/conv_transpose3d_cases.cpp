#include "kernels/conv_transpose3d/conv_transpose3d.h"

#include <algorithm>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {

// Every input adds its products to the outputs that its taps reach.
HostArray scattered(const HostArrays& in, const ConvTranspose3dOptions& o) {
  const HostArray &x = in[0], &w = in[1];
  const int64_t filters = w.dim(4), per_group = x.dim(4) / o.groups;
  Shape s = x.shape.with(4, filters * o.groups);
  for (int a = 0; a < 3; ++a)
    s[a + 1] = (x.dim(a + 1) - 1) * o.stride[a] - 2 * o.padding[a] + o.dilation[a] * (w.dim(a + 1) - 1) + o.output_padding[a] + 1;
  HostArray y = host_array(s, [&](const Index& i) { return in.size() > 2 ? in[2].at(i[4]) : 0; });
  for_each_index(x.shape, [&](const Index& i) {
    for_each_index({w.dim(1), w.dim(2), w.dim(3), filters}, [&](const Index& t) {
      Index to = {i[0], 0, 0, 0, i[4] / per_group * filters + t[3]};
      for (int a = 0; a < 3; ++a) {
        const size_t k = size_t(a);
        to[k + 1] = i[k + 1] * o.stride[a] - o.padding[a] + t[k] * o.dilation[a];
        if (to[k + 1] < 0 || to[k + 1] >= s[a + 1]) return;
      }
      y[to] += x[i] * w.at(i[4], t[0], t[1], t[2], t[3]);
    });
  });
  return y;
}

}  // namespace

OP_CASES(conv_transpose3d) {
  struct Use {
    const char* name;
    Shape x;
    int64_t k;
    Int3 kernel;
    ConvTranspose3dOptions options = {};
    bool bias = true;
    std::vector<DType> dtypes = {DType::f32, DType::bf16, DType::f16};
  };
  const auto add = [&](const Use& u) {
    const int64_t kg = u.k / u.options.groups, taps = int64_t(u.kernel.d) * u.kernel.h * u.kernel.w;
    OpCase c{.op = "conv_transpose3d", .name = u.name};
    const Shape w = {u.x[4], u.kernel.d, u.kernel.h, u.kernel.w, kg};
    c.inputs = {{.shape = u.x}, {.shape = w, .role = Role::parameter}};
    if (u.bias) c.inputs.push_back({.shape = {u.k}, .role = Role::parameter});
    c.run = [options = u.options](const Tensors& in) { return conv_transpose3d(in[0], in[1], in.size() > 2 ? in[2] : Tensor{}, options); };
    c.reference = [o = u.options](const HostArrays& in) { return HostArrays{scattered(in, o)}; };
    c.terms = std::max<int64_t>(1, taps * (u.x[4] / u.options.groups)) + 1;
    if (u.x.count() + w.count() < 8192) c.saved_bytes = (u.x.count() + w.count()) * 4;  // larger blocks are rounded up by more
    c.dtypes = u.dtypes;
    cases.push_back(c);
  };
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  const std::vector<DType> f32 = {DType::f32};
  add({"kernel 2, stride 2", {2, 3, 4, 5, 16}, 8, two, {.stride = two}});
  add({"kernel 2, stride 2, 20 to 33 channels", {1, 2, 3, 4, 20}, 33, two, {.stride = two}, false, f32});
  add({"kernel 2, stride 2, of few voxels", {1, 2, 1, 2, 64}, 48, two, {.stride = two}});
  add({"kernel 2x3x1, stride 2x3x1, 24 to 16 channels", {2, 2, 3, 5, 24}, 16, {2, 3, 1}, {.stride = {2, 3, 1}}});
  add({"kernel 1x2x2, stride 1x2x2, 10 to 8 channels, dilated along one tap", {1, 3, 5, 4, 10}, 8, {1, 2, 2},
       {.stride = {1, 2, 2}, .dilation = {2, 1, 1}}});
  add({"kernel 1x2x2, stride 1x2x2", {1, 3, 4, 4, 6}, 4, {1, 2, 2}, {.stride = {1, 2, 2}}});
  add({"kernel 3, stride 2, output padding", {1, 3, 4, 3, 5}, 6, three, {.stride = two, .padding = one, .output_padding = one}});
  add({"kernel 4, stride 2", {1, 3, 3, 4, 4}, 7, {4, 4, 4}, {.stride = two, .padding = one}});
  add({"stride above the kernel: phases without taps", {1, 3, 4, 3, 4}, 5, {1, 2, 2}, {.stride = three}});
  add({"output padding up to the dilation",
       {1, 3, 3, 3, 3},
       4,
       two,
       {.stride = {1, 2, 1}, .output_padding = {1, 2, 0}, .dilation = {2, 3, 1}}});
  add({"stride 1, dilated", {1, 4, 5, 4, 4}, 3, three, {.padding = two, .dilation = two}});
  add({"two groups", {1, 3, 3, 4, 8}, 12, two, {.stride = two, .groups = 2}});
  add({"depthwise", {1, 3, 4, 5, 18}, 18, three, {.stride = two, .padding = one, .output_padding = one, .groups = 18}});
  add({"to 1 channel", {1, 3, 4, 5, 24}, 1, two, {.stride = two}});
  add({"from 1 channel", {1, 3, 4, 5, 1}, 16, two, {.stride = two}});
  add({"several tiles", {2, 12, 15, 20, 5}, 4, two, {.stride = two}, true, f32});

  const auto x = [] { return Tensor::zeros({1, 4, 4, 4, 6}); };
  const auto w = [] { return Tensor::zeros({6, 2, 2, 2, 3}); };
  const auto reject = [&](const char* name, std::function<void()> run, std::vector<std::string> words) {
    rejects.push_back({"conv_transpose3d", name, std::move(run), std::move(words)});
  };
  reject("a weight for other channels",
         [=] {
           conv_transpose3d(Tensor::zeros({1, 4, 4, 4, 5}), w(), {});
         },
         {"conv_transpose3d", "5 channels", "{6, 2, 2, 2, 3}"});
  reject("groups that do not divide", [=] { conv_transpose3d(x(), w(), {}, {.groups = 4}); }, {"conv_transpose3d", "4 groups", "6"});
  reject("a bias of another length", [=] { conv_transpose3d(x(), w(), Tensor::zeros({6}), {.stride = two}); },
         {"conv_transpose3d", "{3}", "{6}"});
  reject("a weight in bf16", [=] { conv_transpose3d(x(), w().to(DType::bf16), {}); }, {"conv_transpose3d", "f32", "bf16"});
  reject("output padding as large as the stride", [=] { conv_transpose3d(x(), w(), {}, {.stride = two, .output_padding = two}); },
         {"conv_transpose3d", "output padding 2x2x2", "stride 2x2x2"});
  reject("padding that leaves nothing",
         [=] {
           conv_transpose3d(x(), w(), {}, {.padding = {0, 3, 0}});
         },
         {"conv_transpose3d", "padding 0x3x0", "-1"});
}
