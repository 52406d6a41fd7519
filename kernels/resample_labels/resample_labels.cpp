#include "kernels/resample_labels/resample_labels.h"

#include "core/autograd.h"
#include "core/device/parallel.h"
#include "kernels/resample_labels/resample_labels_kernels.h"

namespace voxgrad {
namespace {

std::vector<LabelTaps> taps_of(const AxisMatrix& m) {
  std::vector<LabelTaps> out;
  for (auto& row : m.rows) {
    check(row.size() == 1 || row.size() == 2, "resample_labels: ", row.size(), " taps of one axis, 1 or 2 are possible");
    for (const Tap& t : row) check(t.index >= 0 && t.index < m.inputs, "resample_labels: the tap ", t.index, " of ", m.inputs);
    if (row.size() == 1) out.push_back({{row[0].index, row[0].index}, {row[0].weight, 0}});
    else out.push_back({{row[0].index, row[1].index}, {row[0].weight, row[1].weight}});
  }
  return out;
}

}  // namespace

void resample_labels(Cpu, const LabelResampling& p, const LabelTaps* const (&taps)[3], const uint8_t* x, uint8_t* y) {
  parallel_for(p.n * p.out[0] * p.out[1], std::max<int64_t>(1, (1 << 13) / p.out[2]), [&](int64_t row) {
    const int64_t h = row % p.out[1], d = row / p.out[1] % p.out[0], n = row / (p.out[0] * p.out[1]);
    const uint8_t* const from = x + n * p.in[0] * p.in[1] * p.in[2];
    uint8_t* const to = y + row * p.out[2];
    for (int64_t w = 0; w < p.out[2]; ++w) to[w] = label_at(p, from, taps[0][d], taps[1][h], taps[2][w]);
  });
}

Tensor resample_labels(const Tensor& x, const SeparableMap& map) {
  check(x && x.dtype() == DType::u8 && x.shape().rank == 4 && x.count() > 0, "resample_labels: labels u8 {N, D, H, W} are wanted, not ", x);
  LabelResampling p{.n = x.dim(0), .in = {}, .out = {}};
  Shape s = x.shape();
  std::vector<LabelTaps> taps[3];
  for (int a = 0; a < 3; ++a) {
    check(map.axis[a].inputs == x.dim(a + 1), "resample_labels: a map of ", map.axis[a].inputs, " voxels of axis ", a, " for ", x);
    check(!map.axis[a].rows.empty(), "resample_labels: a map to no voxel of axis ", a);
    taps[a] = taps_of(map.axis[a]);
    p.in[a] = x.dim(a + 1);
    p.out[a] = s[a + 1] = int64_t(taps[a].size());
  }
  const Tensor y = Tensor::empty(s, DType::u8, x.device());
  const LabelTaps* const tables[3] = {taps[0].data(), taps[1].data(), taps[2].data()};
  on_device(x.device(), [&](auto on) { resample_labels(on, p, tables, x.view().as<const uint8_t>(), y.view().as<uint8_t>()); });
  return y;
}

}  // namespace voxgrad
