#pragma once
#include <string>

#include "core/gradient_check.h"
#include "tests/op_case.h"

namespace voxgrad {

using detail::worse;

// Relative error of <gradient, direction> against central differences in f64, over random cotangents and directions.
double gradient_error(const OpCase&, uint64_t seed);

// Forward and gradients in dtype t against f64 on the same rounded inputs, each as a fraction of its derived limit: above 1 is a failure.
struct PrecisionErrors {
  double forward = 0, gradient = 0;
};
// product_epsilon: how far operands of products are rounded beyond t, as tf32 does with f32.
PrecisionErrors precision_errors(const OpCase&, DType t, Device, double product_epsilon = 0);

// Each returns what is wrong, or nothing.
std::string reference_fault(const OpCase&);                     // the f64 output on the CPU is not that of the reference, or there is none
std::string run_fault(const OpCase&, DType, Device);            // forward and backward once: not finite
std::string memory_fault(const OpCase&, DType, Device);         // that, with memory poisoned first, or written past the end
std::string repeat_fault(const OpCase&, DType, Device);         // two runs, or 1, 2 and 3 threads, differ in a bit
std::string needs_fault(const OpCase&, Device);                 // a frozen input changes another gradient or gets one
std::string saved_bytes_fault(const OpCase&, Device);           // the graph keeps more or less than the case states
std::string reject_fault(const OpReject&);                      // accepted, or a message without the words

}  // namespace voxgrad
