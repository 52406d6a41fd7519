#include "kernels/conv3d/conv3d.h"
#include "tests/op_case.h"

using namespace voxgrad;

// Uses of conv3d that Winograd's algorithm computes with boxes of the volume as lanes (tests/narrow_unit.cpp holds them to that).
OP_CASES(narrow) {
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
  add("narrow, ragged in every axis", {1, 7, 15, 30, 9}, 9, 1);
  add("narrow, 9 to 10 channels without padding", {1, 10, 18, 34, 9}, 10, 0);
  add("narrow, 17 to 9 channels without bias", {1, 7, 15, 30, 17}, 9, 1, false);
  add("narrow, 12 to 17 channels", {1, 4, 16, 32, 12}, 17, 1);
  add("narrow, 8 channels, two samples, padding 2", {2, 14, 14, 14, 8}, 8, 2);
  add("narrow, 3 to 5 channels, two samples", {2, 7, 15, 31, 3}, 5, 1);
}
