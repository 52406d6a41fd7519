#include "tests/op_case.h"
#include "tests/reference.h"

#include "kernels/conv3d/conv3d_case.h"

using namespace voxgrad;

// Uses of conv3d whose forward pass is computed by phases on every instruction set (polyphase_unit.cpp holds them to that).
OP_CASES(polyphase) {
  const auto add = [&](const char* name, const Shape& x, int64_t k, Int3 kernel, const Conv3dOptions& o, bool bias = true) {
    cases.push_back(conv3d_case(name, x, k, kernel, o, bias));
    cases.back().for_cpu = true;
  };
  const Int3 all{7, 7, 7}, slice{1, 7, 7}, two{2, 2, 2}, three{3, 3, 3};
  add("phases, a stem", {2, 12, 14, 16, 1}, 16, all, {.stride = two, .padding = three}, false);
  add("phases, ragged in every axis and in channels, several planes", {1, 21, 11, 27, 2}, 37, all, {.stride = two, .padding = three});
  add("phases, few rows, ragged in channels", {1, 21, 4, 27, 2}, 37, all, {.stride = two, .padding = three});
  add("phases, two blocks of channels", {1, 5, 6, 33, 1}, 80, {3, 7, 7}, {.stride = two, .padding = {1, 3, 3}});
  add("phases, a slice of three colours", {2, 1, 37, 41, 3}, 24, slice, {.stride = {1, 2, 2}, .padding = {0, 3, 3}}, false);
  add("phases, four channels, without padding", {1, 9, 13, 31, 4}, 16, all, {.stride = two});
  add("phases, more rows than a task has", {1, 1, 137, 15, 2}, 16, slice, {.stride = {1, 2, 2}, .padding = {0, 3, 3}});
  add("phases, more padding than the volume has", {1, 3, 4, 9, 1}, 16, all, {.stride = two, .padding = {6, 6, 6}});
  add("phases, stride 2 along W alone, dilated along D", {1, 7, 9, 22, 2}, 16, {3, 5, 7},
      {.stride = {1, 1, 2}, .padding = {2, 2, 3}, .dilation = {2, 1, 1}});
  add("phases of squares, several tasks along each axis, ragged", {2, 49, 15, 37, 4}, 16, all, {.stride = two, .padding = three});
  add("phases of squares, two blocks of channels, unit stride along D", {1, 6, 16, 15, 3}, 70, {5, 7, 7},
      {.stride = {1, 2, 2}, .padding = three});
  add("phases, stride 3 along D and H", {1, 11, 17, 26, 2}, 20, all, {.stride = {3, 3, 2}, .padding = three});
}
