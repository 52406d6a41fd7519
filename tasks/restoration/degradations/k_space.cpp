#include "tasks/restoration/degradations/k_space.h"

#include <algorithm>
#include <cmath>

#include "core/autograd.h"
#include "kernels/fft/fft.h"

namespace voxgrad {

Tensor k_space_of(const Tensor& image) {
  const Unrecorded quiet;
  const Tensor x = Tensor::zeros({1, image.dim(0), image.dim(1), image.dim(2), 2 * image.dim(3)});
  const auto from = image.data<float>();
  const auto to = x.mutable_data<float>();
  for (size_t i = 0; i < from.size(); ++i) to[2 * i] = std::max(from[i], 0.f);
  return fft(x, 2);
}

Tensor magnitude_of(const Tensor& k_space) {
  const Unrecorded quiet;
  const Tensor x = ifft(k_space, 2), out = Tensor::empty({x.dim(1), x.dim(2), x.dim(3), x.dim(4) / 2});
  const auto from = x.data<float>();
  const auto to = out.mutable_data<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = std::hypot(from[2 * i], from[2 * i + 1]);
  return out;
}

}  // namespace voxgrad
