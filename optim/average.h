#pragma once
#include <vector>

#include "core/fields.h"

namespace voxgrad {

// into = d into + (1 - d) from for each pair of tensors, d = min(decay, (1 + step) / (10 + step)), so that early weights are soon
// forgotten; step counts averages from 1 where `into` starts as `from`. The exponential moving average of weights of Tarvainen and Valpola
// 2017 (mean teacher), with the start of TensorFlow's ExponentialMovingAverage. Both lists name the same tensors in the same order.
void move_average(const std::vector<Parameter>& into, const std::vector<Parameter>& from, double decay, int64_t step);

}  // namespace voxgrad
