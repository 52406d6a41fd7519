// What depthwise convolutions move, counted in the emulator: they are to be bound by the bytes that there are.
#include "core/cuda/launch_log.h"
#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/counts.h"
#include "tests/emulator/device.h"

using namespace voxgrad;

namespace {

enum class Pass { forward, input_gradient, weight_gradient };

Conv3dProblem depthwise_problem(Int3 volume, int64_t channels, Int3 kernel, Int3 stride = {1, 1, 1}) {
  Conv3dProblem p{.n = 1, .c = channels, .k = channels, .groups = int(channels), .in = volume, .out = volume, .kernel = kernel,
                  .stride = stride, .padding = {kernel.d / 2, kernel.h / 2, kernel.w / 2}, .dilation = {1, 1, 1}};
  for (int a = 0; a < 3; ++a) p.out[a] = (volume[a] - 1) / stride[a] + 1;
  return p;
}

struct Counted {
  emulator::KernelCounts counts;
  double least;  // bytes of both activations
};
Counted run(const Conv3dProblem& p, Pass pass, DType t) {
  const auto on_card = [](const Shape& s, DType d) { return Tensor::full(s, 0.5, d, kCard); };
  const Shape in = {1, p.in.d, p.in.h, p.in.w, p.c}, out = {1, p.out.d, p.out.h, p.out.w, p.c};
  const Tensor x = on_card(in, t), y = on_card(out, t), w = on_card({p.k, p.kernel.d, p.kernel.h, p.kernel.w, 1}, DType::f32);
  cuda::synchronize(card());
  const emulator::Counting counting(nullptr, 0);
  if (pass == Pass::forward) conv3d_forward(card(), p, x.view(), w.view(), {}, y.view());
  else if (pass == Pass::input_gradient) conv3d_input_gradient(card(), p, y.view(), w.view(), {}, x.view());
  else conv3d_weight_gradient(card(), p, x.view(), y.view(), w.view());
  cuda::synchronize(card());
  return {counting.of("conv3d_depthwise"), double(x.bytes() + y.bytes())};
}

double told(const Conv3dProblem& p, Pass pass, DType t) {
  return (pass == Pass::forward          ? conv3d_forward_traffic(card(), p, t)
          : pass == Pass::input_gradient ? conv3d_input_gradient_traffic(card(), p, t)
                                         : conv3d_weight_gradient_traffic(card(), p, t))
      .bytes();
}

// What is not 3x3x3 or 1x3x3 with stride 1: taps, strides and, of the bytes that there are at 128^3 (of gradients of weights with one plane
// of taps at a time any), how many times as many are moved at most.
struct Odd {
  Int3 kernel, stride;
  double most = 1.45;
  bool apart = false;
};
constexpr Odd kOdd[] = {{{3, 3, 3}, {2, 2, 2}, 1.3},        {{1, 3, 3}, {1, 2, 2}, 1.3}, {{1, 3, 3}, {2, 2, 2}, 1.3},
                        {{3, 1, 3}, {1, 1, 1}, 1.2},        {{3, 3, 1}, {1, 1, 1}, 1.3}, {{5, 1, 5}, {1, 1, 1}, 1.3},
                        {{5, 5, 1}, {1, 1, 1}, 1.65},        {{7, 1, 7}, {1, 1, 1}, 1.4}, {{7, 7, 1}, {1, 1, 1}, 1.9, true},
                        {{5, 5, 5}, {2, 2, 2}, 1.7, true},  {{7, 7, 7}, {2, 2, 2}, 3.2, true}};

}  // namespace

TEST_CASE("depthwise convolutions read an input about once, without conflicts, and store whole sectors", "[counts]") {
  const Int3 volume{8, 16, 32}, three{3, 3, 3};
  for (const int64_t channels : {8, 16, 32, 64})
    for (const DType t : {DType::bf16, DType::f16, DType::f32})
      for (const Pass pass : {Pass::forward, Pass::input_gradient, Pass::weight_gradient}) {
        const auto [c, least] = run(depthwise_problem(volume, channels, three), pass, t);
        CAPTURE(channels, name_of(t), int(pass), least, c.read, c.written, c.products, c.accesses, c.conflicts, c.load_conflicts,
                c.store_conflicts, c.blocks, c.barriers);
        CHECK((c.products > 0) == (t != DType::f32));
        CHECK(c.conflicts == 0);
        CHECK(c.load_conflicts == 0);
        CHECK(c.store_conflicts == 0);
        if (pass != Pass::weight_gradient) {
          CHECK(double(c.written) == least / 2);
          CHECK(c.written == c.stored);
          CHECK(double(c.read) <= 1.5 * least / 2 + double(c.blocks) * 27 * 32 * 4);
        } else {
          CHECK(double(c.read) <= (t == DType::f32 ? 1.4 : 1.25) * least);
        }
      }
}

TEST_CASE("depthwise convolutions: products on tensor cores are as many as the taps need", "[counts]") {
  // A tile of 16 x 8 outputs of 32 channels: of a plane of x, for each of 32 pieces of 16 outputs and eight channels a product of two taps
  // along W and one of the third, for each of nine taps along D and H.
  const Int3 volume{4, 8, 16};
  const auto forward = run(depthwise_problem(volume, 32, {3, 3, 3}), Pass::forward, DType::bf16).counts;
  CHECK(forward.blocks == 1);
  CHECK(forward.products == (4 + 2) * 32 * 9 * 2);
  CHECK(forward.barriers == 1 + (4 + 2) + 1);
  // For each row of gy nine products of two taps, and per tap along D two of the third tap along W: one of two rows, one of the last.
  const auto weights = run(depthwise_problem(volume, 32, {3, 3, 3}), Pass::weight_gradient, DType::bf16).counts;
  CHECK(weights.products == (4 + 2) * 32 * (9 + 3 * 2));
}

TEST_CASE("depthwise convolutions: what a profile tells is what they move, and little more than there is at 128^3", "[counts]") {
  for (const Int3 kernel : {Int3{3, 3, 3}, Int3{1, 3, 3}, Int3{5, 5, 5}})
    for (const Pass pass : {Pass::forward, Pass::input_gradient, Pass::weight_gradient})
      for (const DType t : {DType::bf16, DType::f32}) {
        const Conv3dProblem p = depthwise_problem({9, 10, 18}, 32, kernel);
        const auto [c, least] = run(p, pass, t);
        const double tells = told(p, pass, t);
        CAPTURE(kernel.d, kernel.w, int(pass), name_of(t), c.read, c.written, tells, least);
        CHECK(tells >= least);
        CHECK(double(c.read + c.written) <= 1.1 * tells);
        if (kernel.w == 3)
          CHECK(told(depthwise_problem({128, 128, 128}, 32, kernel), pass, t) <= 1.45 * least * 128 * 128 * 128 / (9 * 10 * 18));
      }
}

TEST_CASE("depthwise convolutions with stride 2 or of one tap along an axis read an input about once, without conflicts", "[counts]") {
  for (const Odd& odd : kOdd)
    for (const Pass pass : {Pass::forward, Pass::input_gradient, Pass::weight_gradient})
      for (const DType t : {DType::bf16, DType::f32}) {
        if (odd.apart || odd.kernel.w == 7) continue;  // products, not bytes, take their time
        // Those of stride 2 along D and one tap there leave planes of x without a gradient.
        if (pass == Pass::input_gradient && odd.kernel.d == 1 && odd.stride.d == 2) continue;
        const Conv3dProblem p = depthwise_problem({7, 10, 18}, 32, odd.kernel, odd.stride);
        const auto [c, least] = run(p, pass, t);
        const double tells = told(p, pass, t);
        CAPTURE(odd.kernel, odd.stride, int(pass), name_of(t), least, c.read, c.written, tells, c.accesses, c.load_conflicts,
                c.store_conflicts, c.blocks, c.products);
        CHECK(c.blocks > 0);
        CHECK(c.load_conflicts == 0);
        CHECK(c.store_conflicts == 0);
        CHECK(c.products == 0);
        CHECK(double(c.read + c.written) <= 1.1 * tells);
        CHECK(c.written == c.stored);
        if (pass == Pass::forward) CHECK(c.written == p.out_voxels() * 32 * int64_t(size_of(t)));
        if (pass == Pass::input_gradient) CHECK(c.written == p.in_voxels() * 32 * int64_t(size_of(t)));
        const Conv3dProblem large = depthwise_problem({128, 128, 128}, 32, odd.kernel, odd.stride);
        const double there = double(large.in_voxels() + large.out_voxels()) * 32 * double(size_of(t));
        if (!odd.apart || pass != Pass::weight_gradient) CHECK(told(large, pass, t) <= odd.most * there);
      }
}

TEST_CASE("depthwise convolutions: blocks fit the shared memory of each GPU") {
  // Recorded and not run, on memory that is not there; the emulator holds each launch against the device that is described.
  const auto nowhere = [](int number, DType type) { return View{reinterpret_cast<void*>(uintptr_t(number) << 44), type}; };
  std::vector<Odd> all(std::begin(kOdd), std::end(kOdd));
  for (const int taps : {3, 5, 7})
    for (const int along : {1, taps}) all.push_back({{along, taps, taps}, {1, 1, 1}});
  for (const int taps : {5, 7}) all.push_back({{1, taps, taps}, {1, 2, 2}});
  for (const int architecture : {80, 86, 120}) {
    const emulator::Described device(architecture, 100);
    for (const Odd& odd : all)
      for (const int64_t channels : {8, 16, 64})
        for (const DType t : {DType::bf16, DType::f32}) {
          CAPTURE(architecture, odd.kernel, odd.stride, channels, name_of(t));
          const Conv3dProblem p = depthwise_problem({32, 32, 32}, channels, odd.kernel, odd.stride);
          cuda::LaunchLog log;
          cuda::Recording(card(), [&] {
            conv3d_forward(card(), p, nowhere(1, t), nowhere(3, DType::f32), {}, nowhere(2, t));
            conv3d_input_gradient(card(), p, nowhere(2, t), nowhere(3, DType::f32), {}, nowhere(1, t));
            conv3d_weight_gradient(card(), p, nowhere(1, t), nowhere(2, t), nowhere(3, DType::f32));
          });
          cuda::synchronize(card());
          CHECK(log.launches.size() >= 3);
          for (const cuda::Launched& one : log.launches) CHECK(one.shared <= 99 << 10);
        }
  }
}
