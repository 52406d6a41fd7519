#include "kernels/max_pool3d/max_pool3d.h"

#include <algorithm>

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {
double largest(const std::vector<double>& inside, int64_t) { return *std::max_element(inside.begin(), inside.end()); }
}  // namespace

OP_CASES(max_pool3d) {
  // saved: elements of y, of one or two bytes each.
  const auto add = [&](const char* name, const Shape& s, const MaxPool3dOptions& o, int64_t saved, bool bench = false) {
    cases.push_back({.op = "max_pool3d", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return max_pool3d(in[0], o); },
                     .reference =
                         [=](const HostArrays& in) {
                           std::array<Windows, 3> windows;
                           for (int a = 0; a < 3; ++a)
                             windows[size_t(a)] = sliding_windows(s[a + 1], o.kernel[a], o.stride[a] > 0 ? o.stride[a] : o.kernel[a],
                                                                  o.padding[a], o.dilation[a], o.ceil_mode);
                           return HostArrays{pooled(in[0], windows, largest)};
                         },
                     .saved_bytes = saved, .bench = bench});
  };
  add("halved", {2, 4, 6, 2, 3}, {}, 2 * 2 * 3 * 1 * 3);
  add("halved, odd extents", {1, 5, 7, 3, 17}, {}, 2 * 3 * 1 * 17);
  add("kernel 3 stride 2 padding 1", {2, 5, 6, 7, 3}, {.kernel = {3, 3, 3}, .stride = {2, 2, 2}, .padding = {1, 1, 1}}, 2 * 3 * 3 * 4 * 3);
  add("per axis", {1, 4, 6, 7, 2}, {.kernel = {1, 2, 3}, .stride = {1, 2, 1}, .padding = {0, 1, 1}}, 4 * 4 * 7 * 2);
  add("ceil mode", {1, 5, 6, 7, 2}, {.kernel = {2, 3, 2}, .stride = {2, 2, 3}, .padding = {1, 0, 0}, .ceil_mode = true}, 3 * 3 * 3 * 2);
  add("dilated", {1, 7, 6, 8, 2}, {.kernel = {2, 3, 3}, .stride = {1, 2, 1}, .padding = {1, 1, 1}, .dilation = {3, 2, 2}}, 6 * 2 * 6 * 2);
  add("stride wider than the kernel", {1, 7, 7, 7, 2}, {.kernel = {1, 2, 1}, .stride = {3, 3, 2}}, 3 * 2 * 4 * 2);
  add("130 channels", {1, 2, 2, 3, 130}, {.kernel = {2, 1, 2}, .stride = {1, 1, 1}}, 2 * 2 * 130);
  add("a window of 343", {1, 8, 8, 7, 2}, {.kernel = {7, 7, 7}, .stride = {1, 1, 1}}, 2 * 2 * 2 * 2);
  const auto adaptive = [&](const char* name, const Shape& s, const Int3& out) {
    cases.push_back({.op = "adaptive_max_pool3d",
                     .name = name,
                     .inputs = {{s}},
                     .run = [=](const Tensors& in) { return adaptive_max_pool3d(in[0], out); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{pooled(in[0],
                                                    {adaptive_windows(s[1], out.d), adaptive_windows(s[2], out.h),
                                                     adaptive_windows(s[3], out.w)},
                                                    largest)};
                         },
                     .saved_bytes = s[0] * out.d * out.h * out.w * s[4]});
  };
  adaptive("global", {2, 4, 3, 5, 3}, {1, 1, 1});
  adaptive("overlapping windows", {1, 5, 7, 8, 2}, {3, 4, 5});
  adaptive("more outputs than inputs", {1, 2, 3, 4, 2}, {5, 4, 7});
  add("halved, 32x64^3", {1, 64, 64, 64, 32}, {}, -1, true);
  add("kernel 3 stride 2 padding 1, 32x64^3", {1, 64, 64, 64, 32}, {.kernel = {3, 3, 3}, .stride = {2, 2, 2}, .padding = {1, 1, 1}}, -1,
      true);
  rejects.push_back({"max_pool3d", "rank 4", [] { max_pool3d(Tensor::zeros({4, 4, 4, 1})); }, {"max_pool3d", "{4, 4, 4, 1}"}});
  rejects.push_back({"max_pool3d", "labels", [] { max_pool3d(Tensor::zeros({1, 4, 4, 4, 1}, DType::u8)); }, {"max_pool3d", "floating"}});
  rejects.push_back({"max_pool3d",
                     "a window too large",
                     [] {
                       max_pool3d(Tensor::zeros({1, 4, 2, 4, 1}), {.kernel = {2, 3, 2}});
                     },
                     {"max_pool3d", "2x3x2", "{1, 4, 2, 4, 1}"}});
  rejects.push_back({"max_pool3d", "too much padding",
                     [] { max_pool3d(Tensor::zeros({1, 4, 4, 4, 1}), {.padding = {0, 0, 2}}); }, {"max_pool3d", "padding", "0x0x2"}});
  rejects.push_back({"max_pool3d", "kernel 0",
                     [] { max_pool3d(Tensor::zeros({1, 4, 4, 4, 1}), {.kernel = {0, 2, 2}}); }, {"max_pool3d", "0x2x2", "positive"}});
  rejects.push_back({"adaptive_max_pool3d", "size 0",
                     [] { adaptive_max_pool3d(Tensor::zeros({1, 4, 4, 4, 1}), {0, 1, 1}); }, {"adaptive_max_pool3d", "0x1x1"}});
}
