#include "tests/op_case.h"
#include "tests/reference.h"

#include "kernels/conv3d/conv3d_case.h"

using namespace voxgrad;

// Uses of conv3d that are split into remainders modulo the dilation (dilated_unit.cpp holds them to that).
OP_CASES(dilated) {
  const auto add = [&](const char* name, const Shape& x, int64_t k, Int3 kernel, const Conv3dOptions& o, bool bias = true) {
    cases.push_back(conv3d_case(name, x, k, kernel, o, bias));
    cases.back().for_cpu = true;
  };
  add("dilated, even, two samples", {2, 4, 6, 8, 5}, 7, {3, 3, 3}, {.padding = {2, 3, 4}, .dilation = {2, 3, 4}});
  add("dilated, ragged, padding between multiples", {2, 5, 7, 9, 6}, 8, {3, 3, 3}, {.padding = {1, 4, 3}, .dilation = {2, 3, 2}});
  add("dilated without padding or bias", {1, 6, 9, 8, 4}, 5, {2, 3, 3}, {.dilation = {3, 2, 2}}, false);
  add("dilated, kernel 5 along W alone", {1, 2, 3, 17, 4}, 6, {1, 1, 5}, {.padding = {0, 0, 8}, .dilation = {1, 1, 4}});
  add("dilated in the plane, stride along D", {1, 5, 6, 7, 4}, 5, {3, 3, 3},
      {.stride = {2, 1, 1}, .padding = {1, 2, 2}, .dilation = {1, 2, 2}});
  add("dilated by almost the extent", {1, 4, 5, 6, 3}, 4, {3, 3, 3}, {.padding = {3, 4, 5}, .dilation = {3, 4, 5}});
  add("dilated, as wide as Winograd wants", {1, 8, 16, 16, 20}, 24, {3, 3, 3}, {.padding = {2, 2, 2}, .dilation = {2, 2, 2}});
}
