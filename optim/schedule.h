#pragma once
#include <cstdint>

namespace voxgrad {

// Learning rates at `step` of `total`. Beyond the end: the value at the end.
struct Schedule {
  double base = 0.01;
  int64_t total = 1;
};

// base (1 - step / total)^power. nnU-Net: power 0.9.
double poly_lr(const Schedule&, double step, double power = 0.9);
// last + (base - last) (1 + cos(pi step / total)) / 2. Loshchilov and Hutter 2017.
double cosine_lr(const Schedule&, double step, double last = 0);
// Factor for the first `length` steps: (step + 1) / length, then 1.
double warm_up(double step, int64_t length);

}  // namespace voxgrad
