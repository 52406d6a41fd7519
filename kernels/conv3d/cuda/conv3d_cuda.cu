// Which kernels a convolution takes on CUDA.
#include "core/cuda/chip.h"
#include "core/cuda/ptx.h"
#include "kernels/conv3d/conv3d_traffic_kernels.h"
#include "kernels/conv3d/cuda/conv3d_choice_kernels.h"
#include "kernels/conv3d/cuda/conv3d_cudnn_kernels.h"
#include "kernels/conv3d/cuda/conv3d_gathers.cuh"
#include "kernels/conv3d/cuda/conv3d_products.cuh"
#include "kernels/conv3d/cuda_depthwise/conv3d_depthwise.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_narrow.cuh"
#include "kernels/conv3d/cuda_thin/conv3d_thin.cuh"
#include "kernels/conv3d/cuda_winograd/conv3d_winograd.cuh"

namespace voxgrad {
namespace {

template <class T>
__global__ void conv3d_pack_kernel(ConvGather g, WeightPack p, bool rounded, const float* w, T* packed) {
  const int outer = p.transposed ? p.columns : p.rows, inner = p.transposed ? p.rows : p.columns;
  for (int64_t i : grid_stride(int64_t(g.groups) * g.taps * p.rows * p.columns)) {
    const int in = int(i % inner), out = int(i / inner % outer), tap = int(i / inner / outer % g.taps);
    const int group = int(i / inner / outer / g.taps), row = p.transposed ? in : out, column = p.transposed ? out : in;
    float v = joined_weight_of(g, p, w, group, tap, row, column);
    if (rounded) v = __uint_as_float(tf32_of(v));
    packed[i] = T(v);
  }
}

// Those before mma read one tensor as it is; head may normalise it.
enum class GatherKernel { direct, depthwise, thin, head, narrow, mma, winograd, wgmma, tma, lines, lines_tma };
GatherKernel kernel_of(Cuda on, const ConvGather& given, int element, bool exact) {
  const ConvGather g = joined_gather(given, element, exact);
  const bool apart = g.groups == given.groups;  // only those behind these know of joined groups
  if (g.taps == 0) return GatherKernel::direct;
  if (apart && depthwise_is_possible(g)) return GatherKernel::depthwise;
  if (apart && !exact && head_is_possible(g, element)) return GatherKernel::head;
  if (apart && !exact && thin_is_possible(g, element)) return GatherKernel::thin;
  if (apart && !exact && narrow_is_possible(g, element)) return GatherKernel::narrow;
  if (few_channels(g)) return GatherKernel::direct;
  const ConvWay way = conv_way({.architecture = cuda::chip_of(on).architecture,
                                .element = element,
                                .exact = exact,
                                .outputs = g.outputs,
                                .taps = g.taps,
                                .waste = wgmma_waste(g, element, exact, false),
                                .boxes = wgmma_waste(g, element, exact, true) > 0,
                                .lines = wgmma_lines_gain(g, element, exact),
                                .line_boxes = wgmma_lines_have_boxes(g, element),
                                .winograd = apart && !exact && winograd_is_possible(g, element)});
  if (way == ConvWay::lines) return GatherKernel::lines;
  if (way == ConvWay::lines_tma) return GatherKernel::lines_tma;
  if (way == ConvWay::wgmma) return GatherKernel::wgmma;
  if (way == ConvWay::tma) return GatherKernel::tma;
  if (way == ConvWay::winograd) return GatherKernel::winograd;
  return mma_is_possible(g) ? GatherKernel::mma : GatherKernel::direct;
}

bool by_wgmma(GatherKernel k) { return k == GatherKernel::wgmma || k == GatherKernel::tma; }
bool by_lines(GatherKernel k) { return k == GatherKernel::lines || k == GatherKernel::lines_tma; }
bool by_mma(GatherKernel k) { return k == GatherKernel::mma || k == GatherKernel::winograd; }
bool takes_moments(GatherKernel k) { return by_mma(k) || by_wgmma(k) || by_lines(k) || k == GatherKernel::thin; }
bool by_boxes(GatherKernel k) { return k == GatherKernel::tma || k == GatherKernel::lines_tma; }

ConvWay weights_way(Cuda on, const ConvGather& g, int element, bool exact) {
  if (g.taps == 0 || few_channels(g)) return ConvWay::mma;
  const ConvShape shape{.architecture = cuda::chip_of(on).architecture, .element = element, .exact = exact, .outputs = g.outputs,
                        .taps = g.taps, .waste = exact ? 0 : wgmma_weights_waste(g, element, false),
                        .boxes = !exact && wgmma_weights_waste(g, element, true) > 0};
  return conv_way(shape);
}

bool weights_by_mma(const ConvGather& g) { return !few_channels(g) && mma_weights_are_possible(g); }

template <class T>
GatherOutput<T> gather_output(const ConvGather& g, const ConvOutput& o) {
  T* const y = o.y.as<T>();
  const T* const residual = o.residual.as<T>();
  return {.y = y,
          .bias = o.bias.as<float>(),
          .whole = whole_pieces(g.outputs / g.placed, y) && aligned_to_16(residual),
          .coefficients = o.coefficients.as<float>(),
          .residual = residual,
          .slope = float(o.slope),
          .channels = g.channels(),
          .statistics = o.statistics.stats ? &o.statistics : nullptr};
}

template <class T>
void run_gather(Cuda on, const Conv3dProblem& p, const ConvGather& given, WeightPack pack, GatherInput x, const float* w,
                GatherOutput<T> out) {
  const bool exact = p.exact_f32 && dtype_of<T> == DType::f32;
  const GatherKernel kernel = kernel_of(on, given, sizeof(T), exact);
  const ConvGather g = joined_gather(given, sizeof(T), exact);
  if (g.groups < given.groups) {
    pack.joined = given.groups / g.groups;
    x = gather_input(g, static_cast<const T*>(x.part[0].x));
    out.whole = whole_pieces(g.outputs, out.y) && aligned_to_16(out.residual) && aligned_to_16(out.sums.x);
  }
  if (by_lines(kernel)) conv_gather_lines<T>(on, g, pack, by_boxes(kernel), x, w, out);
  else if (by_wgmma(kernel)) conv_gather_wgmma<T>(on, g, pack, exact, by_boxes(kernel), x, w, out);
  else if (kernel == GatherKernel::winograd && x.is_plain())
    conv_gather_winograd<T>(on, g, pack, static_cast<const T*>(x.part[0].x), w, out);
  else if (by_mma(kernel)) conv_gather_mma<T>(on, g, pack, exact, x, w, out);
  else if (const T* const from = static_cast<const T*>(x.part[0].x); kernel == GatherKernel::thin)
    conv_gather_thin<T>(on, g, pack, from, w, out);
  else if (kernel == GatherKernel::depthwise) conv_gather_depthwise<T>(on, g, pack, from, w, out);
  else if (kernel == GatherKernel::head && aligned_to_16(from)) conv_gather_head<T>(on, g, pack, x, w, out);
  else if (kernel == GatherKernel::narrow && aligned_to_16(from)) conv_gather_narrow<T>(on, g, pack, from, w, out);
  else conv_gather_direct<T>(on, g, pack, from, w, out);
}

// Where the input gradient is one gather of whole pieces to all places of a voxel: sums of a norm are of one place.
bool is_placed(Cuda on, const Conv3dProblem& p, const ConvGather& g, int element, bool summed) {
  return g.taps > 0 && !summed && p.c * element % 16 == 0 && kernel_of(on, g, element, p.exact_f32 && element == 4) == GatherKernel::mma;
}

template <class T>
void run_weights(Cuda on, const Conv3dProblem& p, const ConvGather& g, const GatherInput& x, const T* gy, float* gw) {
  const bool exact = p.exact_f32 && dtype_of<T> == DType::f32;
  if (const ConvGather all = joined_gather(g, sizeof(T), exact); all.groups < g.groups)
    return conv_weights_mma<T>(on, all, g.groups / all.groups, false, gather_input(all, static_cast<const T*>(x.part[0].x)), gy, gw);
  const ThinSide thin = thin_side(g, sizeof(T), exact);
  const T* const in = static_cast<const T*>(x.part[0].x);
  const int64_t filter = int64_t(g.taps) * g.inputs;
  if (thin == ThinSide::x)
    return conv_weights_thin<T>(on, g, {.wide = filter, .tap = g.inputs, .narrow = 1}, in, {.part = {{.x = gy}}}, gw);
  if (thin == ThinSide::gy)
    return conv_weights_thin<T>(on, exchanged(g), {.wide = 1, .tap = -g.inputs, .narrow = filter, .first = filter - g.inputs}, gy, x, gw);
  if (depthwise_is_possible(g)) return conv_weights_depthwise<T>(on, g, in, gy, gw);
  const ConvWay way = weights_way(on, g, sizeof(T), exact);
  if (way != ConvWay::mma) conv_weights_wgmma<T>(on, g, way == ConvWay::tma, x, gy, gw);
  else if (weights_by_mma(g)) conv_weights_mma<T>(on, g, 1, exact, x, gy, gw);
  else conv_weights_direct<T>(on, g, in, gy, gw);
}

int elements_of_piece(const ConvPart& p) { return 16 / int(size_of(p.x.dtype)); }
// Parts of a gather of one group, or one part.
GatherInput input_of(const ConvGather& g, const ConvPart* parts, int64_t count) {
  GatherInput x{.whole = true};
  for (int64_t i = 0; i < count; ++i) {
    const ConvPart& p = parts[i];
    const int used = int(p.channels) / g.groups;
    x.part[i] = {p.x.data, p.coefficients.as<float>(), float(p.slope), int(p.channels), used};
    x.whole = x.whole && used % elements_of_piece(p) == 0 && aligned_to_16(static_cast<const char*>(p.x.data));
  }
  if (count == 2) x.split = int(parts[0].channels) / elements_of_piece(parts[0]);
  return x;
}

ConvTraffic traffic_of(Cuda on, const ConvGather& given, const Conv3dProblem& p, DType t) {
  const bool exact = p.exact_f32 && t == DType::f32;
  const int element = int(size_of(t));
  const ConvGather g = joined_gather(given, element, exact);
  const GatherKernel kernel = kernel_of(on, given, element, exact);
  if (by_lines(kernel)) return wgmma_lines_traffic(g, element, by_boxes(kernel), cuda::chip_of(on).multiprocessors);
  if (by_wgmma(kernel)) return wgmma_traffic(on, g, element, exact, by_boxes(kernel));
  if (kernel == GatherKernel::thin) return thin_traffic(g, element, cuda::chip_of(on).multiprocessors);
  if (kernel == GatherKernel::head) return head_traffic(g, element);
  if (kernel == GatherKernel::narrow) return narrow_traffic(g, element, cuda::chip_of(on).multiprocessors);
  if (kernel == GatherKernel::depthwise) return depthwise_traffic(g, element, cuda::chip_of(on).multiprocessors);
  if (kernel == GatherKernel::winograd) return winograd_traffic(g, element);
  return kernel == GatherKernel::mma ? mma_traffic(on, g, element, exact) : ConvTraffic{};
}

}  // namespace

template <class T>
void pack_weights(Cuda on, const ConvGather& g, const WeightPack& p, bool rounded, const float* w, T* packed) {
  launch<conv3d_pack_kernel<T>>(on, grid_over(packed_count(g, p)), g, p, rounded, w, packed);
}
template void pack_weights(Cuda, const ConvGather&, const WeightPack&, bool, const float*, float*);
template void pack_weights(Cuda, const ConvGather&, const WeightPack&, bool, const float*, bf16*);
template void pack_weights(Cuda, const ConvGather&, const WeightPack&, bool, const float*, f16*);

bool conv3d_takes_statistics(Cuda on, const Conv3dProblem& p, DType x) {
  const bool exact = p.exact_f32 && x == DType::f32;
  if (by_cudnn(p)) return false;
  return takes_moments(kernel_of(on, conv_forward_gather(p), int(size_of(x)), exact));
}

bool conv3d_takes_sums(Cuda on, const Conv3dProblem& p, DType x) {
  const bool exact = p.exact_f32 && x == DType::f32;
  bool all = !by_cudnn(p);
  for_gradient_gathers(p, [&](const ConvGather& g) {  // without taps gx is 0, and adds nothing
    all = all && (g.taps == 0 || takes_moments(kernel_of(on, g, int(size_of(x)), exact)));
  });
  return all;
}

void conv3d_forward(Cuda on, const Conv3dProblem& p, View x, View w, View b, View y, const WrittenStatistics& written) {
  if (by_cudnn(p)) return cudnn_forward(on, p, x, w, b, y);
  const ConvGather g = conv_forward_gather(p);
  on_dtype(x.dtype, [&]<class T>() {
    run_gather(on, p, g, forward_pack(p, g), gather_input(g, x.as<T>()), w.as<float>(),
               gather_output<T>(g, {.y = y, .bias = b, .statistics = written}));
  });
}

void conv3d_input_gradient(Cuda on, const Conv3dProblem& p, View gy, View w, View b, View gx, const WrittenSums& written,
                           View residual) {
  if (by_cudnn(p)) return cudnn_input_gradient(on, p, gy, w, b, gx);
  if (depthwise_gradient_is_possible(p))
    return on_dtype(gy.dtype, [&]<class T>() {
      const ConvGather g{.groups = p.groups};
      conv_input_gradient_depthwise<T>(on, p, gy.as<T>(), w.as<float>(), gather_output<T>(g, {gx, b}));
    });
  const WeightPack pack = gradient_pack(p);
  if (const ConvGather g = placed_gather(p); is_placed(on, p, g, int(size_of(gy.dtype)), bool(written.sums)))
    return on_dtype(gy.dtype, [&]<class T>() {
      run_gather(on, p, g, pack, gather_input(g, gy.as<T>()), w.as<float>(),
                 gather_output<T>(g, {.y = gx, .bias = b, .residual = residual}));
    });
  bool more = false;
  for_gradient_gathers(p, [&](const ConvGather& g) {
    on_dtype(gy.dtype, [&]<class T>() {
      GatherOutput<T> out = gather_output<T>(g, {.y = gx, .bias = b, .residual = residual});
      const GatherTotals totals{written, more};
      if (written.sums && g.taps > 0) {
        const ConvPart& part = written.part;
        out.sums = {.x = part.x.as<T>(), .coefficients = part.coefficients.as<float>(), .slope = float(part.slope), .totals = &totals};
        out.whole = out.whole && aligned_to_16(out.sums.x);
        more = true;
      }
      run_gather(on, p, g, pack, gather_input(g, gy.as<T>()), w.as<float>(), out);
    });
  });
}

void conv3d_weight_gradient(Cuda on, const Conv3dProblem& p, View x, View gy, View gw) {
  if (by_cudnn(p)) return cudnn_weight_gradient(on, p, x, gy, gw);
  const ConvGather g = conv_forward_gather(p);
  on_dtype(x.dtype, [&]<class T>() { run_weights<T>(on, p, g, gather_input(g, x.as<T>()), gy.as<T>(), gw.as<float>()); });
}

bool conv3d_reads_parts(Cuda on, const Conv3dProblem& p, const ConvPart* parts, int64_t count) {
  const DType t = parts[0].x.dtype;
  const int element = int(size_of(t));
  if (by_cudnn(p) || p.groups != 1 || count > 2 || (t != DType::f32 && element != 2)) return false;
  if (count == 2 && parts[0].channels % elements_of_piece(parts[0])) return false;
  const ConvGather g = conv_forward_gather(p);
  const bool exact = p.exact_f32 && t == DType::f32;
  const GatherKernel kernel = kernel_of(on, g, element, exact);
  const bool weights = weights_way(on, g, element, exact) != ConvWay::mma;
  const bool few = kernel < GatherKernel::mma;
  if (kernel == GatherKernel::head && thin_side(g, element, exact) == ThinSide::gy)
    return count == 1 && head_may_normalise(g, element) && input_of(g, parts, count).whole;
  if (few || thin_side(g, element, exact) != ThinSide::none || !(weights || weights_by_mma(g))) return false;
  if (by_mma(kernel) && !weights) return true;
  const GatherInput x = input_of(g, parts, count);
  return x.whole && (count == 1 || x.split % kPieces == 0);
}

void conv3d_forward(Cuda on, const Conv3dProblem& p, const ConvPart* parts, int64_t count, View w, const ConvOutput& out) {
  const ConvGather g = conv_forward_gather(p);
  const GatherInput x = input_of(g, parts, count);
  on_dtype(out.y.dtype, [&]<class T>() { run_gather(on, p, g, forward_pack(p, g), x, w.as<float>(), gather_output<T>(g, out)); });
}

void conv3d_weight_gradient(Cuda on, const Conv3dProblem& p, const ConvPart* parts, int64_t count, View gy, View gw) {
  const ConvGather g = conv_forward_gather(p);
  const GatherInput x = input_of(g, parts, count);
  on_dtype(gy.dtype, [&]<class T>() { run_weights<T>(on, p, g, x, gy.as<T>(), gw.as<float>()); });
}

ConvTraffic conv3d_forward_traffic(Cuda on, const Conv3dProblem& p, DType t) {
  return by_cudnn(p) ? ConvTraffic{} : traffic_of(on, conv_forward_gather(p), p, t);
}
ConvTraffic conv3d_input_gradient_traffic(Cuda on, const Conv3dProblem& p, DType t) {
  if (by_cudnn(p)) return {};
  if (depthwise_gradient_is_possible(p)) return depthwise_gradient_traffic(p, int(size_of(t)), cuda::chip_of(on).multiprocessors);
  if (const ConvGather g = placed_gather(p); is_placed(on, p, g, int(size_of(t)), false)) return traffic_of(on, g, p, t);
  ConvTraffic sum;
  bool counted = true;
  for_gradient_gathers(p, [&](const ConvGather& g) {
    const ConvTraffic one = traffic_of(on, g, p, t);
    sum = {sum.activations + one.activations, sum.halos + one.halos, sum.others + one.others};
    counted = counted && one.bytes() > 0;
  });
  return counted ? sum : ConvTraffic{};
}

ConvTraffic conv3d_weight_gradient_traffic(Cuda on, const Conv3dProblem& p, DType t) {
  if (by_cudnn(p)) return {};
  const int element = int(size_of(t));
  const bool exact = p.exact_f32 && t == DType::f32;
  const ConvGather g = conv_forward_gather(p), all = joined_gather(g, element, exact);
  if (all.groups < g.groups) return mma_weights_traffic(all, g.groups / all.groups, element);
  const ThinSide thin = thin_side(g, element, exact);
  if (thin != ThinSide::none) return thin_weights_traffic(thin == ThinSide::x ? g : exchanged(g), element);
  if (depthwise_is_possible(g)) return depthwise_weights_traffic(g, element);
  const ConvWay way = weights_way(on, g, element, exact);
  if (way != ConvWay::mma) return wgmma_weights_traffic(on, g, element, way == ConvWay::tma);
  return weights_by_mma(g) ? mma_weights_traffic(g, 1, element) : ConvTraffic{};
}

}  // namespace voxgrad
