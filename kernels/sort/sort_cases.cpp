#include "kernels/sort/sort.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {
// The places of the first `count` elements along `axis`, by insertion: each goes behind all that do not belong behind it.
HostArray places(const HostArray& x, int axis, int64_t count, bool descending) {
  const size_t a = size_t(axis < 0 ? axis + x.shape.rank : axis);
  HostArray y = host_zeros(x.shape.with(int(a), count));
  for_each_index(x.shape.with(int(a), std::min<int64_t>(1, x.shape[int(a)])), [&](Index i) {
    std::vector<int64_t> order;
    const auto at = [&](int64_t j) {
      i[a] = j;
      return x[i];
    };
    for (int64_t j = 0; j < x.shape[int(a)]; ++j) {
      const double v = at(j);
      size_t place = order.size();
      while (place > 0) {
        const double w = at(order[place - 1]);
        const bool behind = std::isnan(w) ? !std::isnan(v) : descending ? w < v : w > v;
        if (!behind) break;
        --place;
      }
      order.insert(order.begin() + std::ptrdiff_t(place), j);
    }
    for (int64_t j = 0; j < count; ++j) {
      i[a] = j;
      y[i] = double(order[size_t(j)]);
    }
  });
  return y;
}

HostArray values_at(const HostArray& x, int axis, const HostArray& at) {
  const size_t a = size_t(axis < 0 ? axis + x.shape.rank : axis);
  return host_array(at.shape, [&](Index i) {
    i[a] = int64_t(at[i]);
    return x[i];
  });
}
}  // namespace

OP_CASES(sort) {
  const auto add = [&](const std::string& name, const Shape& s, int axis, bool descending, int64_t count = -1) {
    const auto run = [=](const Tensor& x) {
      return count < 0 ? sort(x, {.axis = axis, .descending = descending}) : topk(x, count, {.axis = axis, .smallest = !descending});
    };
    const int64_t n = count < 0 ? s[axis] : count;
    // Numbers so far apart that the step of the finite differences leaves their order.
    cases.push_back({.op = "sort", .name = name, .inputs = {{.shape = s, .low = -1000, .high = 1000}},
                     .run = [=](const Tensors& in) { return run(in[0]).values; },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{values_at(in[0], axis, places(in[0], axis, n, descending))};
                         },
                     .saved_bytes = 8 * s.with(axis, n).count(), .step = 3e-5});
    // Few different numbers: equal ones keep their order.
    cases.push_back({.op = "sort", .name = name + ", indices of labels",
                     .inputs = {{.shape = s, .role = Role::label, .low = 0, .high = 9}},
                     .run = [=](const Tensors& in) { return run(in[0]).indices.to(DType::f32); },
                     .reference = [=](const HostArrays& in) { return HostArrays{places(in[0], axis, n, descending)}; },
                     .differentiable = false, .dtypes = {DType::f32}});
  };
  add("ascending", {3, 17}, -1, false);
  add("descending, middle axis", {2, 9, 5}, 1, true);
  add("first axis, many columns", {7, 300}, 0, false);
  add("several runs", {2, 600}, 1, false);
  add("one more than two runs, descending", {513, 2}, 0, true);
  add("one element", {3, 1}, 1, false);
  add("the three largest", {4, 20}, -1, true, 3);
  add("the smallest of many, first axis", {700, 3}, 0, false, 5);
  add("all of the largest", {2, 6}, 1, true, 6);
  add("none of them", {2, 6}, 1, true, 0);
  // NaN behind everything, infinities where numbers of their size stand.
  for (const bool descending : {false, true})
    cases.push_back({.op = "sort", .name = descending ? "NaN, descending" : "NaN", .inputs = {{{7}}},
                     .run =
                         [=](const Tensors& in) {
                           const double inf = std::numeric_limits<double>::infinity();
                           const Tensor odd = Tensor::from({NAN, 2, -inf, inf, NAN, -3, 2}, {7}, in[0].dtype(), in[0].device());
                           return sort(odd, {.descending = descending}).indices.to(DType::f32);
                         },
                     .reference =
                         [=](const HostArrays&) {
                           return HostArrays{{{7}, descending ? std::vector<double>{3, 1, 6, 5, 2, 0, 4}
                                                              : std::vector<double>{2, 5, 1, 6, 3, 0, 4}}};
                         },
                     .differentiable = false});
  rejects.push_back({"sort", "an axis that is not there", [] { sort(Tensor::zeros({2, 3}), {.axis = 2}); }, {"sort", "axis 2"}});
  rejects.push_back({"sort", "a scalar", [] { sort(Tensor::zeros({})); }, {"sort", "axis -1"}});
  rejects.push_back({"sort", "more than there are", [] { topk(Tensor::zeros({2, 3}), 4); }, {"topk", "4 elements", "has 3"}});
  rejects.push_back({"sort", "fewer than none", [] { topk(Tensor::zeros({2, 3}), -1); }, {"topk", "-1"}});
}
