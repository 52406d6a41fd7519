#include "kernels/expand/expand.h"

#include "tests/op_case.h"

using namespace voxgrad;

namespace {
// Element i of the result is that of x at i modulo its extents, axes matched from the last one.
Reference repeated_to(const Shape& to) {
  return [to](const HostArrays& in) {
    const Shape& s = in[0].shape;
    return HostArrays{host_array(to, [&](const Index& i) {
      Index at{};
      for (int k = 0; k < s.rank; ++k) at[size_t(k)] = i[size_t(k + to.rank - s.rank)] % s[k];
      return in[0][at];
    })};
  };
}
}  // namespace

OP_CASES(expand) {
  const auto add = [&](const char* name, const Shape& s, const Shape& to, const Shape& result) {
    cases.push_back({.op = "expand", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return expand(in[0], to); },
                     .reference = repeated_to(result), .saved_bytes = 0});
  };
  add("channels of a volume", {3}, {2, 3, 4, 5, 3}, {2, 3, 4, 5, 3});
  add("a scale per sample and channel", {2, 1, 1, 1, 3}, {2, 3, 4, 5, 3}, {2, 3, 4, 5, 3});
  add("the last axis", {3, 1}, {3, 5}, {3, 5});
  add("first and last axis", {1, 4, 1}, {3, -1, 5}, {3, 4, 5});
  add("a scalar", {}, {2, 3}, {2, 3});
  add("as it is", {2, 3}, {2, 3}, {2, 3});
  add("eight axes", {1, 2, 1, 2, 1, 2, 1, 2}, {2, 2, 2, 2, 2, 2, 2, 2}, {2, 2, 2, 2, 2, 2, 2, 2});
  add("long rows", {1, 7001}, {3, 7001}, {3, 7001});
  const auto add_tile = [&](const char* name, const Shape& s, const std::vector<int64_t>& counts, const Shape& result) {
    cases.push_back({.op = "expand", .name = name, .inputs = {{s}}, .run = [=](const Tensors& in) { return tile(in[0], counts); },
                     .reference = repeated_to(result), .saved_bytes = 0});
  };
  add_tile("tile of both axes", {2, 3}, {2, 3}, {4, 9});
  add_tile("tile with new axes", {2, 3}, {2, 1, 1, 2}, {2, 1, 2, 6});
  add_tile("tile of the last axis", {2, 3, 2}, {4}, {2, 3, 8});
  add_tile("tile of an outer axis", {2, 3, 2}, {3, 1, 1}, {6, 3, 2});
  rejects.push_back({"expand", "an extent of 2 to 3", [] { expand(Tensor::zeros({2, 2}), {2, 3}); }, {"expand", "{2, 2}", "{2, 3}"}});
  rejects.push_back({"expand", "fewer axes", [] { expand(Tensor::zeros({2, 2}), {2}); }, {"expand", "{2, 2}", "{2}"}});
  rejects.push_back({"expand", "-1 for an axis that is not there", [] { expand(Tensor::zeros({2}), {-1, 2}); }, {"expand", "{-1, 2}"}});
  rejects.push_back({"expand", "a negative count", [] { tile(Tensor::zeros({2}), {-1}); }, {"tile", "-1"}});
}
