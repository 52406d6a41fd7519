#include "kernels/conv3d/conv3d.h"
#include "tests/op_case.h"

using namespace voxgrad;

// Uses of conv3d that are computed by Winograd's algorithm on every instruction set (tests/winograd_unit.cpp holds them to that), named by
// the outputs of a tile.
OP_CASES(winograd) {
  const auto add = [&](const char* name, const Shape& x, int64_t k, int padding, bool bias = true) {
    OpCase c{.op = "conv3d", .name = name};
    c.inputs = {{.shape = x}, {.shape = {k, 3, 3, 3, x[4]}, .role = Role::parameter}};
    if (bias) c.inputs.push_back({.shape = {k}, .role = Role::parameter});
    c.run = [padding](const Tensors& in) {
      return conv3d(in[0], in[1], in.size() > 2 ? in[2] : Tensor{}, {.padding = {padding, padding, padding}});
    };
    c.terms = 27 * x[4] + 1;
    cases.push_back(c);
  };
  add("Winograd 2x4x4, ragged in every axis and in channels", {1, 5, 9, 10, 20}, 24, 1);
  add("Winograd 2x4x4 without padding or bias", {1, 6, 10, 9, 16}, 32, 0, false);
  add("Winograd 2x4x4, several groups of channels", {1, 4, 8, 8, 80}, 96, 1);
  add("Winograd 2x4x4, padding 2", {1, 16, 3, 2, 20}, 33, 2);
  add("Winograd 2x2x4, two samples", {2, 8, 6, 8, 16}, 16, 1);
  add("Winograd, streamed weights", {1, 5, 6, 7, 192}, 192, 1);
  add("Winograd 2x2x2", {1, 10, 6, 6, 16}, 16, 1);
  add("Winograd, fewer channels than lanes", {1, 8, 8, 12, 12}, 14, 1);
}
