#pragma once
#include "kernels/conv3d/conv3d_tile.h"

namespace voxgrad {

// Where a convolution stores its outputs, and what becomes of them while they are in the caches: ConvOutput without the bias.
class ConvStore {
 public:
  ConvStore(View outputs) : y(outputs) {}
  ConvStore(const ConvOutput& out, const ConvGather& g) : y(out.y), out_(out), channels_(g.out_channels), ends_(out.ends()) {}

  const View y;
  bool ends() const { return ends_; }
  // What is still to be done to the channels [first, first + count) of `voxels` voxels that lie `step` voxels apart.
  template <class A>
  void finish(const ConvIsa<A>& isa, int64_t voxel, int64_t step, int64_t voxels, int64_t first, int64_t count) const {
    if (ends_) isa.end_rows(end<A>(voxel, step, voxels, first, count));
  }
  template <class A>
  ConvEnd<A> end(int64_t voxel, int64_t step, int64_t voxels, int64_t first, int64_t count) const {
    const int64_t at = voxel * channels_ + first;
    ConvEnd<A> end{.dtype = y.dtype, .y = element(y, at), .step = step * channels_, .rows = voxels, .n = count, .slope = A(out_.slope)};
    if (out_.residual) end.residual = element(out_.residual, at);
    if (out_.coefficients) {
      end.mean = out_.coefficients.as<A>() + first;
      end.factor = end.mean + channels_;
      end.offset = end.factor + channels_;
    }
    return end;
  }

 private:
  ConvOutput out_;
  int64_t channels_ = 0;
  bool ends_ = false;
};

}  // namespace voxgrad
