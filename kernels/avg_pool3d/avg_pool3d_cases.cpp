#include "kernels/avg_pool3d/avg_pool3d.h"

#include <numeric>

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

OP_CASES(avg_pool3d) {
  const auto add = [&](const char* name, const Shape& s, const AvgPool3dOptions& o, bool bench = false) {
    cases.push_back({.op = "avg_pool3d", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return avg_pool3d(in[0], o); },
                     .reference =
                         [=](const HostArrays& in) {
                           const auto mean = [&](const std::vector<double>& inside, int64_t coordinates) {
                             const double sum = std::accumulate(inside.begin(), inside.end(), 0.0);
                             return sum / double(o.count_include_pad ? coordinates : int64_t(inside.size()));
                           };
                           std::array<Windows, 3> windows;
                           for (int a = 0; a < 3; ++a)
                             windows[size_t(a)] = sliding_windows(s[a + 1], o.kernel[a], o.stride[a] > 0 ? o.stride[a] : o.kernel[a],
                                                                  o.padding[a], 1, o.ceil_mode);
                           return HostArrays{pooled(in[0], windows, mean)};
                         },
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
                     .run = [=](const Tensors& in) { return adaptive_avg_pool3d(in[0], out); },
                     .reference =
                         [=](const HostArrays& in) {
                           const auto mean = [](const std::vector<double>& inside, int64_t) {
                             return std::accumulate(inside.begin(), inside.end(), 0.0) / double(inside.size());
                           };
                           return HostArrays{pooled(in[0],
                                                    {adaptive_windows(s[1], out.d), adaptive_windows(s[2], out.h),
                                                     adaptive_windows(s[3], out.w)},
                                                    mean)};
                         },
                     .terms = 60, .saved_bytes = 0});
  };
  adaptive("global", {2, 4, 3, 5, 3}, {1, 1, 1});
  adaptive("overlapping windows", {1, 5, 7, 8, 2}, {3, 4, 5});
  adaptive("more outputs than inputs", {1, 2, 3, 4, 2}, {5, 4, 7});
  add("halved, 32x64^3", {1, 64, 64, 64, 32}, {}, true);
  rejects.push_back({"avg_pool3d", "no tensor", [] { avg_pool3d({}); }, {"avg_pool3d", "absent tensor"}});
  rejects.push_back({"avg_pool3d", "too much padding",
                     [] { avg_pool3d(Tensor::zeros({1, 4, 4, 4, 1}), {.padding = {0, 0, 2}}); }, {"avg_pool3d", "padding", "0x0x2"}});
  rejects.push_back({"adaptive_avg_pool3d", "size 0",
                     [] { adaptive_avg_pool3d(Tensor::zeros({1, 4, 4, 4, 1}), {1, 0, 1}); }, {"adaptive_avg_pool3d", "1x0x1"}});
}
