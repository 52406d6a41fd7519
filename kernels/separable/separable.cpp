#include "kernels/separable/separable.h"

#include <cstring>

#include "core/autograd.h"
#include "kernels/copy/copy_kernels.h"
#include "kernels/separable/separable_kernels.h"

namespace voxgrad {
namespace {

Tensor indices(const std::vector<int>& values, Device d) {
  Tensor t = Tensor::empty({int64_t(values.size())}, DType::i32);
  if (!values.empty()) std::memcpy(t.view().data, values.data(), t.bytes());
  return t.to(d);
}

struct TapTensors {
  Tensor begin, index, weight;
};
TapTensors tensors_of(const AxisMatrix& m, DType t, Device d) {
  std::vector<int> begin = {0}, index;
  std::vector<double> weight;
  for (const auto& row : m.rows) {
    for (const Tap& tap : row) index.push_back(tap.index), weight.push_back(tap.weight);
    begin.push_back(int(index.size()));
  }
  return {indices(begin, d), indices(index, d), Tensor::from(weight, {int64_t(weight.size())}, t).to(d)};
}

}  // namespace

AxisMatrix transposed(const AxisMatrix& m) {
  AxisMatrix t{.inputs = int(m.rows.size())};
  t.rows.resize(size_t(m.inputs));
  for (int o = 0; o < t.inputs; ++o)
    for (const Tap& tap : m.rows[size_t(o)]) t.rows[size_t(tap.index)].push_back({o, tap.weight});
  return t;
}

SeparableMap transposed(const SeparableMap& m) { return {{transposed(m.axis[0]), transposed(m.axis[1]), transposed(m.axis[2])}}; }

AxisMatrix axis_gather(int inputs, const std::vector<int>& map) {
  return axis_matrix(inputs, int(map.size()), [&](int o) { return std::vector<Tap>{{map[size_t(o)], 1}}; });
}

Tensor apply(const SeparableMap& m, const Tensor& x) {
  Shape s = x.shape();
  SeparableSum p{.n = s[0], .c = s[4]};
  TapTensors tensors[3];
  AxisTaps taps[3];
  for (int k = 0; k < 3; ++k) {
    p.in[k] = s[k + 1];
    p.out[k] = s[k + 1] = int64_t(m.axis[k].rows.size());
    tensors[k] = tensors_of(m.axis[k], accum_of(x.dtype()), x.device());
    taps[k] = {tensors[k].begin.view(), tensors[k].index.view(), tensors[k].weight.view()};
  }
  Tensor y = Tensor::empty(s, x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { separable_sum(on, p, taps, x.view(), y.view()); });
  return y;
}

Tensor apply_to_volume(const SeparableMap& m, const Tensor& x) {
  const Tensor y = apply(m, x.reshape({1, x.dim(0), x.dim(1), x.dim(2), x.dim(3)}));
  return y.reshape({y.dim(1), y.dim(2), y.dim(3), y.dim(4)});
}

Tensor apply_recorded(const Op& op, SeparableMap m, const Tensor& x) {
  const Tensor y = apply(m, x);
  return record(op, {x}, y, [m = std::move(m)](const Tensor& gy, Needs) { return Grads{apply(transposed(m), gy)}; });
}

Tensor gather_recorded(const Op& op, const Tensor& x, const std::vector<int> (&map)[3]) {
  Shape s = x.shape();
  MappedCopy p{.n = s[0], .c = s[4]};
  Tensor maps[3];
  SeparableMap matrices;
  for (int k = 0; k < 3; ++k) {
    matrices.axis[k] = axis_gather(int(s[k + 1]), map[k]);
    p.in[k] = s[k + 1];
    p.out[k] = s[k + 1] = int64_t(map[k].size());
    maps[k] = indices(map[k], x.device());
  }
  Tensor y = Tensor::empty(s, x.dtype(), x.device());
  on_device(x.device(), [&](auto on) { mapped_copy(on, p, maps[0].view(), maps[1].view(), maps[2].view(), x.view(), y.view()); });
  return record(op, {x}, y, [m = std::move(matrices)](const Tensor& gy, Needs) { return Grads{apply(transposed(m), gy)}; });
}

}  // namespace voxgrad
