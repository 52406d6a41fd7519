// Which kernels a class of convolutions takes on GPUs that are described: nothing runs.
#include <array>
#include <set>
#include <string>
#include <vector>

#include "core/cuda/launch_log.h"
#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d_kernels.h"
#include "tests/catch.h"
#include "tests/cuda/emulator_helpers.h"
#include "tests/emulator/device.h"

using namespace voxgrad;

namespace {

constexpr int kArchitectures[] = {80, 89, 90, 100, 120};
enum class Pass { forward, input_gradient, weight_gradient };
constexpr Pass kPasses[] = {Pass::forward, Pass::input_gradient, Pass::weight_gradient};
constexpr Int3 kOne{1, 1, 1}, kTwo{2, 2, 2}, kInPlane{1, 2, 2}, kThree{3, 3, 3}, kFive{5, 5, 5}, kSeven{7, 7, 7};

struct Class {
  Int3 kernel, stride = kOne;
  int dilation = 1;
  int64_t inputs = 16, outputs = 32;
  int groups = 1;
};

// Of two samples of 24^3, as large as the taps keep it.
Conv3dProblem problem_of(const Class& c, bool exact = false) {
  Conv3dProblem p{.n = 2, .c = c.inputs, .k = c.outputs, .groups = c.groups, .in = {24, 24, 24}, .kernel = c.kernel, .stride = c.stride,
                  .exact_f32 = exact};
  for (int a = 0; a < 3; ++a) {
    p.dilation[a] = c.kernel[a] > 1 ? c.dilation : 1;
    p.padding[a] = c.kernel[a] == c.stride[a] ? 0 : (c.kernel[a] - 1) * p.dilation[a] / 2;
    p.out[a] = (p.in[a] + 2 * p.padding[a] - (c.kernel[a] - 1) * p.dilation[a] - 1) / c.stride[a] + 1;
  }
  return p;
}

// Residues of positions modulo the stride that no tap meets, of which the ordinary cores write zeros.
int empty_residues(const Conv3dProblem& p) {
  int all = 1, met = 1;
  for (int a = 0; a < 3; ++a) {
    std::set<int> of;
    for (int t = 0; t < p.kernel[a]; ++t) of.insert(t * p.dilation[a] % p.stride[a]);
    all *= p.stride[a], met *= int(of.size());
  }
  return all - met;
}

// The kernels that it launches beside those that pack weights and add sums, without "conv3d_" and "_kernel"; joined by +.
std::string kernels_of(const Conv3dProblem& p, Pass pass, DType t) {
  const auto nowhere = [](int number, DType type) { return View{reinterpret_cast<void*>(uintptr_t(number) << 44), type}; };
  const View x = nowhere(1, t), y = nowhere(2, t), w = nowhere(3, DType::f32);
  cuda::LaunchLog log;
  cuda::Recording(card(), [&] {
    if (pass == Pass::forward) conv3d_forward(card(), p, x, w, {}, y);
    else if (pass == Pass::input_gradient) conv3d_input_gradient(card(), p, y, w, {}, x);
    else conv3d_weight_gradient(card(), p, x, y, w);
  });
  cuda::synchronize(card());  // its memory is given back
  std::set<std::string> names;
  int zeros = pass == Pass::input_gradient ? empty_residues(p) : 0;
  for (const cuda::Launched& one : log.launches) {
    const size_t begin = one.kernel.find("conv3d_") + 7, end = one.kernel.find("_kernel", begin);
    const std::string name = one.kernel.substr(begin, end - begin);
    if (name == "direct" && zeros-- > 0) continue;
    if (name.find("pack") == name.npos && name.find("total") == name.npos && name.find("shares") == name.npos) names.insert(name);
  }
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : "+") + name;
  return all;
}

}  // namespace

TEST_CASE("convolutions: each class of shapes takes its kernel on every architecture") {
  // Forward, input gradient and weight gradient, of bf16 as of f32.
  using Kernels = std::array<const char*, 3>;
  const Kernels mma = {"mma", "mma", "mma_weights"}, wgmma = {"wgmma", "wgmma", "wgmma_weights"};
  const Kernels sliced = {"mma_sliced", "mma_sliced", "mma_weights"}, strided = {"mma_sliced", "mma", "mma_weights"};
  const Kernels gathers = {"wgmma", "wgmma", "mma_weights"}, sums = {"mma", "mma", "wgmma_weights"};
  const Kernels lines = {"wgmma_lines", "wgmma_lines", "wgmma_weights"}, residues = {"wgmma", "mma+wgmma", "wgmma_weights"};
  const Kernels image = {"thin", "narrow", "thin_weights"}, stem = {"thin", "direct", "thin_weights"};
  const Kernels head = {"head", "thin", "thin_weights"};
  const struct {
    Class of;
    Kernels kernels, of_90, f32_of_90 = of_90;
  } rows[] = {
      // What U-Nets and ResNets are made of.
      {{kThree, kOne, 1, 32, 32}, mma, wgmma},
      {{kThree, kOne, 1, 32, 16}, mma, {"mma", "wgmma", "mma_weights"}},
      {{kThree, kTwo, 1, 32, 64}, mma, sums},
      {{kThree, kInPlane, 1, 32, 64}, mma, residues},
      {{{1, 3, 3}, kOne, 1, 32, 32}, mma, wgmma},
      {{{1, 3, 3}, kInPlane, 1, 32, 64}, mma, {"wgmma", "mma", "mma_weights"}, {"wgmma", "mma", "wgmma_weights"}},
      {{{3, 3, 1}, kOne, 1, 32, 32}, mma, wgmma},
      {{kOne, kOne, 1, 32, 32}, mma, mma},
      {{kOne, kTwo, 1, 32, 64}, mma, mma},
      {{kTwo, kTwo, 1, 32, 64}, mma, mma},
      {{kThree, kOne, 1, 1, 32}, image, image},
      {{kSeven, kTwo, 1, 1, 64}, stem, stem},
      {{kOne, kOne, 1, 32, 2}, head, head},
      // Five and seven taps.
      {{kFive, kOne, 1, 32, 32}, mma, wgmma},
      {{kFive, kTwo, 1, 32, 64}, strided, {"mma_sliced", "mma", "wgmma_weights"}},
      {{kFive, kInPlane, 1, 32, 64}, mma, wgmma},
      {{{1, 5, 5}, kInPlane, 1, 32, 64}, mma, residues},
      {{kSeven, kOne, 1, 32, 32}, mma, wgmma},
      {{kSeven, kTwo, 1, 16, 32}, strided, strided},
      {{kSeven, kInPlane, 1, 16, 32}, strided, {"wgmma", "mma", "wgmma_weights"}, {"wgmma", "mma", "mma_weights"}},
      {{{1, 7, 7}, kInPlane, 1, 16, 32}, mma, {"wgmma", "mma", "mma_weights"}},
      // Dilations.
      {{kThree, kOne, 2, 32, 32}, mma, wgmma},
      {{kThree, kOne, 4, 32, 32}, sliced, gathers},
      {{kThree, kOne, 6, 32, 32}, sliced, sliced},
      {{kThree, kOne, 12, 256, 256}, sliced, sliced},
      {{kThree, kOne, 18, 256, 256}, sliced, sliced},
      {{{1, 3, 3}, kOne, 18, 32, 32}, sliced, gathers},
      {{kThree, kTwo, 3, 16, 32}, strided, strided},
      // Groups: of 2, 4, 8, 16 and 32 channels.
      {{kThree, kOne, 1, 64, 64, 32}, mma, gathers, mma},
      {{kThree, kOne, 1, 128, 128, 32}, mma, gathers, mma},
      {{kThree, kTwo, 1, 128, 128, 32}, mma, mma},
      {{kOne, kOne, 1, 128, 128, 32}, mma, mma},
      {{kThree, kOne, 4, 128, 128, 32}, sliced, gathers, sliced},
      {{kThree, kOne, 1, 256, 256, 32}, mma, mma},
      {{kThree, kOne, 1, 512, 512, 32}, mma, mma},
      {{kThree, kOne, 1, 96, 96, 3}, mma, lines},
  };
  for (const auto& r : rows)
    for (const int architecture : kArchitectures) {
      const emulator::Described device(architecture, 132);
      for (const DType t : {DType::bf16, DType::f32})
        for (size_t pass = 0; pass < 3; ++pass) {
          const Kernels& wanted = architecture != 90 ? r.kernels : t == DType::f32 ? r.f32_of_90 : r.of_90;
          CAPTURE(architecture, r.of.kernel, r.of.stride, r.of.dilation, r.of.inputs, r.of.outputs, r.of.groups, pass, name_of(t));
          CHECK(kernels_of(problem_of(r.of), kPasses[pass], t) == wanted[pass]);
        }
    }
}

TEST_CASE("convolutions: of sixteen channels and more none is left to the ordinary cores") {
  const emulator::Described device(80, 108);
  for (const Int3 kernel : {kOne, kThree, Int3{1, 3, 3}, Int3{3, 3, 1}, kTwo, kFive, kSeven, Int3{1, 5, 5}, Int3{1, 7, 7}})
    for (const Int3 stride : {kOne, kTwo, kInPlane})
      for (const int dilation : {1, 2, 3, 4, 6, 12, 18})
        for (const auto& [t, inputs, exact] : {std::tuple{DType::bf16, 16, false}, {DType::f32, 8, false}, {DType::f32, 16, true}})
          for (const Pass pass : kPasses) {
            const Class c{kernel, stride, dilation, inputs, 2 * inputs};
            const Conv3dProblem p = problem_of(c, exact);
            if (p.out.d < 1 || p.out.h < 1 || (dilation > 1 && kernel.h == 1)) continue;
            const std::string kernels = kernels_of(p, pass, t);
            CAPTURE(kernel, stride, dilation, name_of(t), exact, int(pass), kernels);
            CHECK(!kernels.empty());
            CHECK(kernels.find("direct") == kernels.npos);
            CHECK(kernels.find("rows") == kernels.npos);
          }
}
