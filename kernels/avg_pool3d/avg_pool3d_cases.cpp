#include "kernels/avg_pool3d/avg_pool3d.h"

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(avg_pool3d) {
  const auto add = [&](const char* name, const Shape& s, const AvgPool3dOptions& o, bool bench = false) {
    cases.push_back({.op = "avg_pool3d", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return avg_pool3d(in[0], o); },
                     .terms = int64_t(o.kernel.d) * o.kernel.h * o.kernel.w, .saved_bytes = bench ? -1 : 0, .bench = bench});
  };
  add("halved", {2, 4, 6, 2, 3}, {});
  add("halved, odd extents", {1, 5, 7, 3, 17}, {});
  add("kernel 3 stride 2 padding 1", {2, 5, 6, 7, 3}, {.kernel = {3, 3, 3}, .stride = {2, 2, 2}, .padding = {1, 1, 1}});
  add("padding not counted", {2, 5, 6, 7, 3}, {.kernel = {3, 2, 3}, .stride = {2, 1, 1}, .padding = {1, 1, 1}, .count_include_pad = false});
  add("ceil mode", {1, 5, 6, 8, 2}, {.kernel = {2, 3, 3}, .stride = {2, 2, 3}, .padding = {1, 0, 1}, .ceil_mode = true});
  add("stride wider than the kernel", {1, 7, 7, 7, 2}, {.kernel = {1, 2, 1}, .stride = {3, 3, 2}});
  add("kernel 5", {1, 6, 5, 7, 2}, {.kernel = {5, 5, 5}, .stride = {1, 1, 1}, .padding = {2, 2, 2}});
  const auto adaptive = [&](const char* name, const Shape& s, const Int3& out) {
    cases.push_back({.op = "adaptive_avg_pool3d", .name = name, .inputs = {{s}},
                     .run = [=](const Tensors& in) { return adaptive_avg_pool3d(in[0], out); }, .terms = 60, .saved_bytes = 0});
  };
  adaptive("global", {2, 4, 3, 5, 3}, {1, 1, 1});
  adaptive("overlapping windows", {1, 5, 7, 8, 2}, {3, 4, 5});
  adaptive("more outputs than inputs", {1, 2, 3, 4, 2}, {5, 4, 7});
  add("halved, 32x64^3", {1, 64, 64, 64, 32}, {}, true);
  rejects.push_back({"avg_pool3d", "no tensor", [] { avg_pool3d({}); }, {"avg_pool3d", "no tensor"}});
  rejects.push_back({"avg_pool3d", "too much padding",
                     [] { avg_pool3d(Tensor::zeros({1, 4, 4, 4, 1}), {.padding = {0, 0, 2}}); }, {"avg_pool3d", "padding", "0x0x2"}});
  rejects.push_back({"adaptive_avg_pool3d", "size 0",
                     [] { adaptive_avg_pool3d(Tensor::zeros({1, 4, 4, 4, 1}), {1, 0, 1}); }, {"adaptive_avg_pool3d", "1x0x1"}});
}
