#include "models/res_unet/res_unet.h"

#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "layers/init.h"

namespace voxgrad {
namespace {

constexpr double kFirstSlope = 0.25;  // PyTorch's

Int3 extents(const ResUNetConfig& c, int n) { return {c.flat ? 1 : n, n, n}; }

NormAct act_of(const ResUNetConfig& c, int channels) {
  NormAct out{.norm = Norm(norm_kind_of(c.norm), {.channels = channels, .affine = c.affine || c.norm == "batch"})};
  if (c.activation == "prelu") out.slope = constant_parameter({1}, kFirstSlope);
  return out;
}

struct BlockShape {
  int in, out, stride, units;
  bool last = false;  // a convolution alone ends it
};
ResUNetBlock block_of(const ResUNetConfig& c, const BlockShape& b, Rng& rng) {
  ResUNetBlock out;
  const int units = std::max(1, b.units);
  for (int u = 0; u < units; ++u) {
    const int in = u == 0 ? b.in : b.out, stride = u == 0 ? b.stride : 1;
    out.convs.emplace_back(
        Conv3dLayer{.in = in, .out = b.out, .kernel = extents(c, c.kernel), .stride = extents(c, stride), .bias = c.bias}, rng);
    if (!(b.last && u + 1 == units)) out.acts.push_back(act_of(c, b.out));
  }
  out.adds = b.units > 0;
  if (out.adds && (b.stride != 1 || b.in != b.out)) {
    const Int3 kernel = extents(c, b.stride == 1 ? 1 : c.kernel);
    out.residual.emplace(Conv3dLayer{.in = b.in, .out = b.out, .kernel = kernel, .stride = extents(c, b.stride), .bias = c.bias}, rng);
  }
  return out;
}

}  // namespace

Tensor NormAct::operator()(const Tensor& x, const Tensor& stats) const {
  if (!slope) return norm(x, {}, 0, stats);
  const Tensor y = norm(x, {}, 1, stats);
  return relu(y) - relu(y * -1.0) * slope;
}
ConvSource NormAct::lazily(const Tensor& x, const Tensor& stats) const {
  return slope ? ConvSource{(*this)(x, stats)} : norm.lazily(x, 0, stats);
}

Tensor ResUNetBlock::operator()(const Tensor& x) const {
  ConvSource z = {x};
  for (size_t i = 0; i < convs.size(); ++i) {
    if (i == acts.size()) z = {convs[i](z)};
    else {
      StatisticsFor of_y(acts[i].norm);
      const Tensor y = convs[i](z, of_y.wanted());
      z = acts[i].lazily(y, of_y.stats);
    }
  }
  const Tensor y = evaluate(z);
  if (!adds) return y;
  return y + (residual ? (*residual)(x) : x);
}

Tensor ResUNetUp::operator()(const Tensor& x) const {
  Tensor y = conv(x);
  if (act) y = (*act)(y);
  return block ? (*block)(y) : y;
}

ResUNet::ResUNet(const ResUNetConfig& c, Rng& rng) : config(c) {
  validate(c);
  const size_t levels = c.channels.size() - 1;
  for (size_t i = 0; i < levels; ++i) {
    const int in = i == 0 ? c.in_channels : c.channels[i - 1];
    down.push_back(block_of(c, {in, c.channels[i], c.strides[i], c.units}, rng));
  }
  bottom = block_of(c, {c.channels[levels - 1], c.channels[levels], 1, c.units}, rng);
  for (size_t i = 0; i < levels; ++i) {
    const bool top = i == 0;
    const int out = top ? c.classes : c.channels[i - 1];
    const int in = c.channels[i] + (i + 1 == levels ? c.channels[levels] : c.channels[i]), half = (c.up_kernel - 1) / 2;
    ResUNetUp u;
    Int3 padding = extents(c, half), more = extents(c, c.strides[i] - 1);
    if (c.flat) padding.d = more.d = 0;
    u.conv = ConvTranspose3d({.in = in,
                              .out = out,
                              .kernel = extents(c, c.up_kernel),
                              .stride = extents(c, c.strides[i]),
                              .padding = padding,
                              .output_padding = more,
                              .bias = c.bias},
                             rng);
    if (!(top && c.units == 0)) u.act = act_of(c, out);
    if (c.units > 0) u.block = block_of(c, {out, out, 1, 1, top}, rng);
    up.push_back(std::move(u));
  }
}

std::vector<Tensor> ResUNet::stages(const Tensor& x) const {
  std::vector<Tensor> out;
  Tensor y = x;
  for (const ResUNetBlock& b : down) out.push_back(y = b(y));
  out.back() = bottom(y);
  return out;
}

Tensor ResUNet::operator()(const Tensor& x) const {
  std::vector<Tensor> skips;
  Tensor y = x;
  for (const ResUNetBlock& b : down) skips.push_back(y = b(y));
  y = bottom(y);
  for (size_t i = up.size(); i-- > 0;) {
    y = up[i](concat({skips[i], y}, -1));
    skips.pop_back();
  }
  return y;
}

}  // namespace voxgrad
