#pragma once
#include <vector>

namespace voxgrad {

// The odd number of weights nearest to 6 sigma + 0.5, summing to 1.
std::vector<float> gaussian_taps(double sigma);

}  // namespace voxgrad
