#include "kernels/statistics/statistics.h"

#include <algorithm>
#include <cmath>

#include "kernels/binary/binary.h"
#include "tests/op_case.h"
#include "tests/reference.h"

using namespace voxgrad;

namespace {
using Elements = std::vector<double>;

// By sum x^2 - n mean^2, in extended precision.
double spread(const Elements& v, int correction) {
  long double sum = 0, squares = 0;
  for (double x : v) {
    sum += x;
    squares += (long double)(x) * x;
  }
  const auto n = (long double)(v.size());
  return double((squares - sum * sum / n) / (n - correction));
}
double length(const Elements& v) {
  double r = 0;
  for (double x : v) r = std::hypot(r, x);
  return r;
}
double total_of_logarithms(const Elements& v) {
  long double sum = 0;
  for (double x : v) sum += std::exp((long double)(x));
  return double(std::log(sum));
}
double product(const Elements& v) {
  double p = 1;
  for (double x : v) p *= x;
  return p;
}
double magnitudes(const Elements& v) {
  double sum = 0;
  for (double x : v) sum += std::max(x, -x);
  return sum;
}
double largest_magnitude(const Elements& v) {
  return std::max(*std::max_element(v.begin(), v.end()), -*std::min_element(v.begin(), v.end()));
}
}  // namespace

OP_CASES(statistics) {
  using OfElements = std::function<double(const Elements&)>;
  using Run = std::function<Tensor(const Tensor&, const std::vector<int>&, bool keep)>;
  struct Statistic {
    const char* name;
    Run run;
    OfElements formula;
    double low, high;
    bool saves_pivot, saves_result;
  };
  const Statistic statistics[] = {
      {"var", [](auto& x, auto& axes, bool keep) { return var(x, axes, {.keep = keep}); }, [](auto& v) { return spread(v, 1); }, -1, 2,
       true, false},
      {"var of the population", [](auto& x, auto& axes, bool keep) { return var(x, axes, {.keep = keep, .correction = 0}); },
       [](auto& v) { return spread(v, 0); }, -1, 2, true, false},
      {"stddev", [](auto& x, auto& axes, bool keep) { return stddev(x, axes, {.keep = keep}); },
       [](auto& v) { return std::sqrt(spread(v, 1)); }, -1, 2, true, true},
      {"l1", [](auto& x, auto& axes, bool keep) { return vector_norm(x, axes, VectorNorm::l1, {.keep = keep}); }, magnitudes, -1, 1, false,
       false},
      {"l2", [](auto& x, auto& axes, bool keep) { return vector_norm(x, axes, VectorNorm::l2, {.keep = keep}); }, length, -1, 1,
       false, true},
      {"inf", [](auto& x, auto& axes, bool keep) { return vector_norm(x, axes, VectorNorm::inf, {.keep = keep}); }, largest_magnitude, -1,
       1, false, false},
      {"logsumexp", [](auto& x, auto& axes, bool keep) { return logsumexp(x, axes, {.keep = keep}); }, total_of_logarithms, -5, 5, false,
       true}};
  const auto add = [&](const Statistic& f, const std::string& name, const Shape& s, std::vector<int> axes, bool keep, bool states) {
    int64_t terms = 1;
    for (int axis : axes) terms *= s[axis];
    const int64_t outputs = s.count() / terms, saved = (s.count() + (f.saves_pivot + f.saves_result) * outputs) * 4;
    cases.push_back({.op = "statistics", .name = std::string(f.name) + ", " + name,
                     .inputs = {{.shape = s, .low = f.low, .high = f.high}},
                     .run = [=, run = f.run](const Tensors& in) { return run(in[0], axes, keep); },
                     .reference = [=, of = f.formula](const HostArrays& in) { return HostArrays{reduced(in[0], axes, keep, of)}; },
                     .terms = terms, .saved_bytes = states ? saved : -1});
  };
  const Shape s = {2, 3, 5, 4, 3};
  for (const Statistic& f : statistics) {
    const bool states = std::string(f.name) != "inf";
    add(f, "over space", s, {1, 2, 3}, false, states);
    add(f, "over all but channels, kept", s, {0, 1, 2, 3}, true, states);
    add(f, "over channels", s, {-1}, false, states);
    add(f, "over axes apart", s, {1, 4}, false, false);
    add(f, "over axes apart, kept", s, {1, -1}, true, false);
    add(f, "over many short rows", {150, 7}, {1}, false, states);
    add(f, "over space, many samples", {30, 9, 5}, {1}, false, states);
    add(f, "over long rows", {2, 9001}, {1}, false, false);
    add(f, "over wide rows", {3, 5, 1100}, {1}, false, false);
    add(f, "over many chunks", {30000, 3}, {0}, false, false);
    add(f, "of all", {7, 11}, {0, 1}, false, states);
  }
  const auto add_prod = [&](const char* name, const Shape& shape, std::vector<int> axes, bool keep, double low, double high) {
    cases.push_back({.op = "prod", .name = name, .inputs = {{.shape = shape, .low = low, .high = high}},
                     .run = [=](const Tensors& in) { return prod(in[0], axes, {.keep = keep}); },
                     .reference = [=](const HostArrays& in) { return HostArrays{reduced(in[0], axes, keep, product)}; }, .terms = 12});
  };
  add_prod("over an axis", {3, 6, 4}, {1}, false, -2, 2);
  add_prod("over the last axis, kept", {3, 6}, {1}, true, -2, 2);
  add_prod("over axes apart", {3, 4, 2}, {0, 2}, false, -2, 2);
  add_prod("over many short rows", {150, 7}, {1}, false, -2, 2);
  add_prod("of many columns", {4, 1100}, {0}, false, -2, 2);
  add_prod("of all", {3, 4}, {0, 1}, false, 0.5, 1.5);
  // Labels 0 to 2, plus the input, which is 0: rows without a zero, with one and with several.
  cases.push_back({.op = "prod", .name = "beside zeros",
                   .inputs = {{.shape = {40, 3}, .role = Role::label, .low = 0, .high = 2}, {.shape = {40, 3}, .low = 0, .high = 0}},
                   .run = [](const Tensors& in) { return prod(in[0].to(in[1].dtype()) + in[1], {1}); },
                   .reference = [](const HostArrays& in) { return HostArrays{reduced(in[0], {1}, false, product)}; }, .terms = 4});
  cases.push_back({.op = "statistics", .name = "logsumexp of large numbers", .inputs = {{.shape = {3, 40}, .low = 995, .high = 1005}},
                   .run = [](const Tensors& in) { return logsumexp(in[0], {1}) - 1000; },
                   .reference = [](const HostArrays& in) {
                     return HostArrays{reduced(in[0], {1}, false, [](const Elements& v) { return total_of_logarithms(v) - 1000; })};
                   },
                   .terms = 40, .dtypes = {DType::f32}, .slack = 200, .step = 1e-4});  // 1000 is taken off: three digits less
  const auto bench = [&](const char* name, std::function<Tensor(const Tensor&)> f) {
    cases.push_back({.op = "statistics", .name = name, .inputs = {{Shape{1, 64, 64, 64, 32}}},
                     .run = [f](const Tensors& in) { return f(in[0]); }, .bench = true});
  };
  bench("var over space, 32x64^3", [](const Tensor& x) { return var(x, {1, 2, 3}); });
  bench("logsumexp over channels, 32x64^3", [](const Tensor& x) { return logsumexp(x, {4}); });
  rejects.push_back({"statistics", "one element", [] { var(Tensor::zeros({3, 1}), {1}); }, {"var", "1 elements", "correction of 1"}});
  rejects.push_back({"statistics", "a correction",
                     [] { stddev(Tensor::zeros({3}), {0}, {.correction = 2}); }, {"stddev", "correction", "2"}});
  rejects.push_back({"statistics", "an axis", [] { vector_norm(Tensor::zeros({3}), {1}); }, {"vector_norm", "axis 1", "{3}"}});
  rejects.push_back({"statistics", "an axis twice", [] { prod(Tensor::zeros({3, 2}), {1, -1}); }, {"prod", "axis -1", "twice"}});
  rejects.push_back({"statistics", "labels", [] { var(Tensor::zeros({3}, DType::u8)); }, {"var", "floating", "u8", ".to(DType::f32)"}});
}
