// What the plans of convolutions ask of GPUs that are described, at the sizes of the default network: nothing runs.
#include <cmath>
#include <cstdlib>

#include "core/cuda/launch_log.h"
#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/device.h"

using namespace voxgrad;

namespace {

struct Sized {
  int64_t inputs, outputs;
  int extent, stride = 1, kernel = 3;
};
Conv3dProblem problem_at(const Sized& l, bool exact = false) {
  const int padding = l.kernel / 2, out = (l.extent + 2 * padding - l.kernel) / l.stride + 1;
  return {.n = 2, .c = l.inputs, .k = l.outputs, .in = {l.extent, l.extent, l.extent}, .out = {out, out, out},
          .kernel = {l.kernel, l.kernel, l.kernel}, .stride = {l.stride, l.stride, l.stride}, .padding = {padding, padding, padding},
          .dilation = {1, 1, 1}, .exact_f32 = exact};
}

// Activations that are read per byte of the halos, of gradients of weights in bf16 and in f32; 0: not by a kernel that is counted.
struct Rereads {
  Sized layer;
  double forward, input_gradient, bf16_weights, f32_weights;
};
// 256 and 320 outputs are two blocks of channels, inputs of gradients up to four, which on sm_90 share a halo as a cluster; the sums of 4^3
// are shared out by taps as well. A gradient of weights reads x for each block of channels of gy and gy for each one of x, and gy
// for each group of taps: a block's sums are as many as its registers. By mma these are the taps of a plane along D, which read a third of
// the halo or more; by wgmma up to eight of these blocks, as a cluster, read both once.
constexpr Rereads kByMma[] = {{{1, 32, 128}, 1, 1, 1, 1},             {{32, 32, 128}, 1, 1, 1.39, 1.98},
                              {{32, 64, 128, 2}, 1, 1, 1.26, 1.65},   {{64, 64, 64}, 1, 1, 2.01, 3.22},
                              {{64, 128, 64, 2}, 1, 1, 2.53, 3.33},   {{128, 128, 32}, 1, 1, 4.12, 6.67},
                              {{128, 256, 32, 2}, 2, 1, 5.1, 6.76},   {{256, 256, 16}, 2, 2, 8.72, 14.39},
                              {{256, 320, 16, 2}, 2, 2, 6.86, 9.22},  {{320, 320, 8}, 2, 2, 15.91, 26.82},
                              {{320, 320, 8, 2}, 6, 2, 9.44, 12.78},  {{320, 320, 4}, 6, 6, 21.25, 36.25},
                              {{640, 320, 8}, 2, 4, 19.44, 32.78},    {{512, 256, 16}, 2, 4, 9.89, 16.32},
                              {{256, 128, 32}, 1, 2, 4.62, 7.47},     {{128, 64, 64}, 1, 1, 2.23, 3.58},
                              {{64, 32, 128}, 1, 1, 1.55, 2.2}};
constexpr Rereads kByWgmma[] = {{{1, 32, 128}, 1, 1, 1, 1}, {{32, 32, 128}, 1, 1, 1.18, 1},
                                {{32, 64, 128, 2}, 1, 1, 1, 1}, {{64, 64, 64}, 1, 1, 1, 1},
                                {{64, 128, 64, 2}, 1, 1, 1, 1}, {{128, 128, 32}, 1, 1, 1.33, 1.29},
                                {{128, 256, 32, 2}, 1, 1, 1.46, 1.46}, {{256, 256, 16}, 1, 1, 2.73, 2.64},
                                {{256, 320, 16, 2}, 1, 1, 2.66, 2.65}, {{320, 320, 8}, 1, 1, 3.89, 3.78},
                                {{320, 320, 8, 2}, 1, 1, 2.89, 2.89}, {{320, 320, 4}, 1, 1, 4, 4},
                                {{640, 320, 8}, 1, 1, 5, 4.7}, {{512, 256, 16}, 1, 1, 3.34, 3.14},
                                {{256, 128, 32}, 1, 1, 1.59, 1.51}, {{128, 64, 64}, 1, 1, 1, 1},
                                {{64, 32, 128}, 1, 1, 1.11, 1}};

struct Way {
  int architecture, multiprocessors;
  const char* forced;  // null: what the table chooses
};
// Whether the plans of `way` read as often as these, of passes over outputs of 16 bits and over those of 32 the same.
void check_rereads(const Way& way, const Rereads& r) {
  const emulator::Described device(way.architecture, way.multiprocessors);
  if (way.forced) setenv("VOXGRAD_CONV_CUDA", way.forced, 1);
  const Conv3dProblem p = problem_at(r.layer);
  // As boxes with stride 2, even and odd positions are as many, and the tiles of gradients of weights are others.
  const bool pairs = way.forced && std::string(way.forced).ends_with("tma") && r.layer.stride == 2;
  const double more = pairs ? 0.065 : 0.006;
  const auto as_often = [&](double told, double wanted) { return told <= wanted + more && told >= wanted - 0.006; };
  for (const DType t : {DType::bf16, DType::f32}) {
    const double forward = conv3d_forward_traffic(card(), p, t).rereads(), gradient = conv3d_input_gradient_traffic(card(), p, t).rereads();
    const double weights = conv3d_weight_gradient_traffic(card(), p, t).rereads();
    CAPTURE(way.architecture, way.forced ? way.forced : "the table", r.layer.inputs, r.layer.outputs, r.layer.extent, r.layer.stride,
            name_of(t));
    CAPTURE(forward, gradient, weights);
    const bool shared = way.architecture == 90;
    CHECK(as_often(forward, shared ? 1 : r.forward));
    CHECK(as_often(gradient, shared ? 1 : r.input_gradient));
    const double of_weights = t == DType::bf16 ? r.bf16_weights : r.f32_weights;
    CHECK((std::abs(weights - of_weights) <= (pairs ? 0.1 : 0.006) || (weights == 15 && r.layer.extent == 4)));
  }
  unsetenv("VOXGRAD_CONV_CUDA");
}

}  // namespace

TEST_CASE("convolutions: how often the layers of a network read their activations") {
  for (const Rereads& r : kByMma)
    for (const Way& way : {Way{80, 108, nullptr}, {89, 128, nullptr}, {120, 170, nullptr}, {90, 132, "mma"}}) check_rereads(way, r);
  for (const Rereads& r : kByWgmma)
    for (const char* forced : {static_cast<const char*>(nullptr), "wgmma", "lines", "tma", "lines_tma"})
      check_rereads({90, 132, forced}, r);
}

TEST_CASE("convolutions: blocks of channels share no halos where the device has too few places for their clusters at once") {
  // 128 blocks of both, in clusters of four and of eight. Where these lie in parts of 18 multiprocessors, 29 and 14 of them run at once.
  for (const int channels : {256, 512}) {
    const auto rereads_in_parts_of = [&](int part) {
      const emulator::Described device(90, 132, part);
      return conv3d_forward_traffic(card(), problem_at({channels, channels, 16}), DType::bf16).rereads();
    };
    CAPTURE(channels);
    CHECK(rereads_in_parts_of(132) == 1);
    CHECK(rereads_in_parts_of(16) == 1);
    CHECK(rereads_in_parts_of(18) == channels / 128);
  }
}

TEST_CASE("convolutions: the blocks of a network's layers fit the shared memory of each GPU") {
  // Recorded and not run, on memory that is not there; the emulator holds each launch against the device that is described.
  constexpr int64_t kHopper = 228 << 10, kOfSystem = 1 << 10;  // bytes of a multiprocessor of sm_90, and those that a block takes besides
  const Sized more[] = {{320, 320, 4, 2, 2}, {32, 3, 128, 1, 1}, {1, 64, 128, 2, 7}, {4, 32, 64}, {32, 64, 32, 1, 5}};
  std::vector<Sized> layers(std::begin(more), std::end(more));
  for (const Rereads& r : kByMma) layers.push_back(r.layer);
  const auto nowhere = [](int number, DType type) { return View{reinterpret_cast<void*>(uintptr_t(number) << 44), type}; };
  for (const Way& way : {Way{80, 108, nullptr}, {86, 84, nullptr}, {89, 128, nullptr}, {120, 170, nullptr}, {90, 132, nullptr},
                         {90, 132, "mma"}, {90, 132, "wgmma"}, {90, 132, "lines"}}) {
    const emulator::Described device(way.architecture, way.multiprocessors);
    if (way.forced) setenv("VOXGRAD_CONV_CUDA", way.forced, 1);
    for (const Sized& l : layers)
      for (const auto& [t, exact] : {std::pair{DType::bf16, false}, {DType::f32, false}, {DType::f32, true}}) {
        CAPTURE(way.architecture, way.forced ? way.forced : "the table", l.inputs, l.outputs, l.extent, l.kernel, l.stride, name_of(t),
                exact);
        const View x = nowhere(1, t), y = nowhere(2, t), w = nowhere(3, DType::f32);
        cuda::LaunchLog log;
        cuda::Recording(card(), [&] {
          const Conv3dProblem p = problem_at(l, exact);
          conv3d_forward(card(), p, x, w, {}, y);
          conv3d_input_gradient(card(), p, y, w, {}, x);
          conv3d_weight_gradient(card(), p, x, y, w);
        });
        cuda::synchronize(card());  // its memory is given back
        CHECK(log.launches.size() >= 3);
        for (const cuda::Launched& one : log.launches) {
          CAPTURE(one.kernel, one.shared);
          // Those of sm_90 have a multiprocessor for each block; of the others two blocks fit one of sm_90.
          if (one.kernel.find("wgmma") == one.kernel.npos) CHECK(2 * (one.shared + kOfSystem) <= kHopper);
        }
      }
    unsetenv("VOXGRAD_CONV_CUDA");
  }
}
