#include "kernels/spline_coefficients/spline_coefficients.h"

#include <algorithm>

#include "tests/op_case.h"

using namespace voxgrad;

OP_CASES(spline_coefficients) {
  const auto add = [&](const char* name, const Shape& s, int axis) {
    const int k = s.axis(axis);
    // The coefficients solve c[i - 1] / 6 + 4 c[i] / 6 + c[i + 1] / 6 = x[i] for all i, where x goes on as it ends: here for 40 samples
    // beyond each end, where the outermost coefficient is the sample, by elimination.
    cases.push_back({.op = "spline_coefficients", .name = name, .inputs = {{s}},
                     .run = [=](const Tensors& in) { return spline_coefficients(in[0], axis); },
                     .reference =
                         [=](const HostArrays& in) {
                           constexpr int64_t kBeyond = 40;
                           const int64_t n = s[k];
                           HostArray y = host_zeros(s.with(k, n + 4));
                           for_each_index(s.with(k, 1), [&](Index line) {
                             std::vector<double> c, share;
                             for (int64_t i = -kBeyond; i < n + kBeyond; ++i) {
                               line[size_t(k)] = std::clamp<int64_t>(i, 0, n - 1);
                               const double x = in[0][line];
                               const bool end = i == -kBeyond || i == n + kBeyond - 1;
                               const double below = end ? 0 : 1, pivot = end ? 6 : 4 - (c.empty() ? 0 : share.back());
                               share.push_back((end ? 0 : 1) / pivot);
                               c.push_back((6 * x - (c.empty() ? 0 : below * c.back())) / pivot);
                             }
                             for (size_t i = c.size() - 1; i-- > 0;) c[i] -= share[i] * c[i + 1];
                             for (int64_t i = 0; i < n + 4; ++i) {
                               line[size_t(k)] = i;
                               y[line] = c[size_t(i - 2 + kBeyond)];
                             }
                           });
                           return HostArrays{y};
                         },
                     .terms = 8, .differentiable = false, .dtypes = {DType::f32}});
  };
  add("the last axis", {3, 5, 40}, -1);
  add("one sample", {3, 1, 4}, 1);
  add("two samples", {2, 5}, 0);
  add("lines that are neighbours, ragged", {2, 9, 75}, 1);
  add("lines of two planes", {3, 7, 20}, 1);
  add("a long line", {700, 2}, 0);
  const auto reject = [&](const char* name, std::function<void()> run, std::vector<std::string> words) {
    rejects.push_back({"spline_coefficients", name, std::move(run), std::move(words)});
  };
  reject("bf16", [] { spline_coefficients(Tensor::zeros({2}, DType::bf16), 0); }, {"spline_coefficients", "bf16", "f32"});
  reject("an axis", [] { spline_coefficients(Tensor::zeros({2}), 1); }, {"spline_coefficients", "axis 1", "{2}"});
  reject("an empty axis", [] { spline_coefficients(Tensor::zeros({2, 0}), 1); }, {"spline_coefficients", "no element"});
}
