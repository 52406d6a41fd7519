// Instances of convolution kernels that no op case takes, since their shapes are large or rare: of small whole numbers, of which all sums
// are exact, they have the results of the CPU.
#include <algorithm>
#include <cstdlib>

#include "core/autograd.h"
#include "core/cuda/chip.h"
#include "core/cuda/launch_log.h"
#include "core/cuda/runtime.h"
#include "core/device/exact_f32.h"
#include "kernels/conv3d/conv3d.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

const Device kDevice{0};
const std::vector<DType> kAll = {DType::f32, DType::bf16, DType::f16}, k16Bits = {DType::bf16, DType::f16};

struct Use {
  std::string kernel, arguments;  // that are launched, behind the type
  Shape x;
  int64_t outputs;
  Int3 taps = {1, 1, 1};
  Conv3dOptions options = {};
  bool gradient = false;  // of the input, and not the forward pass
};

void check_use(const Use& u, const char* way, DType t) {
  CAPTURE(u.kernel, u.arguments, name_of(t), u.x);
  const Tensor x = whole_noise(u.x, 1), w = whole_noise({u.outputs, u.taps.d, u.taps.h, u.taps.w, u.x[4] / u.options.groups}, 2);
  const auto run = [&](Device d, DType of) {
    Tensor in = x.to(of).to(d);
    if (u.gradient) in = in.require_grad();
    const Tensor y = conv3d(in, w.to(d), {}, u.options);
    if (!u.gradient) return y;
    backward(y, whole_noise(y.shape(), 3).to(of).to(d));
    return in.grad();
  };
  if (way) setenv("VOXGRAD_CONV_CUDA", way, 1);
  const cuda::LaunchLog log;
  const Tensor got = run(kDevice, t);
  CHECK(std::any_of(log.launches.begin(), log.launches.end(), [&](const cuda::Launched& l) {
    return l.kernel.find("conv3d_" + u.kernel + "_kernel<") != l.kernel.npos && l.kernel.find(u.arguments + ">") != l.kernel.npos;
  }));
  unsetenv("VOXGRAD_CONV_CUDA");
  const Tensor wanted = run(Device{}, DType::f32).to(t);
  CHECK((got.to(Device{}).values() == wanted.values()));
}

bool has_device() {
  if (cuda::device_count() > 0) return true;
  WARN("skipped: this machine has 0 CUDA devices");
  return false;
}

// Volumes of 132 and 66 tiles of 512 voxels: the fewest that are as many blocks as plans ask for.
const Shape kLarge = {1, 32, 44, 48, 8}, kHalf = {1, 16, 44, 48, 8};

}  // namespace

TEST_CASE("convolutions by mma: instances of large tiles and of wide ones") {
  if (!has_device()) return;
  const Use uses[] = {{"mma", ", 256, 32, 4, 1, false", kLarge, 24}, {"mma", ", 256, 64, 4, 2, false", kLarge, 40},
                      {"mma", ", 128, 128, 2, 4, false", {1, 4, 4, 8, 8}, 128}, {"mma", ", 64, 160, 1, 5, false", {1, 4, 4, 4, 8}, 160}};
  for (const Use& u : uses)
    for (const DType t : kAll) check_use(u, "mma", t);
}

TEST_CASE("convolutions by wgmma: instances of two and four blocks of rows") {
  if (!has_device()) return;
  if (cuda::chip_of(current_stream(kDevice)).architecture != 90) {
    WARN("skipped: not a device of compute capability 9.0");
    return;
  }
  struct Form {
    const char* arguments;
    Shape x;
    int64_t outputs;
  };
  const Form forms[] = {{", 32, 4, 1, ", kLarge, 24},
                        {", 64, 4, 1, ", kLarge, 40},
                        {", 32, 2, 1, ", kHalf, 24},
                        {", 64, 2, 1, ", kHalf, 40},
                        {", 128, 2, 1, ", kHalf, 128}};
  for (const Form& f : forms)
    for (const bool boxes : {false, true})
      for (const DType t : kAll)
        check_use({"wgmma", std::string(f.arguments) + (boxes ? "true" : "false"), f.x, f.outputs}, boxes ? "tma" : "wgmma", t);
  const ExactF32 scope;
  check_use({"wgmma", ", 64, 2, 2, false", kHalf, 40}, "wgmma", DType::f32);
}

TEST_CASE("convolutions: instances of heads, narrow kernels and depthwise gradients") {
  if (!has_device()) return;
  for (const DType t : k16Bits) check_use({"head", ", 4, false", {1, 2, 4, 5, 128}, 3}, nullptr, t);
  for (const DType t : kAll) {
    for (const int outputs : {1, 2, 4})
      check_use({"narrow", ", 1, " + std::to_string(outputs), {1, 2, 9, 8, 32}, outputs, {1, 3, 3}, {.padding = {0, 1, 1}}}, nullptr, t);
    for (const int taps : {5, 7})
      check_use({"depthwise_gradient", ", 1, " + std::to_string(taps), {1, 2, 9, 10, 8}, 8, {1, taps, taps},
                 {.stride = {1, 2, 2}, .padding = {0, taps / 2, taps / 2}, .groups = 8}, true}, nullptr, t);
  }
}
