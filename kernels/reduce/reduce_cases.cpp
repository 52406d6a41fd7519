#include "kernels/reduce/reduce.h"

#include <algorithm>
#include <numeric>

#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {
using Elements = std::vector<double>;
double total(const Elements& v) { return std::accumulate(v.begin(), v.end(), 0.0); }
double average(const Elements& v) { return total(v) / double(v.size()); }
double largest(const Elements& v) { return *std::max_element(v.begin(), v.end()); }
double smallest(const Elements& v) { return *std::min_element(v.begin(), v.end()); }
double place_of_largest(const Elements& v) { return double(std::max_element(v.begin(), v.end()) - v.begin()); }
}  // namespace

OP_CASES(reduce) {
  using Run = std::function<Tensor(const Tensor&)>;
  // Of `f` over some axes, or over all.
  const auto of_axes = [](auto f, const std::vector<int>& axes, bool keep = false) {
    return [=](const HostArrays& in) { return HostArrays{reduced(in[0], axes, keep, f)}; };
  };
  const auto of_all = [](auto f) { return [=](const HostArrays& in) { return HostArrays{{{}, {f(in[0].values)}}}; }; };
  const ReduceOptions keep{.keep = true};
  const Shape s = {2, 3, 5, 4, 3};
  const auto add = [&](const char* name, const Shape& shape, Run f, const Reference& reference, int64_t terms, int64_t saved = 0) {
    cases.push_back({.op = "reduce", .name = name, .inputs = {{shape}}, .run = [f](const Tensors& in) { return f(in[0]); },
                     .reference = reference, .terms = terms, .saved_bytes = saved});
  };
  add("sum", s, [](const Tensor& x) { return sum(x); }, of_all(total), s.count());
  add("sum of one element", {}, [](const Tensor& x) { return sum(x); }, of_all(total), 1);
  add("sum over several chunks", {201, 401, 3}, [](const Tensor& x) { return sum(x); }, of_all(total), 201 * 401 * 3);
  add("mean", s, [](const Tensor& x) { return mean(x); }, of_all(average), s.count());
  add("sum over space", s, [](const Tensor& x) { return sum(x, {1, 2, 3}); }, of_axes(total, {1, 2, 3}), 60);
  add("mean over space, kept", s, [=](const Tensor& x) { return mean(x, {1, 2, 3}, keep); }, of_axes(average, {1, 2, 3}, true), 60);
  add("sum over all but channels", s, [](const Tensor& x) { return sum(x, {0, 1, 2, 3}); }, of_axes(total, {0, 1, 2, 3}), 120);
  add("sum over channels", s, [](const Tensor& x) { return sum(x, {-1}); }, of_axes(total, {-1}), 3);
  add("sum over many channels", {7, 200}, [](const Tensor& x) { return sum(x, {-1}); }, of_axes(total, {-1}), 200);
  add("sum over long rows", {2, 9001}, [](const Tensor& x) { return sum(x, {1}); }, of_axes(total, {1}), 9001);
  add("sum over samples", {3, 2, 2, 2, 700}, [](const Tensor& x) { return sum(x, {0}); }, of_axes(total, {0}), 3);
  add("sum over axes apart", {2, 3, 5, 4, 3, 2}, [](const Tensor& x) { return sum(x, {1, 3, 5}); }, of_axes(total, {1, 3, 5}), 24);
  add("sum over first and last", {2, 3, 5}, [](const Tensor& x) { return sum(x, {2, 0}); }, of_axes(total, {2, 0}), 10);
  add("sum over nothing", {2, 3}, [](const Tensor& x) { return sum(x, {}); }, of_axes(total, {}), 1);
  add("70 columns", {2, 130, 70}, [](const Tensor& x) { return sum(x, {1}); }, of_axes(total, {1}), 130);
  add("max over space", s, [](const Tensor& x) { return max(x, {1, 2, 3}); }, of_axes(largest, {1, 2, 3}), 60, (s.count() + 6) * 4);
  add("max over axes apart, kept", s, [=](const Tensor& x) { return max(x, {1, -1}, keep); }, of_axes(largest, {1, -1}, true), 9,
      (s.count() + 40) * 4);
  add("max over nothing", {2, 3}, [](const Tensor& x) { return max(x, {}); }, of_axes(largest, {}), 1, 48);
  add("max of many", {2, 301, 3}, [](const Tensor& x) { return max(x, {1}); }, of_axes(largest, {1}), 301, (2 * 301 * 3 + 6) * 4);
  add("max of three long columns", {2, 1501, 3}, [](const Tensor& x) { return max(x, {1}); }, of_axes(largest, {1}), 1501,
      (2 * 1501 * 3 + 6) * 4);
  add("max of channels", {3, 71, 5}, [](const Tensor& x) { return max(x, {2}); }, of_axes(largest, {2}), 5, (3 * 71 * 5 + 3 * 71) * 4);
  add("min of channels", {150, 64}, [](const Tensor& x) { return min(x, {1}); }, of_axes(smallest, {1}), 64, (150 * 64 + 150) * 4);
  add("min of a long row", {5003}, [](const Tensor& x) { return min(x); }, of_all(smallest), 5003, (5003 + 1) * 4);
  add("max of all", s, [](const Tensor& x) { return max(x); }, of_all(largest), s.count(), (s.count() + 1) * 4);
  add("min of all", s, [](const Tensor& x) { return min(x); }, of_all(smallest), s.count(), (s.count() + 1) * 4);
  add("min over space", s, [](const Tensor& x) { return min(x, {1, 2, 3}); }, of_axes(smallest, {1, 2, 3}), 60, (s.count() + 6) * 4);
  add("min over axes apart, kept", s, [=](const Tensor& x) { return min(x, {1, -1}, keep); }, of_axes(smallest, {1, -1}, true), 9,
      (s.count() + 40) * 4);
  add("min of many", {2, 301, 3}, [](const Tensor& x) { return min(x, {1}); }, of_axes(smallest, {1}), 301, (2 * 301 * 3 + 6) * 4);
  for (int64_t channels : {1, 3, 40, 300})
    cases.push_back({.op = "argmax_channels", .name = std::to_string(channels) + " channels", .inputs = {{Shape{2, 3, 2, 5, channels}}},
                     .run = [](const Tensors& in) { return argmax_channels(in[0]); },
                     .reference = of_axes(place_of_largest, {4}), .differentiable = false});
  const Shape big = {1, 64, 64, 64, 32};
  const auto bench = [&](const char* name, std::function<Tensor(const Tensor&)> f) {
    cases.push_back({.op = "reduce", .name = name, .inputs = {{big}}, .run = [f](const Tensors& in) { return f(in[0]); }, .bench = true});
  };
  bench("sum, 32x64^3", [](const Tensor& x) { return sum(x); });
  bench("mean over space, 32x64^3", [](const Tensor& x) { return mean(x, {1, 2, 3}); });
  bench("sum over channels, 32x64^3", [](const Tensor& x) { return sum(x, {4}); });
  bench("argmax_channels, 32x64^3", [](const Tensor& x) { return argmax_channels(x.detach()); });
  rejects.push_back({"reduce", "an axis that is not there", [] { sum(Tensor::zeros({2, 3}), {2}); }, {"sum", "axis 2", "{2, 3}"}});
  rejects.push_back({"reduce", "an axis twice", [] { mean(Tensor::zeros({2, 3}), {1, -1}); }, {"mean", "axis -1", "twice"}});
  rejects.push_back({"reduce", "labels", [] { sum(Tensor::zeros({2}, DType::u8)); }, {"sum", "floating", "u8 {2}", ".to(DType::f32)"}});
  rejects.push_back({"reduce", "the mean of nothing", [] { mean(Tensor::zeros({2, 0})); }, {"mean", "no element", "{2, 0}"}});
  rejects.push_back({"reduce", "the maximum of nothing", [] { max(Tensor::zeros({0, 2}), {0}); }, {"max", "no element", "{0, 2}"}});
  rejects.push_back({"reduce", "the minimum of nothing", [] { min(Tensor::zeros({0})); }, {"min", "no element", "{0}"}});
  rejects.push_back({"argmax_channels", "no channels", [] { argmax_channels(Tensor::zeros({2, 0})); }, {"argmax_channels", "{2, 0}"}});
  rejects.push_back({"argmax_channels", "rank 0", [] { argmax_channels(Tensor::zeros({})); }, {"argmax_channels", "{.., C}"}});
}
