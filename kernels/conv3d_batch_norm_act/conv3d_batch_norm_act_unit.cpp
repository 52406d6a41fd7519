#include "core/autograd.h"
#include "kernels/conv3d_batch_norm_act/conv3d_batch_norm_act.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

TEST_CASE("convolutions that end with a norm have the bits and the gradients of the composition") {
  struct Use {
    Shape x;
    int64_t k;
    int kernel, stride;
  };
  uint64_t seed = 5;
  const auto random = [&](const Shape& s, double low, double high) {
    return noise(s, ++seed) * ((high - low) / 2) + (high + low) / 2;
  };
  for (const Use& u : {Use{{2, 8, 8, 8, 32}, 32, 3, 1}, Use{{1, 8, 10, 12, 32}, 48, 3, 2}, Use{{2, 4, 4, 9, 32}, 64, 1, 1},
                       Use{{1, 3, 4, 5, 7}, 9, 3, 1}, Use{{1, 12, 12, 20, 1}, 32, 7, 2}, Use{{1, 4, 4, 4, 300}, 64, 3, 1}})
    for (const DType t : {DType::f32, DType::bf16, DType::f16})
      for (const bool skipped : {false, true}) {
        const int half = u.kernel / 2;
        const ConvBatchNormOptions o = {.conv = {.stride = {u.stride, u.stride, u.stride}, .padding = {half, half, half}}, .slope = 0};
        const Tensor x = random(u.x, -1, 1).to(t), w = random({u.k, u.kernel, u.kernel, u.kernel, u.x[4]}, -1, 1);
        const Tensor scale = random({u.k}, 0.5, 1.5), shift = random({u.k}, -1, 1), mean = random({u.k}, -1, 1);
        const Tensor variance = random({u.k}, 0.5, 2);
        Shape extents = u.x.with(4, u.k);
        for (int a = 1; a < 4; ++a) extents = extents.with(a, (u.x[a] - 1) / u.stride + 1);
        const Tensor skip = skipped ? random(extents, -1, 1).to(t) : Tensor{};
        const Tensor ended = conv3d_batch_norm_act(x, w, {}, scale, shift, {mean, variance}, skip, o);
        CAPTURE(u.x, u.k, name_of(t), skipped);
        REQUIRE(!Graph::node(ended));
        const Tensor wanted = w.detach().require_grad();
        const Tensor composed = conv3d_batch_norm_act(x, wanted, {}, scale, shift, {mean, variance}, skip, o);
        CHECK(Graph::node(composed));
        CHECK(ended.values() == composed.values());
      }
}
