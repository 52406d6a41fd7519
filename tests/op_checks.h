#pragma once
#include <string>
#include <vector>

#include "core/gradient_check.h"
#include "tests/op_case.h"

namespace voxgrad {

using detail::worse;

// Relative error of <gradient, direction> against central differences in f64, over random cotangents and directions.
double gradient_error(const OpCase&, uint64_t seed);

// Output and gradients of one run; those that were not wanted are absent.
struct OpRun {
  Tensor y;
  Tensors grads;
};
// Forward and every gradient in dtype t, of inputs and a cotangent that are the same for all who ask.
OpRun run_once(const OpCase&, DType t, Device);
// What `got`, of run_once in dtype t, rounds: the same in f64 on the CPU.
OpRun run_exactly(const OpCase&, DType t, const OpRun& got);

// The run against the exact one, forward and gradients, each as a fraction of its derived limit: above 1 is a failure.
struct PrecisionErrors {
  double forward = 0, gradient = 0;
};
// product_epsilon: how far operands of products are rounded beyond t, as tf32 does with f32.
PrecisionErrors precision_errors(const OpCase&, DType t, const OpRun& got, const OpRun& exact, double product_epsilon = 0);

// Each returns what is wrong, or nothing.
std::string reference_fault(const OpCase&);                     // the f64 output on the CPU is not that of the reference, or there is none
std::string run_fault(const OpCase&, DType, Device);            // forward and backward once: not finite
std::string red_zone_fault();                                   // something wrote past the end of a block of memory
// A run differs from the first in a bit; there is one for each number of threads. On the emulator each has another order of blocks and
// threads.
std::string repeat_fault(const OpCase&, DType, Device, const OpRun& first, const std::vector<int>& thread_counts);
// A frozen input changes another gradient or gets one. `all`: of run_once in f32, where there was one.
std::string needs_fault(const OpCase&, Device, const OpRun& all = {});
std::string saved_bytes_fault(const OpCase&, Device);           // the graph keeps more or less than the case states
// Gives forward and backward once to the device, which need not run them: for those who look at launches.
void give_once(const OpCase&, DType, Device);
std::string reject_fault(const OpReject&);                      // accepted, or a message without the words

}  // namespace voxgrad
