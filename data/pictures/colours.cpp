#include "data/pictures/colours.h"

namespace voxgrad {

Tensor with_colours(const Tensor& picture, int64_t channels) {
  const int64_t held = picture.dim(-1);
  if (picture.shape().rank != 4 || picture.dim(0) != 1 || held < 1 || held > 4 || held == channels || (channels != 1 && channels != 3))
    return picture;
  const Tensor out = Tensor::empty(picture.shape().with(3, channels));
  const auto from = picture.data<float>();
  const auto to = out.mutable_data<float>();
  const bool grey = held < 3;
  for (size_t i = 0, pixels = to.size() / size_t(channels); i < pixels; ++i) {
    const float* p = from.data() + i * size_t(held);
    float* q = to.data() + i * size_t(channels);
    if (channels == 1) q[0] = grey ? p[0] : float(0.299 * double(p[0]) + 0.587 * double(p[1]) + 0.114 * double(p[2]));
    else for (size_t k = 0; k < 3; ++k) q[k] = grey ? p[0] : p[k];
  }
  return out;
}

}  // namespace voxgrad
