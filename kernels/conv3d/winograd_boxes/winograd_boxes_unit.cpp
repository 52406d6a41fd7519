#include <algorithm>
#include <cmath>

#include "core/device/parallel.h"
#include "core/rng.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "kernels/conv3d/winograd_boxes/winograd_boxes.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

Conv3dProblem boxes_problem(int64_t n, Int3 in, int64_t c, int64_t k, int padding) {
  Conv3dProblem p{.n = n, .c = c, .k = k, .in = in, .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .dilation = {1, 1, 1}};
  const int grown = 2 * padding - 2;
  p.padding = {padding, padding, padding};
  p.out = {in.d + grown, in.h + grown, in.w + grown};
  return p;
}

// With these lanes boxes are the lanes in all passes of a problem.
void wants(const Conv3dProblem& p, std::initializer_list<int64_t> all_lanes) {
  for (int64_t lanes : all_lanes) {
    CAPTURE(lanes, p.in, p.c, p.k);
    CHECK(winograd_boxes_plan(forward_gather(p), lanes));
    CHECK(winograd_boxes_plan(gradient_gather(p), lanes));
    CHECK(winograd_boxes_plan(forward_gather(p), lanes, ConvPass::weight_gradient));
  }
}

// A plan that no cost has chosen.
WinogradBoxesPlan plan(const Conv3dProblem& p, std::array<int64_t, 3> lanes, std::array<int64_t, 3> box, int depth = 4) {
  WinogradBoxesPlan plan{.tile = {depth, 4, 4}};
  const Int3 m = plan.tile.outputs();
  for (size_t a = 0; a < 3; ++a) {
    plan.tiles[a] = (p.out[int(a)] + m[int(a)] - 1) / m[int(a)];
    plan.lanes[a] = lanes[a];
    plan.box[a] = box[a];
    plan.count[a] = (plan.tiles[a] + lanes[a] * box[a] - 1) / (lanes[a] * box[a]);
  }
  return plan;
}

template <class A>
Tensor random(const Shape& shape, Rng& rng) {
  const Tensor t = Tensor::empty(shape, dtype_of<A>);
  for (A& v : t.mutable_data<A>()) v = A(rng.uniform(-1, 1));
  return t;
}

// The largest error of a sum over taps, relative to the largest sum.
template <class A>
struct Errors {
  double forward = 0, weight = 0;
};
template <class A>
Errors<A> errors(const Conv3dProblem& p, const WinogradBoxesPlan& plan) {
  Rng rng(3);
  const Tensor x = random<A>({p.n, p.in.d, p.in.h, p.in.w, p.c}, rng), w = random<A>({p.k, 3, 3, 3, p.c}, rng);
  const Tensor bias = random<A>({p.k}, rng), gy = random<A>({p.n, p.out.d, p.out.h, p.out.w, p.k}, rng);
  const Tensor y = Tensor::empty(gy.shape(), dtype_of<A>), gw = Tensor::empty(w.shape(), dtype_of<A>);
  const ConvGather g = forward_gather(p);
  winograd_boxes_gather<A>(g, plan, ConvInput(x.view(), p.c), {w.view(), bias.view()}, y.view());
  winograd_boxes_weight_gradient<A>(g, plan, ConvInput(x.view(), p.c), gy.view(), gw.view());

  std::vector<double> sums(y.data<A>().size()), gradient(gw.data<A>().size());
  const int64_t k_count = p.k, c_count = p.c;
  for (int64_t v = 0; v < p.n * p.out.d * p.out.h * p.out.w; ++v) {
    for (int64_t k = 0; k < k_count; ++k) sums[size_t(v * k_count + k)] = double(bias.data<A>()[size_t(k)]);
    for (int64_t tap = 0; tap < 27; ++tap) {
      const int64_t d = v / p.out.w / p.out.h % p.out.d + tap / 9 - p.padding.d, h = v / p.out.w % p.out.h + tap / 3 % 3 - p.padding.h,
                    e = v % p.out.w + tap % 3 - p.padding.w, n = v / p.out.w / p.out.h / p.out.d;
      if (d < 0 || h < 0 || e < 0 || d >= p.in.d || h >= p.in.h || e >= p.in.w) continue;
      const A* from = x.data<A>().data() + (((n * p.in.d + d) * p.in.h + h) * p.in.w + e) * c_count;
      for (int64_t k = 0; k < k_count; ++k)
        for (int64_t c = 0; c < c_count; ++c) {
          const size_t at = size_t((k * 27 + tap) * c_count + c);
          sums[size_t(v * k_count + k)] += double(from[c]) * double(w.data<A>()[at]);
          gradient[at] += double(from[c]) * double(gy.data<A>()[size_t(v * k_count + k)]);
        }
    }
  }
  const auto error = [](std::span<const A> got, const std::vector<double>& wanted) {
    double worst = 0, largest = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const double difference = std::abs(double(got[i]) - wanted[i]);
      worst = difference <= worst ? worst : difference;
      largest = std::max(largest, std::abs(wanted[i]));
    }
    return worst / largest;
  };
  return {error(y.data<A>(), sums), error(gw.data<A>(), gradient)};
}

}  // namespace

TEST_CASE("the op cases of boxes as lanes are computed so") {
  wants(boxes_problem(1, {7, 15, 30}, 9, 9, 1), {16, 8});
  wants(boxes_problem(1, {10, 18, 34}, 9, 10, 0), {16});
  wants(boxes_problem(1, {7, 15, 30}, 17, 9, 1), {16, 8});
  wants(boxes_problem(1, {4, 16, 32}, 12, 17, 1), {16});
  wants(boxes_problem(2, {14, 14, 14}, 8, 8, 2), {16});
  wants(boxes_problem(2, {7, 15, 31}, 3, 5, 1), {16});
}

TEST_CASE("boxes are lanes for few channels of 3x3x3 kernels in volumes of many tiles") {
  const auto none = [](const Conv3dProblem& p) {
    CHECK_FALSE(winograd_boxes_plan(forward_gather(p), 16));
    CHECK_FALSE(winograd_boxes_plan(gradient_gather(p), 16));
    CHECK_FALSE(winograd_boxes_plan(forward_gather(p), 16, ConvPass::weight_gradient));
  };
  for (int64_t channels : {8, 9, 12, 17, 20, 24}) {
    wants(boxes_problem(1, {32, 32, 32}, channels, channels, 1), {16});
    wants(boxes_problem(1, {40, 56, 40}, channels, channels, 1), {16});
  }
  none(boxes_problem(1, {4, 4, 4}, 8, 8, 1));
  none(boxes_problem(1, {1, 64, 64}, 8, 8, 1));
  none(boxes_problem(1, {32, 32, 32}, 16, 16, 1));
  none(boxes_problem(1, {32, 32, 32}, 64, 64, 1));
  Conv3dProblem strided = boxes_problem(1, {32, 32, 32}, 8, 8, 1);
  strided.stride = {1, 2, 1};
  strided.out.h = 16;
  none(strided);
}

TEST_CASE("every way to cut a volume into boxes gives the same convolution", "[long]") {
  const Conv3dProblem p = boxes_problem(2, {5, 11, 18}, 5, 7, 1);
  const auto check = [&]<class A>(double limit) {
    const int64_t lanes = conv_isa<A>().lanes;
    for (int64_t d = 1; d <= lanes; d *= 2)
      for (int64_t h = 1; d * h <= lanes; h *= 2)
        for (const std::array<int64_t, 3> box : {std::array<int64_t, 3>{1, 1, 1}, {2, 1, 2}, {1, 2, 3}}) {
          for (int depth : {2, 4}) {
            CAPTURE(sizeof(A), d, h, box[0], box[1], box[2], depth);
            const Errors<A> e = errors<A>(p, plan(p, {d, h, lanes / d / h}, box, depth));
            CHECK(e.forward < limit);
            CHECK(e.weight < limit);
          }
        }
  };
  check.operator()<float>(5e-6);
  check.operator()<double>(1e-14);
}

TEST_CASE("convolutions with boxes as lanes are as exact for any channels as those of many") {
  for (const auto& [c, k] : {std::pair<int64_t, int64_t>{1, 1}, {1, 13}, {8, 8}, {9, 4}, {12, 25}, {17, 3}, {33, 17}}) {
    const Conv3dProblem p = boxes_problem(1, {6, 9, 17}, c, k, 0);
    CAPTURE(c, k);
    const int64_t lanes = conv_isa<float>().lanes;
    const Errors<float> e = errors<float>(p, plan(p, {1, 2, lanes / 2}, {1, 1, 2}));
    CHECK(e.forward < 5e-6);
    CHECK(e.weight < 5e-6);
  }
}

TEST_CASE("convolutions with boxes as lanes do not depend on the number of threads") {
  const Conv3dProblem p = boxes_problem(1, {12, 24, 40}, 9, 10, 1);
  const ConvGather g = forward_gather(p);
  const auto cut = plan(p, {1, 1, conv_isa<float>().lanes}, {1, 1, 2});
  REQUIRE(cut.blocks() > 3);
  Rng rng(4);
  const Tensor x = random<float>({1, 12, 24, 40, 9}, rng), w = random<float>({10, 3, 3, 3, 9}, rng),
               gy = random<float>({1, 12, 24, 40, 10}, rng);
  const int before = threads();
  std::vector<std::vector<double>> results;
  for (int count : {1, 2, 3}) {
    set_threads(count);
    const Tensor y = Tensor::empty(gy.shape()), gw = Tensor::empty(w.shape());
    winograd_boxes_gather<float>(g, cut, ConvInput(x.view(), 9), {w.view(), {}}, y.view());
    winograd_boxes_weight_gradient<float>(g, cut, ConvInput(x.view(), 9), gy.view(), gw.view());
    results.push_back(y.values());
    results.push_back(gw.values());
  }
  set_threads(before);
  for (size_t i = 2; i < results.size(); ++i) CHECK(results[i] == results[i % 2]);
}

TEST_CASE("the blocks of boxes of a plan cover the volume") {
  for (const Int3 in : {Int3{6, 14, 70}, Int3{64, 64, 64}, Int3{5, 200, 60}}) {
    const auto p = winograd_boxes_plan(forward_gather(boxes_problem(2, in, 9, 9, 1)), 16);
    REQUIRE(p);
    CHECK(p->all_lanes() == 16);
    int64_t boxes = 0;
    for (int64_t i = 0; i < p->blocks(); ++i) {
      const WinogradBoxesBlock b(*p, i);
      boxes += b.size[0] * b.size[1] * b.size[2];
      for (int a = 0; a < 3; ++a) {
        CHECK(b.size[a] >= 1);
        CHECK(b.size[a] <= p->box[a]);
        if (b.first[a] + p->lanes[a] * p->box[a] >= p->tiles[a]) CHECK(b.first[a] + p->lanes[a] * b.size[a] >= p->tiles[a]);
      }
    }
    CHECK(boxes * 16 >= p->tiles[0] * p->tiles[1] * p->tiles[2]);
  }
}
