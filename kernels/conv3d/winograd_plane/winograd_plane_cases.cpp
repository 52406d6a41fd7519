#include "tests/op_case.h"
#include "tests/reference.h"

#include "kernels/conv3d/conv3d_case.h"

using namespace voxgrad;

// Uses of conv3d that Winograd's algorithm in the plane computes on every instruction set (winograd_plane_unit.cpp holds them to that).
OP_CASES(winograd_plane) {
  const auto add = [&](const char* name, const Shape& x, int64_t k, Int3 kernel, const Conv3dOptions& o, bool bias = true) {
    cases.push_back(conv3d_case(name, x, k, kernel, o, bias));
    cases.back().for_cpu = true;
  };
  const Conv3dOptions halved{.stride = {2, 2, 2}, .padding = {1, 1, 1}};
  add("plane 4x4, stride 2, ragged in every axis and in channels", {1, 5, 31, 38, 36}, 40, {3, 3, 3}, halved);
  add("plane 2x2, stride 2, even, two samples, without bias", {2, 8, 20, 16, 32}, 48, {3, 3, 3}, halved, false);
  add("plane 2x2, stride 2, several groups of channels", {1, 6, 24, 20, 80}, 96, {3, 3, 3}, halved);
  add("plane 2x2, stride 2 in the plane", {1, 6, 25, 28, 36}, 48, {3, 3, 3}, {.stride = {1, 2, 2}, .padding = {1, 1, 1}});
  add("plane 4x4, stride 2 without padding", {1, 11, 31, 34, 36}, 48, {3, 3, 3}, {.stride = {2, 2, 2}});
  add("plane 4x4, stride 2, padding 2", {2, 5, 29, 32, 48}, 64, {1, 3, 3}, {.stride = {1, 2, 2}, .padding = {0, 2, 2}});
  add("plane 4x4, slices, ragged in every axis and in channels", {2, 1, 19, 22, 20}, 24, {1, 3, 3}, {.padding = {0, 1, 1}});
  add("plane 2x2, slices, several groups of channels", {2, 3, 6, 6, 80}, 96, {1, 3, 3}, {.padding = {0, 1, 1}});
  add("plane 4x4, slices without padding or bias", {1, 3, 12, 18, 16}, 33, {1, 3, 3}, {}, false);
  // Sums so long lose digits of f64, which a longer step saves: they are linear in what it changes.
  add("plane, slices, weights transformed where they are multiplied", {2, 1, 9, 7, 516}, 520, {1, 3, 3}, {.padding = {0, 1, 1}});
  cases.back().step = 1e-4;
  add("plane, stride 2, weights transformed where they are multiplied", {1, 3, 12, 15, 300}, 310, {3, 3, 3}, halved, false);
  cases.back().step = 1e-4;
  add("plane, dilated along D by more than its extent", {1, 9, 16, 17, 20}, 20, {3, 3, 3}, {.padding = {9, 1, 1}, .dilation = {9, 1, 1}});
}
