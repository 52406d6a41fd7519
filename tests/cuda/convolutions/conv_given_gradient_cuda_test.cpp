// A convolution whose input others read as well adds their gradient as it writes its own.
#include <cstdlib>
#include <string>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "core/device/exact_f32.h"
#include "kernels/binary/binary.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/reduce/reduce.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

const Device kDevice{0};

enum class Reads { plain, beside_another, instance_norm, group_norm };
struct Reader {
  std::string name;
  Shape x;
  int64_t outputs;
  Int3 kernel;
  Conv3dOptions options = {};
  Reads reads = Reads::plain;
};

struct Gradients {
  Tensor of_x, of_h, of_w, of_other;
};

// h, of x, is read by the convolution and then by a sum with `other`, in whose gradient nothing may be added, or by a product.
Gradients gradients(const Reader& r, DType t, bool conv, bool others, bool product) {
  const auto given = [&](const Shape& s, uint64_t seed) { return noise(s, seed).to(t).to(kDevice); };
  const Tensor x = given(r.x, 1).require_grad(), other = given(r.x, 2).require_grad();
  const bool two = r.reads == Reads::beside_another;
  const Tensor w =
      noise({r.outputs, r.kernel.d, r.kernel.h, r.kernel.w, (r.x[4] + 16 * two) / r.options.groups}, 3).to(kDevice).require_grad();
  Tensor h = mul(x, Tensor::full(r.x, 1, t, kDevice));
  h.retain_grad();
  std::vector<ConvSource> sources = {{.x = h}};
  if (r.reads > Reads::beside_another)
    sources = {{.x = h, .normalised = true, .slope = 0.25, .groups = r.reads == Reads::group_norm ? 4 : 0}};
  if (two) sources.push_back({given(r.x.with(4, 16), 4)});
  const Tensor y = r.reads == Reads::plain ? conv3d(h, w, {}, r.options) : conv3d_fused(sources, w, {}, r.options);
  const Tensor z = product ? mul(h, other) : add(h, other);
  const Tensor of_y = sum(mul(y, given(y.shape(), 5))), of_z = sum(mul(z, given(z.shape(), 6)));
  backward(conv && others ? add(of_y, of_z) : conv ? of_y : of_z);
  return {x.grad(), h.grad(), w.grad(), other.grad()};
}

void check_reader(const Reader& r, DType t) {
  for (const bool product : {false, true}) {
    CAPTURE(r.name, r.x, r.outputs, name_of(t), product);
    const Gradients both = gradients(r, t, true, true, product), own = gradients(r, t, true, false, product),
                    others = gradients(r, t, false, true, product);
    const std::vector<double> wanted = add(own.of_h.to(Device{}), others.of_h.to(Device{})).values();
    CHECK(both.of_h.values() == wanted);
    CHECK(both.of_x.values() == wanted);
    CHECK(both.of_w.values() == own.of_w.values());
    CHECK(both.of_other.values() == others.of_other.values());
    CHECK_FALSE(own.of_other);
  }
}

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
