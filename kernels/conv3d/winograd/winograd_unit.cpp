#include <cstring>

#include "core/autograd.h"
#include "core/rng.h"
#include "kernels/binary/binary.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "kernels/conv3d/winograd/winograd_plan.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

Conv3dProblem problem(int64_t n, Int3 in, int64_t c, int64_t k, int padding) {
  Conv3dProblem p{.n = n, .c = c, .k = k, .in = in, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
  const int grown = 2 * padding - 2;
  p.padding = {padding, padding, padding};
  p.out = {in.d + grown, in.h + grown, in.w + grown};
  return p;
}

void wants(const Conv3dProblem& p, const Int3& outputs) {
  for (int64_t lanes : {16, 8, 4}) {
    const auto tile = winograd_tile(forward_gather(p), lanes);
    CAPTURE(lanes);
    REQUIRE(tile);
    CHECK(tile->outputs() == outputs);
  }
}

}  // namespace

TEST_CASE("the op cases of Winograd's algorithm are computed by it") {
  wants(problem(1, {5, 9, 10}, 20, 24, 1), {2, 4, 4});
  wants(problem(1, {10, 10, 18}, 16, 32, 0), {4, 4, 4});
  wants(problem(1, {4, 8, 8}, 80, 96, 1), {2, 4, 4});
  wants(problem(1, {7, 11, 14}, 20, 24, 1), {4, 4, 4});
  wants(problem(1, {16, 3, 2}, 20, 33, 2), {2, 2, 4});
  wants(problem(2, {6, 6, 8}, 16, 16, 1), {2, 2, 4});
  wants(problem(1, {6, 6, 6}, 16, 16, 1), {2, 2, 2});
  wants(problem(1, {8, 8, 12}, 12, 14, 1), {4, 4, 4});
}

TEST_CASE("four outputs along D are for sums of few inputs, and for weight gradients") {
  for (const auto& [c, k] : {std::pair<int64_t, int64_t>{64, 64}, {64, 128}, {128, 64}, {128, 128}}) {
    const Conv3dProblem p = problem(1, {32, 32, 32}, c, k, 1);
    CAPTURE(c, k);
    CHECK(winograd_tile(forward_gather(p), 16)->d == (c > 64 ? 2 : 4));
    CHECK(winograd_tile(gradient_gather(p), 16)->d == (k > 64 ? 2 : 4));
    CHECK(winograd_tile(forward_gather(p), 16, ConvPass::weight_gradient)->d == 4);
  }
}

TEST_CASE("large weights that meet few tiles are streamed") {
  for (const Conv3dProblem& p : {problem(1, {5, 6, 7}, 192, 192, 1), problem(1, {8, 8, 8}, 256, 256, 1)}) {
    const ConvGather g = forward_gather(p);
    const auto tile = winograd_tile(g, 16);
    REQUIRE(tile);
    CHECK(winograd_streams(g, *tile, 16));
  }
  CHECK_FALSE(winograd_streams(forward_gather(problem(1, {32, 32, 32}, 256, 256, 1)), {2, 4, 4}, 16));
  CHECK_FALSE(winograd_streams(forward_gather(problem(1, {8, 8, 8}, 64, 64, 1)), {4, 4, 4}, 16));
}

TEST_CASE("Winograd's algorithm is for dense 3x3x3 kernels with stride and dilation 1 and enough channels") {
  Conv3dProblem p = problem(1, {32, 32, 32}, 32, 32, 1);
  CHECK(winograd_tile(forward_gather(p), 16));
  CHECK(winograd_tile(gradient_gather(p), 16));
  Conv3dProblem few = p;
  few.c = 3;
  CHECK_FALSE(winograd_tile(forward_gather(few), 16));
  Conv3dProblem strided = p;
  strided.stride = {1, 2, 1};
  strided.out.h = 16;
  CHECK_FALSE(winograd_tile(forward_gather(strided), 16));
  CHECK_FALSE(winograd_tile(gradient_gather(strided), 16));
  Conv3dProblem dilated = p;
  dilated.dilation = {1, 1, 2};
  dilated.out.w = 30;
  CHECK_FALSE(winograd_tile(forward_gather(dilated), 16));
  Conv3dProblem flat = p;
  flat.kernel = {1, 3, 3};
  flat.out.d = 34;
  CHECK_FALSE(winograd_tile(forward_gather(flat), 16));
  Conv3dProblem grouped = p;
  grouped.groups = 2;
  CHECK_FALSE(winograd_tile(forward_gather(grouped), 16));
}

TEST_CASE("transformed weights are kept within an Inference scope, and not beyond it") {
  Rng rng(1);
  const Tensor x = Tensor::empty({1, 8, 8, 8, 32}), w = Tensor::empty({32, 3, 3, 3, 32});
  for (const Tensor& t : {x, w})
    for (float& v : t.mutable_data<float>()) v = float(rng.uniform(-1, 1));
  const Conv3dOptions same{.padding = {1, 1, 1}};
  const std::vector<double> wanted = conv3d(x, w, {}, same).values();
  {
    const Inference scope;
    CHECK(conv3d(x, w, {}, same).values() == wanted);
    CHECK(conv3d(x, w, {}, same).values() == wanted);
    REQUIRE(kept_weight(problem(1, {8, 8, 8}, 32, 32, 1), DType::f32, w));
    CHECK(*kept_weight(problem(1, {8, 8, 8}, 32, 32, 1), DType::f32, w));
    CHECK_FALSE(*kept_weight(problem(1, {8, 8, 8}, 32, 32, 0), DType::f32, w));
    const Tensor half = w.rows(0, 16);
    CHECK(conv3d(x, half, {}, same).shape() == Shape{1, 8, 8, 8, 16});
  }
  CHECK_FALSE(Inference::kept(w, {}));
  for (float& v : w.mutable_data<float>()) v = -v;
  std::vector<double> negated = wanted;
  for (double& v : negated) v = -v;
  const Inference scope;
  CHECK(conv3d(x, w, {}, same).values() == negated);
}

TEST_CASE("packed weights are kept within an Inference scope: of direct convolutions with few and many tiles") {
  Rng rng(2);
  for (const int extent : {2, 12}) {
    const Tensor x = Tensor::empty({1, extent, extent, extent, 32}), w = Tensor::empty({48, 1, 1, 1, 32});
    for (const Tensor& t : {x, w})
      for (float& v : t.mutable_data<float>()) v = float(rng.uniform(-1, 1));
    const Tensor other = add(w, w);
    const std::vector<double> wanted = conv3d(x, w).values(), doubled = conv3d(x, other).values();
    {
      const Inference scope;
      CHECK(conv3d(x, w).values() == wanted);
      Conv3dProblem p = problem(1, {extent, extent, extent}, 32, 48, 0);
      p.kernel = {1, 1, 1};
      REQUIRE(kept_weight(p, DType::f32, w));
      CHECK(*kept_weight(p, DType::f32, w));
      CHECK(conv3d(x, w).values() == wanted);
      CHECK(conv3d(x, other).values() == doubled);
    }
    for (float& v : w.mutable_data<float>()) v *= 2;
    const Inference scope;
    CHECK(conv3d(x, w).values() == doubled);
  }
}

TEST_CASE("the blocks of a Winograd plan cover the volume") {
  for (const Int3 in : {Int3{5, 9, 70}, Int3{64, 64, 64}, Int3{3, 200, 4}}) {
    const ConvGather g = forward_gather(problem(2, in, 32, 32, 1));
    const WinogradPlan p = winograd_plan(g, {4, 4, 4}, 24 << 10, 8);
    const Int3 m = p.tile.outputs();
    CHECK(p.tiles_of_block() <= 64);
    for (int a = 0; a < 3; ++a) {
      CHECK(p.tiles[a] * m[a] >= in[a]);
      CHECK(p.block[a] * p.count[a] >= p.tiles[a]);
      CHECK(p.block[a] * (p.count[a] - 1) < p.tiles[a]);
    }
  }
}

TEST_CASE("outputs that go past the caches are those of smaller ones", "[long]") {
  Rng rng(2);
  const Tensor x = Tensor::empty({1, 50, 64, 64, 32});  // 25 MiB of outputs, of which the first half is as that of a volume of its own
  for (float& v : x.mutable_data<float>()) v = float(rng.uniform(-1, 1));
  const auto same = [&](Int3 kernel, int padding) {
    const Tensor w = Tensor::empty({32, kernel.d, kernel.h, kernel.w, 32});
    for (float& v : w.mutable_data<float>()) v = float(rng.uniform(-1, 1));
    const auto convolved = [&](int64_t depth) {
      const Tensor part = x.reshape({50, 64, 64, 32}).rows(0, depth).reshape({1, depth, 64, 64, 32});
      return conv3d(part, w, {}, {.padding = {padding, padding, padding}});
    };
    const Tensor large = convolved(50), small = convolved(26);
    Conv3dProblem p = problem(1, {50, 64, 64}, 32, 32, 1);
    REQUIRE(goes_past_caches(forward_gather(p), large.view(), 16));
    p.out.d = 26;
    REQUIRE_FALSE(goes_past_caches(forward_gather(p), small.view(), 16));
    const size_t bytes = size_t(24) * 64 * 64 * 32 * sizeof(float);
    CHECK(std::memcmp(large.view().data, small.view().data, bytes) == 0);
  };
  same({3, 3, 3}, 1);
  same({1, 1, 1}, 0);
}
