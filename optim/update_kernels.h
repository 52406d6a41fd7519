#pragma once
#include <cstdint>

#include "core/execution.h"
#include "core/view.h"

namespace voxgrad {

// Constants of one step; the formulas are in sgd.h and adamw.h.
struct SgdUpdate {
  double learning_rate, momentum, weight_decay;
  bool nesterov;
};
struct AdamWUpdate {
  double learning_rate, beta1, beta2, eps, weight_decay;
  double correction1, correction2;  // 1 - beta^t
};

// p and the moments are updated, one pass. All views of one dtype, f32 or f64. v may be null where the momentum is 0, largest without
// amsgrad.
void sgd_update(Cpu, const SgdUpdate&, int64_t n, View p, View g, View v);
void sgd_update(Cuda, const SgdUpdate&, int64_t n, View p, View g, View v);
struct AdamWViews {
  View p, g, mean, square, largest;
};
void adamw_update(Cpu, const AdamWUpdate&, int64_t n, const AdamWViews&);
void adamw_update(Cuda, const AdamWUpdate&, int64_t n, const AdamWViews&);

// Summed in f64 in a fixed order.
double sum_of_squares(Cpu, int64_t n, View);
double sum_of_squares(Cuda, int64_t n, View);
bool all_finite(Cpu, int64_t n, View);
bool all_finite(Cuda, int64_t n, View);
void scale_by(Cpu, int64_t n, double factor, View);
void scale_by(Cuda, int64_t n, double factor, View);

}  // namespace voxgrad
