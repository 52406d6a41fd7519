#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/dtype.h"

namespace voxgrad {

// Where an output takes its two taps along one axis; a lone tap is there twice, with the weights 1 and 0.
struct LabelTaps {
  int index[2];
  double weight[2];
};

// x u8 {n, in}, y u8 {n, out}.
struct LabelResampling {
  int64_t n, in[3], out[3];
};
// taps[a] {out[a]}, in memory of the host.
void resample_labels(Cpu, const LabelResampling&, const LabelTaps* const (&taps)[3], const uint8_t* x, uint8_t* y);
void resample_labels(Cuda, const LabelResampling&, const LabelTaps* const (&taps)[3], const uint8_t* x, uint8_t* y);

constexpr double kSameShare = 1e-9;  // what rounding makes of equal ones

// Of the eight taps of a voxel of one sample.
VOXGRAD_HD inline uint8_t label_at(const LabelResampling& p, const uint8_t* x, const LabelTaps& d, const LabelTaps& h, const LabelTaps& w) {
  uint8_t label[8];
  bool alike = true;
  for (int k = 0; k < 8; ++k) {
    label[k] = x[(d.index[k >> 2] * p.in[1] + h.index[k >> 1 & 1]) * p.in[2] + w.index[k & 1]];
    alike = alike && label[k] == label[0];
  }
  if (alike) return label[0];
  double weight[8];
  for (int k = 0; k < 8; ++k) weight[k] = d.weight[k >> 2] * h.weight[k >> 1 & 1] * w.weight[k & 1];
  const int nearest = (d.weight[1] >= 0.5 ? 4 : 0) + (h.weight[1] >= 0.5 ? 2 : 0) + (w.weight[1] >= 0.5 ? 1 : 0);
  double share[8], most = 0;
  for (int k = 0; k < 8; ++k) {
    share[k] = 0;
    for (int m = 0; m < 8; ++m) share[k] += label[m] == label[k] ? weight[m] : 0;
    if (share[k] > most) most = share[k];
  }
  if (share[nearest] >= most - kSameShare) return label[nearest];
  uint8_t best = 255;
  for (int k = 0; k < 8; ++k)
    if (share[k] >= most - kSameShare && label[k] < best) best = label[k];
  return best;
}

}  // namespace voxgrad
