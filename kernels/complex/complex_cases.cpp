#include "kernels/complex/complex.h"

#include <cmath>
#include <complex>

#include "tests/op_case.h"

using namespace voxgrad;

namespace {

std::complex<double> number_at(const HostArray& x, Index i, int64_t part) {
  i[1] = 2 * part;
  const double re = x[i];
  i[1] = 2 * part + 1;
  return {re, x[i]};
}

}  // namespace

OP_CASES(complex) {
  const auto product = [](const HostArrays& in, const Index& i, int64_t part, bool conjugate) {
    const auto a = number_at(in[0], i, in[0].dim(1) == 2 ? 0 : part), b = number_at(in[1], i, in[1].dim(1) == 2 ? 0 : part);
    return (conjugate ? std::conj(a) : a) * b;
  };
  const auto part_of = [](std::complex<double> v, const Index& i) { return i[1] % 2 ? v.imag() : v.real(); };
  const auto add = [&](const char* name, const Shape& a, const Shape& b) {
    const Shape y = a.with(1, std::max(a[1], b[1]));
    for (const bool conjugate : {false, true})
      cases.push_back({.op = "complex_mul",
                       .name = name,
                       .inputs = {{a}, {b}},
                       .run = [=](const Tensors& in) { return complex_mul(in[0], in[1], {.conjugate = conjugate}); },
                       .reference =
                           [=](const HostArrays& in) {
                             return HostArrays{
                                 host_array(y, [&](const Index& i) { return part_of(product(in, i, i[1] / 2, conjugate), i); })};
                           },
                       .terms = y[1],
                       .dtypes = {DType::f32}});
    if (a[1] == b[1])
      cases.push_back({.op = "complex_dot", .name = name, .inputs = {{a}, {b}},
                       .run = [=](const Tensors& in) { return complex_dot(in[0], in[1]); },
                       .reference =
                           [=](const HostArrays& in) {
                             return HostArrays{host_array(y.with(1, 2), [&](const Index& i) {
                               std::complex<double> sum = 0;
                               for (int64_t c = 0; c < y[1] / 2; ++c) sum += product(in, i, c, true);
                               return part_of(sum, i);
                             })};
                           },
                       .terms = y[1], .dtypes = {DType::f32}});
  };
  add("one with one", {9, 2}, {9, 2});
  add("coils with coils", {5, 6}, {5, 6});
  add("an image with coils", {5, 2}, {5, 6});
  add("coils with an image", {5, 8}, {5, 2});
  const auto add_norm = [&](const char* name, const Shape& s) {
    cases.push_back({.op = "root_sum_of_squares", .name = name, .inputs = {{s}},
                     .run = [](const Tensors& in) { return root_sum_of_squares(in[0]); },
                     .reference =
                         [=](const HostArrays& in) {
                           return HostArrays{host_array(s.with(-1, 1), [&](Index i) {
                             double sum = 0;
                             for (int64_t c = 0; c < s[1]; ++c) {
                               i[1] = c;
                               sum += in[0][i] * in[0][i];
                             }
                             return std::sqrt(sum);
                           })};
                         },
                     .terms = s[1], .dtypes = {DType::f32}, .slack = 4});
  };
  add_norm("magnitudes", {40, 2});
  add_norm("coils", {7, 16});
  rejects.push_back({"complex_mul",
                     "no pairs",
                     [] {
                       complex_mul(Tensor::zeros({4, 3}), Tensor::zeros({4, 2}));
                     },
                     {"complex_mul", "pairs"}});
  rejects.push_back({"complex_dot", "3 coils and 2", [] { complex_dot(Tensor::zeros({4, 6}), Tensor::zeros({4, 4})); },
                     {"complex_dot", "{4, 6}", "{4, 4}"}});
  rejects.push_back({"root_sum_of_squares", "labels", [] { root_sum_of_squares(Tensor::zeros({4, 2}, DType::u8)); },
                     {"root_sum_of_squares", "u8"}});
}
