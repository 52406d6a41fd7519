// A convolution whose input others read as well adds their gradient as it writes its own.
#include <cstdlib>

#include "core/cuda/runtime.h"
#include "core/device/exact_f32.h"
#include "tests/given_gradient_helpers.h"

using namespace voxgrad;
using given::Reader, given::Reads;

namespace {

void check_reader(const Reader& r, DType t) { given::check_reader(r, Device{0}, t); }

}  // namespace

TEST_CASE("convolutions: what others have given to the gradient of their input is in what they write, with the bits of a sum") {
  if (cuda::device_count() == 0) {
    WARN("skipped: this machine has 0 CUDA devices");
    return;
  }
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3};
  const Conv3dOptions same{.padding = one};
  // Kernels of few channels; of each on the tensor cores whole tiles, ragged ones with strides, positions without a tap, and shares.
  const Reader few[] = {{"direct", {2, 3, 4, 5, 5}, 6, three, same},
                        {"thin", {1, 4, 8, 16, 2}, 32, three, same},
                        {"to three channels", {1, 3, 4, 8, 3}, 32, one},
                        {"of three outputs", {1, 3, 4, 8, 32}, 3, one},
                        {"depthwise", {1, 4, 8, 16, 32}, 32, three, {.padding = one, .groups = 32}}};
  const Reader many[] = {{"whole", {1, 4, 8, 16, 32}, 32, three, same},
                         {"strides", {1, 5, 6, 7, 40}, 16, three, {.stride = two, .padding = one}},
                         {"without taps", {1, 4, 6, 8, 32}, 16, one, {.stride = two}},
                         {"shares", {1, 4, 4, 4, 72}, 96, three, same},
                         {"fused", {1, 4, 5, 9, 32}, 16, three, same, Reads::beside_another},
                         {"instance norm", {2, 4, 5, 9, 32}, 16, three, same, Reads::instance_norm},
                         {"group norm", {2, 4, 5, 9, 32}, 16, three, same, Reads::group_norm}};
  for (const Reader& r : few)
    for (const DType t : {DType::f32, DType::bf16}) check_reader(r, t);
  {
    const ExactF32 scope;
    check_reader(few[1], DType::f32);
  }
  for (const std::string way : {"mma", "wgmma", "tma", "lines", "lines_tma"}) {
    setenv("VOXGRAD_CONV_CUDA", way.c_str(), 1);
    CAPTURE(way);
    for (const Reader& r : many)
      if (way == "mma" || way == "wgmma" || r.name == "whole") check_reader(r, r.name == "strides" ? DType::f32 : DType::bf16);
  }
  unsetenv("VOXGRAD_CONV_CUDA");
}
