#include "kernels/pad/pad.h"

#include <algorithm>
#include <cstdlib>

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(pad) {
  const auto add = [&](const std::string& name, const Shape& s, const Int3& before, const Int3& after, const PadOptions& o,
                       bool bench = false) {
    cases.push_back({.op = "pad3d", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return pad3d(in[0], before, after, o); },
                     .reference =
                         [=](const HostArrays& in) {
                           Shape padded = s;
                           for (int a = 0; a < 3; ++a) padded[a + 1] += before[a] + after[a];
                           return HostArrays{host_array(padded, [&](Index i) {
                             for (int a = 0; a < 3; ++a) {
                               int64_t& at = i[size_t(a + 1)];
                               const int64_t end = s[a + 1] - 1;
                               at -= before[a];
                               if (o.mode == PadMode::constant && (at < 0 || at > end)) return o.value;
                               if (o.mode == PadMode::edge) at = std::clamp<int64_t>(at, 0, end);
                               if (o.mode == PadMode::reflect) at = end - std::abs(end - std::abs(at));
                             }
                             return in[0][i];
                           })};
                         },
                     .terms = 1, .saved_bytes = bench ? -1 : 0, .bench = bench});
  };
  const struct {
    const char* name;
    PadMode mode;
  } modes[] = {{"constant", PadMode::constant}, {"edge", PadMode::edge}, {"reflect", PadMode::reflect}};
  for (const auto& [mode, value] : modes) {
    const std::string name = mode;
    const PadOptions o{.mode = value, .value = 0.75};
    add(name, {2, 4, 3, 5, 3}, {1, 2, 3}, {2, 1, 4}, o);
    add(name + ", one channel", {1, 4, 3, 5, 1}, {3, 0, 2}, {0, 2, 1}, o);
    add(name + ", nothing", {2, 1, 1, 1, 2}, {0, 0, 0}, {0, 0, 0}, o);
    add(name + ", 32x64^3", {1, 64, 64, 64, 32}, {2, 2, 2}, {2, 2, 2}, o, true);
  }
  add("constant, planes", {2, 2, 3, 4, 2}, {1, 0, 0}, {2, 0, 0}, {.value = -1});
  add("edge, wider than the extent", {1, 1, 2, 3, 2}, {3, 3, 3}, {4, 2, 5}, {.mode = PadMode::edge});
  rejects.push_back({"pad3d", "rank 4", [] { pad3d(Tensor::zeros({2, 2, 2, 1}), {}, {}); }, {"pad3d", "{2, 2, 2, 1}"}});
  rejects.push_back({"pad3d",
                     "negative",
                     [] {
                       pad3d(Tensor::zeros({1, 2, 2, 2, 1}), {0, 0, -1}, {0, 0, 0});
                     },
                     {"pad3d", "0x0x-1", "negative"}});
  rejects.push_back({"pad3d", "a value that labels have not",
                     [] { pad3d(Tensor::zeros({1, 1, 1, 1, 1}, DType::u8), {}, {1, 1, 1}, {.value = -1}); }, {"pad3d", "-1", "u8"}});
  rejects.push_back({"pad3d", "a reflection too wide",
                     [] { pad3d(Tensor::zeros({1, 2, 2, 2, 1}), {0, 2, 0}, {0, 0, 0}, {.mode = PadMode::reflect}); }, {"pad3d", "0x2x0"}});
  rejects.push_back({"pad3d", "an edge of nothing",
                     [] { pad3d(Tensor::zeros({1, 0, 2, 2, 1}), {1, 0, 0}, {0, 0, 0}, {.mode = PadMode::edge}); }, {"pad3d", "no voxel"}});
}
