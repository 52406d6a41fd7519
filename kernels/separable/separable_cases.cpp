#include "kernels/separable/separable.h"

#include "tests/op_case.h"

using namespace voxgrad;

namespace {

// Row o has `taps` inputs from a place on that moves with o, of weights that differ; every third row is empty where `holes`.
AxisMatrix axis(int inputs, int outputs, int taps, bool holes = false) {
  return axis_matrix(inputs, outputs, [&](int o) {
    std::vector<Tap> row;
    if (holes && o % 3 == 1) return row;
    for (int k = 0; k < taps; ++k) row.push_back({(o * 2 + k) % inputs, 0.5 - 0.25 * k + 0.125 * (o % 3)});
    return row;
  });
}

}  // namespace

// y[n, d, h, w, c] = sum over i, j, k of A[d, i] B[h, j] C[w, k] x[n, i, j, k, c]
OP_CASES(separable) {
  const auto add = [&](const char* name, const Shape& s, const SeparableMap& m, int64_t terms) {
    cases.push_back({.op = "separable", .name = name, .inputs = {{s}},
                     .run = [=](const Tensors& in) { return apply_recorded("separable", m, in[0]); },
                     .reference =
                         [=](const HostArrays& in) {
                           Shape out = s;
                           for (int k = 0; k < 3; ++k) out[k + 1] = int64_t(m.axis[k].rows.size());
                           return HostArrays{host_array(out, [&](const Index& o) {
                             double sum = 0;
                             for (const Tap& i : m.axis[0].rows[size_t(o[1])])
                               for (const Tap& j : m.axis[1].rows[size_t(o[2])])
                                 for (const Tap& k : m.axis[2].rows[size_t(o[3])])
                                   sum += i.weight * j.weight * k.weight * in[0].at(o[0], i.index, j.index, k.index, o[4]);
                             return sum;
                           })};
                         },
                     .terms = terms, .saved_bytes = 0});
  };
  add("one channel, four taps", {2, 5, 6, 7, 1}, {{axis(5, 7, 4), axis(6, 3, 4), axis(7, 19, 4)}}, 64);
  add("three channels, two taps", {1, 3, 4, 5, 3}, {{axis(3, 5, 2), axis(4, 4, 2), axis(5, 9, 2)}}, 8);
  add("five channels, one to five taps", {2, 3, 4, 6, 5}, {{axis(3, 2, 1), axis(4, 6, 3), axis(6, 4, 5)}}, 15);
  add("one channel, rows without taps", {1, 3, 4, 5, 1}, {{axis(3, 4, 2, true), axis(4, 5, 1, true), axis(5, 8, 3, true)}}, 6);
}
