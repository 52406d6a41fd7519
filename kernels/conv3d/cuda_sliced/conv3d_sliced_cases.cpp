#include "tests/op_case.h"
#include "tests/reference.h"

#include "kernels/conv3d/conv3d_case.h"

using namespace voxgrad;

// Uses of conv3d whose halo of all taps is too large for shared memory, and groups that are joined (conv_classes_test.cpp holds them to
// their kernels).
OP_CASES(conv3d_sliced) {
  const auto add = [&](const char* name, const Shape& x, int64_t k, Int3 kernel, const Conv3dOptions& o, bool bias = true) {
    OpCase c = conv3d_case(name, x, k, kernel, o, bias);
    c.inputs[1].shape = {k, kernel.d, kernel.h, kernel.w, x[4] / o.groups};
    c.terms = int64_t(kernel.d) * kernel.h * kernel.w * (x[4] / o.groups) + 1;
    cases.push_back(c);
  };
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3}, five{5, 5, 5}, seven{7, 7, 7};
  // By planes of taps, lines and single ones; 16, 32, 64 and 128 columns, channels that are no whole pieces, several chunks of them.
  add("kernel 5, stride 2, 16 to 24 channels", {1, 3, 5, 6, 16}, 24, five, {.stride = two, .padding = two});
  add("kernel 7, stride 2, 8 to 16 channels", {1, 2, 3, 5, 8}, 16, seven, {.stride = two, .padding = three});
  add("kernel 7, stride 1x2x2, 5 to 40 channels", {1, 1, 3, 5, 5}, 40, seven, {.stride = {1, 2, 2}, .padding = three});
  add("dilation 4, 8 to 12 channels", {1, 5, 9, 10, 8}, 12, three, {.padding = {4, 4, 4}, .dilation = {4, 4, 4}});
  add("dilation 12, 40 to 72 channels", {1, 1, 13, 14, 40}, 72, three, {.padding = {12, 12, 12}, .dilation = {12, 12, 12}});
  add("dilation 6, 6 to 20 channels of 2 groups", {1, 3, 7, 8, 12}, 40, three, {.padding = {6, 6, 6}, .dilation = {6, 6, 6}, .groups = 2});
  add("1x3x3, dilation 18", {2, 2, 3, 20, 16}, 16, {1, 3, 3}, {.padding = {0, 18, 18}, .dilation = {1, 18, 18}}, false);
  add("dilation 3, stride 2", {1, 7, 8, 9, 16}, 16, three, {.stride = two, .padding = three, .dilation = three});
  add("1x3x3, dilation 35, stride 2 along W", {1, 1, 3, 48, 16}, 16, {1, 3, 3},
      {.stride = {1, 1, 2}, .padding = {0, 35, 35}, .dilation = {1, 35, 35}});
  // Gradients of weights of first and last layers, by planes of taps.
  add("kernel 7, stride 2, 1 to 40 channels", {2, 5, 6, 7, 1}, 40, seven, {.stride = two, .padding = three});
  add("kernel 7, stride 2, 2 to 8 channels", {1, 3, 4, 5, 2}, 8, seven, {.stride = two, .padding = three});
  add("kernel 7 to 2 outputs, dilation 3", {1, 2, 3, 4, 8}, 2, seven, {.padding = {9, 9, 9}, .dilation = three});
  // Joined groups: of equal and of unequal channels, few and many, all of them in one, beside slices.
  add("32 groups of 4", {1, 2, 2, 3, 128}, 128, three, {.padding = one, .groups = 32});
  add("8 groups of 2 to 3, stride 2", {1, 3, 4, 5, 16}, 24, three, {.stride = two, .padding = one, .groups = 8});
  add("6 groups of 4 to 2", {1, 3, 4, 5, 24}, 12, {1, 3, 3}, {.padding = {0, 1, 1}, .groups = 6});
  add("7 groups of 3, pointwise", {1, 3, 4, 5, 21}, 21, one, {.groups = 7}, false);
  add("3 groups of 2, pointwise", {1, 3, 4, 5, 6}, 6, one, {.groups = 3});
  add("4 groups of 4, kernel equal to stride", {1, 4, 6, 4, 16}, 16, two, {.stride = two, .groups = 4});
  add("8 groups of 4, dilation 5", {1, 3, 6, 7, 32}, 32, three, {.padding = five, .dilation = five, .groups = 8});
}
