#pragma once
#include <string>
#include <vector>

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
std::string red_zone_fault();                                   // something wrote past the end of a block of memory
// Runs differ in a bit, of which there is one for each number of threads. On the emulator each has another order of blocks and threads.
std::string repeat_fault(const OpCase&, DType, Device, const std::vector<int>& thread_counts);
std::string needs_fault(const OpCase&, Device);                 // a frozen input changes another gradient or gets one
std::string saved_bytes_fault(const OpCase&, Device);           // the graph keeps more or less than the case states
// Gives forward and backward once to the device, which need not run them: for those who look at launches.
void give_once(const OpCase&, DType, Device);
std::string reject_fault(const OpReject&);                      // accepted, or a message without the words

}  // namespace voxgrad
