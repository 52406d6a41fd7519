#include "core/autograd.h"
#include "core/graph.h"
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
        // A scale that is not trained leaves it one op, which has the bits of the composition.
        const auto step = [&](bool trained_scale) {
          std::vector<Tensor> in;
          for (const Tensor& t : {x, w, shift, skip}) in.push_back(t ? t.detach().require_grad() : t);
          Tensor factor = scale.detach();
          factor.require_grad(trained_scale);
          const Tensor y = conv3d_batch_norm_act(in[0], in[1], {}, factor, in[2], {mean, variance}, in[3], o);
          CHECK((describe_graph(y).find("conv3d_batch_norm_act(") != std::string::npos) == !trained_scale);
          std::vector<std::vector<double>> out = {y.values()};
          backward(y, noise(y.shape(), 3).to(t));
          for (const Tensor& of : in)
            if (of) out.push_back(of.grad().values());
          return out;
        };
        const auto composed = step(true);
        CHECK(ended.values() == composed[0]);
        CHECK(step(false) == composed);
      }
}
