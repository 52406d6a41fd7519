#pragma once
#include <functional>
#include <optional>
#include <string>

#include "core/memory/memory.h"
#include "core/shape.h"

namespace voxgrad {

// What a network is given at once.
struct Workload {
  int64_t batch;
  Int3 patch;
  double voxels() const { return double(batch) * patch.d * patch.h * patch.w; }
};

// The largest workload that fits into the memory that is free now: fewer samples of the patch asked for or, where not even one fits, one
// sample of a smaller patch of about that shape, whose extents are multiples of `divisor`. `attempt` does the work once. The peak use per
// voxel is measured with a small patch, and what is returned has been tried. Empty where nothing fits, or nobody knows what is free.
std::optional<Workload> largest_fitting(Device, const Workload& asked, Int3 divisor, const std::function<void(const Workload&)>& attempt);
// Throws Error: `what` went wrong with the workload, and which one would fit, by the options that set it.
[[noreturn]] void fail_with_what_fits(const std::string& what, const char* options, Device, const Workload& asked, Int3 divisor,
                                      const std::function<void(const Workload&)>& attempt);

}  // namespace voxgrad
