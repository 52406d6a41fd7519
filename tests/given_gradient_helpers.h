#pragma once
// A convolution whose input others read as well adds their gradient as it writes its own.
#include <string>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/conv3d_fused/conv3d_fused.h"
#include "kernels/reduce/reduce.h"
#include "tests/catch.h"
#include "tests/tensor_helpers.h"

namespace voxgrad::given {

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

// h, of x, is read by the convolution, if `conv`, and then, if `others`, by a sum with `other`, in whose gradient nothing may be added, or
// by a product.
inline Gradients gradients(const Reader& r, Device d, DType t, bool conv, bool others, bool product) {
  const auto given = [&](const Shape& s, uint64_t seed) { return noise(s, seed).to(t).to(d); };
  const Tensor x = given(r.x, 1).require_grad(), other = given(r.x, 2).require_grad();
  const bool two = r.reads == Reads::beside_another;
  const Tensor w =
      noise({r.outputs, r.kernel.d, r.kernel.h, r.kernel.w, (r.x[4] + 16 * two) / r.options.groups}, 3).to(d).require_grad();
  Tensor h = mul(x, Tensor::full(r.x, 1, t, d));
  h.retain_grad();
  std::vector<ConvSource> sources = {{.x = h}};
  if (r.reads > Reads::beside_another)
    sources = {{.x = h, .normalised = true, .slope = 0.25, .groups = r.reads == Reads::group_norm ? 4 : 0}};
  if (two) sources.push_back({given(r.x.with(4, 16), 4)});
  Tensor of_y, of_z;
  if (conv) {
    const Tensor y = r.reads == Reads::plain ? conv3d(h, w, {}, r.options) : conv3d_fused(sources, w, {}, r.options);
    of_y = sum(mul(y, given(y.shape(), 5)));
  }
  if (others) {
    const Tensor z = product ? mul(h, other) : add(h, other);
    of_z = sum(mul(z, given(z.shape(), 6)));
  }
  backward(conv && others ? add(of_y, of_z) : conv ? of_y : of_z);
  return {x.grad(), h.grad(), w.grad(), other.grad()};
}

inline void check_reader(const Reader& r, Device d, DType t) {
  const Gradients own = gradients(r, d, t, true, false, false);
  for (const bool product : {false, true}) {
    CAPTURE(r.name, r.x, r.outputs, name_of(t), product);
    const Gradients both = gradients(r, d, t, true, true, product), others = gradients(r, d, t, false, true, product);
    const std::vector<double> wanted = add(own.of_h.to(Device{}), others.of_h.to(Device{})).values();
    CHECK(both.of_h.values() == wanted);
    CHECK(both.of_x.values() == wanted);
    CHECK(both.of_w.values() == own.of_w.values());
    CHECK(both.of_other.values() == others.of_other.values());
    CHECK_FALSE(own.of_other);
  }
}

}  // namespace voxgrad::given
