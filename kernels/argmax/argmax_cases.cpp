#include "kernels/argmax/argmax.h"

#include <algorithm>

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {
using Elements = std::vector<double>;
double largest(const Elements& v) { return *std::max_element(v.begin(), v.end()); }
double smallest(const Elements& v) { return *std::min_element(v.begin(), v.end()); }
double place_of_largest(const Elements& v) { return double(std::max_element(v.begin(), v.end()) - v.begin()); }
double place_of_smallest(const Elements& v) { return double(std::min_element(v.begin(), v.end()) - v.begin()); }
}  // namespace

OP_CASES(argmax) {
  using Run = std::function<Tensor(const Tensor&, int axis, const IndexOptions&)>;
  using OfElements = double (*)(const Elements&);
  struct Op {
    const char* name;
    Run run;
    OfElements formula;
    bool differentiable;
  };
  const Op ops[] = {{"argmax", argmax, place_of_largest, false},
                    {"argmin", argmin, place_of_smallest, false},
                    {"max_with_indices", [](auto& x, int k, auto& o) { return max_with_indices(x, k, o).values; }, largest, true},
                    {"min_with_indices", [](auto& x, int k, auto& o) { return min_with_indices(x, k, o).values; }, smallest, true},
                    {"max_with_indices", [](auto& x, int k, auto& o) { return max_with_indices(x, k, o).indices; }, place_of_largest,
                     false},
                    {"min_with_indices", [](auto& x, int k, auto& o) { return min_with_indices(x, k, o).indices; }, place_of_smallest,
                     false}};
  for (const Op& op : ops) {
    const auto add = [&](const char* name, const Shape& s, int axis, const IndexOptions& o = {}, int64_t saved = -1) {
      cases.push_back({.op = op.name, .name = name, .inputs = {{s}},
                       .run = [=, f = op.run](const Tensors& in) { return f(in[0], axis, o); },
                       .reference = [=, f = op.formula](const HostArrays& in) { return HostArrays{reduced(in[0], {axis}, o.keep, f)}; },
                       .saved_bytes = op.differentiable ? saved : -1, .differentiable = op.differentiable});
    };
    add("channels", {2, 3, 2, 5, 7}, -1);
    add("channels of many voxels", {150, 7}, -1);
    add("samples", {5, 3, 4}, 0);
    add("an axis between, kept", {2, 9, 300}, 1, {.keep = true, .dtype = DType::i32});
    add("long rows", {3, 2000}, 1);
    add("one element", {4, 1}, 1);
    add("a vector", {17}, 0, {.dtype = DType::i32}, 8);
  }
  // Elements of 0 and 1: the first of equal ones is meant.
  cases.push_back({.op = "argmax", .name = "equal elements", .inputs = {{.shape = {40, 6}, .role = Role::label, .low = 0, .high = 1}},
                   .run = [](const Tensors& in) { return argmax(in[0].to(DType::f32), 1); },
                   .reference = [](const HostArrays& in) { return HostArrays{reduced(in[0], {1}, false, place_of_largest)}; },
                   .differentiable = false});
  cases.push_back({.op = "argmin", .name = "equal elements", .inputs = {{.shape = {40, 6}, .role = Role::label, .low = 0, .high = 1}},
                   .run = [](const Tensors& in) { return argmin(in[0].to(DType::f32), 1); },
                   .reference = [](const HostArrays& in) { return HostArrays{reduced(in[0], {1}, false, place_of_smallest)}; },
                   .differentiable = false});
  rejects.push_back({"argmax", "labels", [] { argmax(Tensor::zeros({2, 3}, DType::u8), 1); }, {"argmax", "floating", "u8", ".to("}});
  rejects.push_back({"argmax", "an axis", [] { argmax(Tensor::zeros({2, 3}), 2); }, {"argmax", "axis 2", "{2, 3}"}});
  rejects.push_back({"argmin", "nothing", [] { argmin(Tensor::zeros({2, 0}), 1); }, {"argmin", "no element", "{2, 0}"}});
  rejects.push_back({"argmin", "indices as f32", [] { argmin(Tensor::zeros({2}), 0, {.dtype = DType::f32}); }, {"argmin", "f32", "i64"}});
}
