#include "tests/op_case.h"
#include "tests/reference.h"

#include "kernels/conv3d/conv3d_case.h"

using namespace voxgrad;

// Uses of conv3d of few voxels (few_voxels_unit.cpp holds them to that).
OP_CASES(few_voxels) {
  const auto add = [&](const char* name, const Shape& x, int64_t k, Int3 kernel, const Conv3dOptions& o, bool bias = true) {
    cases.push_back(conv3d_case(name, x, k, kernel, o, bias));
    cases.back().for_cpu = true;
  };
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  add("few voxels, two samples", {2, 2, 2, 2, 32}, 40, three, {.padding = one});
  add("few voxels, stride 2, ragged outputs", {2, 4, 3, 4, 32}, 37, three, {.stride = two, .padding = one});
  add("few voxels, one, of which most taps see nothing", {1, 1, 1, 1, 48}, 48, three, {.padding = one}, false);
  add("few voxels, 1x1x1", {2, 2, 2, 2, 144}, 135, one, {});
  add("few voxels, 1x1x1, stride 2", {1, 3, 4, 5, 128}, 144, one, {.stride = two}, false);
  add("few voxels, 1x1x1, two passes over the inputs", {1, 1, 3, 1, 1072}, 18, one, {});
  add("few voxels, padding beyond the volume", {1, 1, 2, 2, 16}, 64, {3, 5, 3}, {.padding = {2, 4, 3}});
  add("few voxels, all in one output", {3, 2, 4, 3, 32}, 32, {2, 4, 3}, {});
}
