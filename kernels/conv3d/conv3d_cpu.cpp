#include <algorithm>

#include "core/device/parallel.h"
#include "kernels/conv3d/depthwise/depthwise.h"
#include "kernels/conv3d/dilated/dilated.h"
#include "kernels/conv3d/direct/direct.h"
#include "kernels/conv3d/few_voxels/few_voxels.h"
#include "kernels/conv3d/pointwise/pointwise.h"
#include "kernels/conv3d/polyphase/polyphase.h"
#include "kernels/conv3d/winograd/winograd.h"
#include "kernels/conv3d/winograd_boxes/winograd_boxes.h"
#include "kernels/conv3d/winograd_plane/winograd_plane.h"

// Which algorithm a convolution takes on the CPU: README.md has the table.
namespace voxgrad {
namespace {

// What is still to be done to all outputs {rows, channels}.
void finish(const ConvOutput& out, const ConvGather& g, int64_t rows) {
  if (!out.ends()) return;
  constexpr int64_t kRows = 64;
  on_dtype(out.y.dtype, [&]<class T>() {
    const auto isa = conv_isa<accum_t<T>>();
    const ConvStore store(out, g);
    parallel_chunks(rows, kRows, [&](int64_t, int64_t begin, int64_t end) { store.finish(isa, begin, 1, end - begin, 0, g.out_channels); });
  });
}

void gather(const ConvGather& g, const ConvInput& x, View w, const ConvOutput& out, std::shared_ptr<void>* kept = nullptr) {
  if (g.n == 0) return;
  const View b = out.bias, y = out.y;
  const auto finish_all = [&] { finish(out, g, g.n * g.out.d * g.out.h * g.out.w); };
  if (is_depthwise_brick(g)) return depthwise_gather(g, x, w, b, y), finish_all();
  if (is_few_pointwise(g, x)) return pointwise_gather(g, x.whole(), w, b, y), finish_all();
  on_dtype(x.dtype(), [&]<class T>() {
    using A = accum_t<T>;
    const int64_t lanes = conv_isa<A>().lanes;
    const double direct = direct_time(g, x);
    const ConvStore store(out, g);
    if (is_few_voxels(g, lanes)) few_voxels_gather<A>(g, x, w, b, store);
    else if (is_polyphase(g, lanes, direct)) polyphase_gather<A>(g, x, {w, b, kept}, store);
    else if (const auto boxes = winograd_boxes_plan(g, lanes, ConvPass::gather, direct))
      winograd_boxes_gather<A>(g, *boxes, x, {w, b, kept}, y), finish_all();
    else if (const auto tile = winograd_tile(g, lanes, ConvPass::gather, direct))
      winograd_gather<A>(g, *tile, x, {w, b, kept}, store);
    else if (const auto plane = winograd_plane_tile(g, lanes, ConvPass::gather, direct))
      winograd_plane_gather<A>(g, *plane, x, {w, b, kept}, store);
    else direct_gather<A>(g, x, {w, b, kept}, store);
  });
}

// Voxels that see themselves alone have no neighbours: a few of them are one row, where rows of the volume are too short for the kernels.
Conv3dProblem in_one_row(Conv3dProblem p, bool normalised = false) {
  constexpr int64_t kShort = 8, kMost = 512;
  const Int3 one = {1, 1, 1};
  const int64_t voxels = p.n * p.in.d * p.in.h * p.in.w;
  if (normalised || p.kernel != one || p.stride != one || p.padding != Int3{0, 0, 0} || p.in.w >= kShort || voxels == 0 || voxels > kMost)
    return p;
  p.n = 1;
  p.in = p.out = {1, 1, int(voxels)};
  p.dilation = one;
  return p;
}

std::optional<DilatedPlan> dilated(const Conv3dProblem& p, bool normalised = false) {
  return is_depthwise_brick(forward_gather(p)) ? std::nullopt : dilated_plan(p, normalised);
}

}  // namespace

// Zeros that remainders of the dilation need beside the volume are none behind a norm.
bool conv3d_reads_normalised(Cpu, const Conv3dProblem& p) {
  const auto plain = dilated(p), normalised = dilated(p, true);
  return !plain || (normalised && normalised->dilation == plain->dilation);
}

void conv3d_forward(Cpu on, const Conv3dProblem& p, View x, View w, View b, View y) {
  const ConvPart whole{x, p.c};
  conv3d_forward(on, p, &whole, 1, w, {y, b});
}
void conv3d_forward(Cpu, const Conv3dProblem& given, const ConvPart* parts, int64_t count, View w, const ConvOutput& y,
                    std::shared_ptr<void>* kept) {
  const bool normalised = std::any_of(parts, parts + count, [](const ConvPart& part) { return part.coefficients.data != nullptr; });
  const Conv3dProblem p = in_one_row(given, normalised);
  const ConvGather g = forward_gather(p);
  if (const auto plan = dilated(p, normalised))
    return dilated_forward(p, *plan, parts, count, w, y.bias, y.y, kept), finish(y, g, p.out_voxels());
  gather(g, ConvInput(parts, count), w, y, kept);
}
void conv3d_input_gradient(Cpu, const Conv3dProblem& given, View gy, View w, View b, View gx, View residual) {
  const Conv3dProblem p = in_one_row(given);
  const ConvGather g = gradient_gather(p);
  const ConvOutput out{.y = gx, .bias = b, .residual = residual};
  if (const auto plan = dilated(p)) return dilated_input_gradient(p, *plan, gy, w, b, gx), finish(out, g, p.in_voxels());
  gather(g, ConvInput(gy, p.k), w, out);
}

void conv3d_weight_gradient(Cpu, const Conv3dProblem& given, const ConvPart& x, View gy, View gw) {
  const Conv3dProblem p = in_one_row(given, x.coefficients.data);
  if (const auto plan = dilated(p, x.coefficients.data)) return dilated_weight_gradient(p, *plan, x, gy, gw);
  const ConvGather g = forward_gather(p);
  const ConvInput input(&x, 1);
  if (is_depthwise_brick(g)) return depthwise_weight_gradient(g, input, gy, gw);
  on_dtype(input.dtype(), [&]<class T>() {
    using A = accum_t<T>;
    const int64_t lanes = conv_isa<A>().lanes;
    if (is_few_voxels(g, lanes, ConvPass::weight_gradient)) few_voxels_weight_gradient<A>(g, input, gy, gw);
    else if (is_polyphase(g, lanes)) polyphase_weight_gradient<A>(g, input, gy, gw);
    else if (const auto boxes = winograd_boxes_plan(g, lanes, ConvPass::weight_gradient))
      winograd_boxes_weight_gradient<A>(g, *boxes, input, gy, gw);
    else if (const auto tile = winograd_tile(g, lanes, ConvPass::weight_gradient))
      winograd_weight_gradient<A>(g, *tile, input, gy, gw);
    else if (const auto plane = winograd_plane_tile(g, lanes, ConvPass::weight_gradient))
      winograd_plane_weight_gradient<A>(g, *plane, input, gy, gw);
    else direct_weight_gradient<A>(g, input, gy, gw);
  });
}
void conv3d_weight_gradient(Cpu on, const Conv3dProblem& p, View x, View gy, View gw) {
  if (p.out_voxels() == 0) return fill(on, p.weights(), 0, gw);
  conv3d_weight_gradient(on, p, ConvPart{x, p.c}, gy, gw);
}

void conv3d_bias_gradient(Cpu, int64_t rows, int64_t channels, View g, View gb) {
  constexpr int64_t kChunkBytes = 256 << 10;
  on_dtype(g.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const ConvIsa<A> isa = conv_isa<A>();
    const int64_t chunk = std::max<int64_t>(64, kChunkBytes / (channels * int64_t(sizeof(T)))), chunks = chunk_count(rows, chunk);
    std::vector<A> sums(size_t(chunks * channels));
    parallel_chunks(rows, chunk, [&](int64_t c, int64_t begin, int64_t end) {
      isa.column_sums(g.dtype, element(g, begin * channels), end - begin, channels, sums.data() + c * channels);
    });
    for (int64_t c = 0; c < channels; ++c) gb.as<A>()[c] = 0;
    for (int64_t i = 0; i < chunks * channels; ++i) gb.as<A>()[i % channels] += sums[size_t(i)];
  });
}

}  // namespace voxgrad
