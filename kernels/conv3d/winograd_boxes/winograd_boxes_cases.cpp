#include "tests/op_case.h"
#include "tests/reference.h"

#include "kernels/conv3d/conv3d_case.h"

using namespace voxgrad;

// Uses of conv3d that Winograd's algorithm computes with boxes of the volume as lanes (winograd_boxes_unit.cpp holds them to that).
OP_CASES(winograd_boxes) {
  const auto add = [&](const char* name, const Shape& x, int64_t k, int padding, bool bias = true) {
    cases.push_back(conv3d_case(name, x, k, {3, 3, 3}, {.padding = {padding, padding, padding}}, bias));
    cases.back().for_cpu = true;
  };
  add("boxes, ragged in every axis", {1, 7, 15, 30, 9}, 9, 1);
  add("boxes, 9 to 10 channels without padding", {1, 10, 18, 34, 9}, 10, 0);
  add("boxes, 17 to 9 channels without bias", {1, 7, 15, 30, 17}, 9, 1, false);
  add("boxes, 12 to 17 channels", {1, 4, 16, 32, 12}, 17, 1);
  add("boxes, 8 channels, two samples, padding 2", {2, 14, 14, 14, 8}, 8, 2);
  add("boxes, 3 to 5 channels, two samples", {2, 7, 15, 31, 3}, 5, 1);
}
