#include "tests/op_case.h"
#include "tests/reference.h"

#include "kernels/conv3d/conv3d_case.h"

using namespace voxgrad;

// Uses of conv3d that are computed by Winograd's algorithm on every instruction set (winograd_unit.cpp holds them to
// that), named by the outputs of a tile.
OP_CASES(winograd) {
  const auto add = [&](const char* name, const Shape& x, int64_t k, int padding, bool bias = true) {
    cases.push_back(conv3d_case(name, x, k, {3, 3, 3}, {.padding = {padding, padding, padding}}, bias));
    cases.back().for_cpu = true;
  };
  add("Winograd 2x4x4, ragged in every axis and in channels", {1, 5, 9, 10, 20}, 24, 1);
  add("Winograd 4x4x4, ragged in every axis and in channels", {1, 7, 11, 14, 20}, 24, 1);
  add("Winograd 4x4x4 without padding or bias", {1, 10, 10, 18, 16}, 32, 0, false);
  add("Winograd 2x4x4, several groups of channels", {1, 4, 8, 8, 80}, 96, 1);
  add("Winograd 2x2x4, padding 2", {1, 16, 3, 2, 20}, 33, 2);
  add("Winograd 2x2x4, two samples", {2, 6, 6, 8, 16}, 16, 1);
  add("Winograd, streamed weights", {1, 5, 6, 7, 192}, 192, 1);
  add("Winograd 2x2x2", {1, 6, 6, 6, 16}, 16, 1);
  add("Winograd, fewer channels than lanes", {1, 8, 8, 12, 12}, 14, 1);
}
