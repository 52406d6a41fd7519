#pragma once

namespace voxgrad {

// From low to high, both included.
struct Range {
  double low, high;
};

}  // namespace voxgrad
