#pragma once
#include <cstdint>

#include "core/device/execution.h"
#include "core/view.h"

// What optimizers do to all parameters at once: `count` tensors of one dtype, f32 or f64, in one launch on a GPU.
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

// p and the moments are updated, one pass. v may be null where the momentum is 0, largest without amsgrad.
struct SgdTensor {
  SgdUpdate update;
  int64_t n;
  View p, g, v;
};
void sgd_update(Cpu, const SgdTensor*, int64_t count);
void sgd_update(Cuda, const SgdTensor*, int64_t count);
struct AdamWTensor {
  AdamWUpdate update;
  int64_t n;
  View p, g, mean, square, largest;
};
void adamw_update(Cpu, const AdamWTensor*, int64_t count);
void adamw_update(Cuda, const AdamWTensor*, int64_t count);

// average = keep average + (1 - keep) now.
struct AverageUpdate {
  double keep;
};
struct AverageTensor {
  AverageUpdate update;
  int64_t n;
  View average, now;
};
void average_update(Cuda, const AverageTensor*, int64_t count);

struct FlatView {
  int64_t n;
  View data;
};
// Over all elements of all tensors, in f64 and a fixed order.
double sum_of_squares(Cpu, const FlatView*, int64_t count);
double sum_of_squares(Cuda, const FlatView*, int64_t count);
// The first tensor that holds a NaN or an infinity, or `count`.
int64_t first_not_finite(Cpu, const FlatView*, int64_t count);
int64_t first_not_finite(Cuda, const FlatView*, int64_t count);
void scale_by(Cpu, const FlatView*, int64_t count, double factor);
void scale_by(Cuda, const FlatView*, int64_t count, double factor);
// In a step that is recorded, as work for the device alone: the sum of squares, whether the step is left out, and clipping to max_norm
// where that is above 0. What comes back is for say_found(): the first tensor that is not finite.
int64_t judge_gradients(Cuda, const FlatView*, int64_t count, double max_norm);

}  // namespace voxgrad
