#include "kernels/conv3d_fused/conv3d_fused.h"

#include <algorithm>

#include "core/autograd.h"
#include "kernels/binary/binary.h"
#include "kernels/concat/concat.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "kernels/norm/norm_kernels.h"
#include "kernels/norm_act/norm_act.h"
#include "kernels/pointwise/pointwise_kernels.h"
#include "kernels/split/split.h"

namespace voxgrad {
namespace {

// A source as it is saved: detached, with the statistics of its norm.
struct Part {
  ConvSource source;
  Tensor stats, coefficients;
  NormProblem norm;
  int64_t first = 0, channels = 0;  // within the weight
  int input = 0;                    // of the op: x or its parts, then scale and shift

  int after_x() const { return input + std::max(1, int(source.parts.size())); }
  ConvPart view() const { return {source.x.view(), channels, coefficients.view(), norm.slope, source.of_batch}; }
};

void check_batch_norm(const ConvSource& s) {
  check(!s.of_batch || (s.groups == 0 && (s.stats || s.coefficients)), "conv3d_fused: a batch norm of ", s.x,
        " needs its statistics, and no groups");
  check(s.of_batch || !s.constant, "conv3d_fused: constant statistics of ", s.x, " are those of a batch norm");
}

Part part_of(ConvSource s, int64_t first) {
  Part part{.source = std::move(s), .first = first};
  ConvSource& saved = part.source;
  saved.x = saved.x.detach();
  for (Tensor& t : saved.parts) t = t.detach();
  saved.scale = saved.scale.detach();
  saved.shift = saved.shift.detach();
  part.channels = saved.x.dim(4);
  if (!saved.normalised) return part;
  const DType accum = accum_of(saved.x.dtype());
  for (const Tensor& v : {saved.scale, saved.shift})
    check(!v || (v.shape() == Shape{part.channels} && v.dtype() == accum), "conv3d_fused: scale and shift of ", saved.x, " are ",
          name_of(accum), " {", part.channels, "} or absent, not ", v);
  check(saved.eps >= 0 && saved.slope >= 0, "conv3d_fused: eps ", saved.eps, " and slope ", saved.slope, " must not be negative");
  check(saved.groups >= 0 && (saved.groups == 0 || part.channels % saved.groups == 0), "conv3d_fused: ", saved.groups,
        " groups of a norm do not divide ", saved.x);
  check_batch_norm(saved);
  const int64_t n = saved.x.dim(0), groups = saved.groups ? saved.groups : part.channels, samples = saved.of_batch ? 1 : n;
  part.norm = {.samples = samples, .voxels = saved.x.count() / (samples * part.channels), .channels = part.channels, .groups = groups};
  part.norm.eps = saved.eps;
  part.norm.slope = saved.slope;
  part.norm.constant_statistics = saved.constant;
  if (saved.coefficients) {
    part.coefficients = saved.coefficients;
    return part;
  }
  const Shape wanted = {3, samples, groups};
  check(!saved.stats || (saved.stats.shape() == wanted && saved.stats.dtype() == accum), "conv3d_fused: statistics of ", saved.x, " are ",
        name_of(accum), " ", wanted, ", not ", saved.stats);
  part.stats = saved.stats ? saved.stats.detach() : Tensor::empty(wanted, accum, saved.x.device());
  part.coefficients = Tensor::empty({n, 3, part.channels}, accum, saved.x.device());
  on_device(saved.x.device(), [&](auto on) {
    if (!saved.stats) norm_statistics(on, part.norm, saved.x.view(), part.stats.view(), {});
    norm_coefficients(on, part.norm, part.stats.view(), saved.scale.view(), saved.shift.view(), part.coefficients.view(), n / samples);
  });
  return part;
}

View from_channel(const Tensor& w, int64_t first) {
  return {static_cast<char*>(w.view().data) + first * int64_t(size_of(w.dtype())), w.dtype()};
}

// The gradients of x or its parts, scale and shift.
void add_source_gradients(Grads& g, const Part& part, const Conv3dProblem& sub, const Tensor& gy, const Tensor& w, Needs needs) {
  const int scale = part.after_x(), shift = scale + 1;
  bool of_x = false;
  for (int i = part.input; i < scale; ++i) of_x = of_x || needs[i];
  if (!of_x && !needs[scale] && !needs[shift]) return;
  const ConvSource& s = part.source;
  const bool cpu = gy.device().is_cpu(), takes = of_x && s.parts.empty() && !(cpu && s.normalised);
  const Tensor given = takes ? given_gradient(sub, gy.device(), size_t(part.input)) : Tensor{};  // to x; z is this op's alone
  const bool in_place = given.is_sole_owner() && !cpu;
  const Tensor gz = in_place && !s.normalised ? given : Tensor::empty_like(s.x);
  const View of_part = from_channel(w, part.first);
  Tensor sums;  // for the norm, where they are taken as gz is written
  on_device(gy.device(), [&](auto on) {
    if constexpr (std::is_same_v<decltype(on), Cuda>) {
      const bool summed = s.normalised && (!s.constant || needs[scale] || needs[shift]);
      if (summed && conv3d_takes_sums(on, sub, gz.dtype()))
        sums = Tensor::empty({part.norm.samples, part.channels, 2}, DType::f64, gz.device());
      const WrittenSums written{part.view(), part.stats.view(), sums.view(), part.norm.groups};
      conv3d_input_gradient(on, sub, gy.view(), of_part, {}, gz.view(), written, s.normalised ? View{} : given.view());
    } else {
      conv3d_input_gradient(on, sub, gy.view(), of_part, {}, gz.view(), given.view());
    }
  });
  const Tensor gx = !of_x ? Tensor{} : in_place ? given : gz;
  if (needs[scale]) g[size_t(scale)] = Tensor::empty_like(s.scale);
  if (needs[shift]) g[size_t(shift)] = Tensor::empty_like(s.shift);
  on_device(gy.device(), [&](auto on) {
    if (!s.normalised) return;
    const NormGradients out{gx.view(), g[size_t(scale)].view(), g[size_t(shift)].view(), {}, given.view()};
    if constexpr (std::is_same_v<decltype(on), Cuda>)
      norm_backward(on, part.norm, s.x.view(), {}, gz.view(), part.stats.view(), s.scale.view(), s.shift.view(), out, sums.view());
    else norm_backward(on, part.norm, s.x.view(), {}, gz.view(), part.stats.view(), s.scale.view(), s.shift.view(), out);
  });
  if (s.parts.empty() || !of_x) return void(g[size_t(part.input)] = gx);
  std::vector<int64_t> extents;
  for (const Tensor& t : s.parts) extents.push_back(t.dim(4));
  const std::vector<Tensor> of_parts = split(gx, extents, 4);
  for (size_t i = 0; i < of_parts.size(); ++i)
    if (needs[part.input + int(i)]) g[size_t(part.input) + i] = of_parts[i];
}

std::vector<ConvPart> views_of(const std::vector<Part>& parts) {
  std::vector<ConvPart> views;
  for (const Part& p : parts) views.push_back(p.view());
  return views;
}

// A batch norm of few voxels is stored on the CPU: it is little beside the weights, and parts of their gradient would each normalise it.
bool reads(Cpu on, const Conv3dProblem& p, const std::vector<ConvSource>& sources) {
  constexpr int64_t kFewVoxels = 512;
  const auto of_batch = [](const ConvSource& s) { return s.of_batch && !s.coefficients; };
  if (p.out_voxels() <= kFewVoxels && std::any_of(sources.begin(), sources.end(), of_batch)) return false;
  const auto could_be_stored = [](const ConvSource& s) { return s.normalised && !s.coefficients; };
  return std::none_of(sources.begin(), sources.end(), could_be_stored) || conv3d_reads_normalised(on, p);
}
[[maybe_unused]] bool reads(Cuda on, const Conv3dProblem& p, const std::vector<ConvSource>& sources) {
  std::vector<ConvPart> places;
  for (const ConvSource& s : sources) places.push_back({s.x.view(), s.x.dim(4)});
  if constexpr (kCuda) return conv3d_reads_parts(on, p, places.data(), int64_t(places.size()));
  return false;
}

void forward(Cpu on, const Conv3dProblem& p, const std::vector<ConvPart>& x, const Tensor& w, const ConvOutput& y) {
  conv3d_forward(on, p, x.data(), int64_t(x.size()), w.view(), y, kept_weight(p, y.y.dtype, w));
}
[[maybe_unused]] void forward(Cuda on, const Conv3dProblem& p, const std::vector<ConvPart>& x, const Tensor& w, const ConvOutput& y) {
  if constexpr (kCuda) conv3d_forward(on, p, x.data(), int64_t(x.size()), w.view(), y);
}

void weight_gradient(Cpu on, const Conv3dProblem& p, const std::vector<Part>& parts, const Tensor& gy, const Tensor& gw) {
  for (const Part& part : parts) {
    Conv3dProblem sub = p;
    sub.c = part.channels;
    sub.w_channels = p.c;
    conv3d_weight_gradient(on, sub, part.view(), gy.view(), from_channel(gw, part.first));
  }
}
[[maybe_unused]] void weight_gradient(Cuda on, const Conv3dProblem& p, const std::vector<Part>& parts, const Tensor& gy, const Tensor& gw) {
  const std::vector<ConvPart> x = views_of(parts);
  if constexpr (kCuda) conv3d_weight_gradient(on, p, x.data(), int64_t(x.size()), gy.view(), gw.view());
}

// The gradient of what was activated to y.
Tensor before_activation(const Tensor& y, const Tensor& gy, double slope) {
  Tensor gz = Tensor::empty_like(gy);
  on_device(gy.device(), [&](auto on) {
    pointwise_backward(on, formula::LeakyRelu(slope), gy.count(), {}, y.view(), gy.view(), gz.view());
  });
  return gz;
}

Tensor composed(const Tensor& x, const Tensor& w, const Tensor& b, const Conv3dOptions& options, const ConvTail& tail) {
  Tensor y = conv3d(x, w, b, options, tail.residual || tail.slope != 1 ? nullptr : tail.statistics);
  if (tail.residual) y = add(y, tail.residual);
  return tail.slope == 1 ? y : leaky_relu(y, tail.slope);
}

}  // namespace

Tensor evaluate(const ConvSource& s) {
  check(!s.coefficients, "conv3d_fused: a source with statistics of its own cannot be stored");
  if (!s.normalised) return s.x;
  check_batch_norm(s);
  if (s.of_batch)
    return batch_norm_act(s.x, s.scale, s.shift, {}, {}, {.slope = s.slope, .eps = s.eps, .training = !s.constant, .stats = s.stats});
  if (s.groups > 0)
    return group_norm_act(s.x, s.scale, s.shift, {}, {.groups = s.groups, .slope = s.slope, .eps = s.eps, .stats = s.stats});
  return instance_norm_act(s.x, s.scale, s.shift, {}, {.slope = s.slope, .eps = s.eps, .stats = s.stats});
}

ConvSource with_statistics(const ConvSource& s) {
  check(!Graph::wanted({s.x, s.scale, s.shift}), "conv3d_fused: statistics are taken ahead at inference alone");
  if (!s.normalised || s.coefficients) return s;
  if (!s.x.device().is_cpu()) return {evaluate(s)};
  ConvSource out = s;
  out.coefficients = part_of(s, 0).coefficients;
  return out;
}

ConvSource planes_of(const ConvSource& s, int64_t begin, int64_t end) {
  const Shape all = s.x.shape();
  check(all.rank == 5 && all[0] == 1 && 0 <= begin && begin < end && end <= all[1] && (!s.normalised || s.coefficients),
        "conv3d_fused: planes ", begin, " to ", end, " of ", s.x, " are no part of one sample that has its statistics");
  ConvSource out = s;
  out.x = s.x.reshape({all[1], all[2], all[3], all[4]}).rows(begin, end).reshape(all.with(1, end - begin));
  return out;
}

Tensor conv3d_fused(const std::vector<ConvSource>& given, const Tensor& w, const Tensor& b, const Conv3dOptions& options,
                    const ConvTail& tail) {
  std::vector<ConvSource> sources = given;
  check(!sources.empty() && sources.size() <= 16, "conv3d_fused: ", sources.size(), " sources, 1 to 16 are possible");
  check(options.groups == 1, "conv3d_fused: ", options.groups, " groups, only one is possible");
  int64_t channels = 0;
  const Tensor x = given.front().x;
  for (const ConvSource& s : sources) {
    check(s.x && is_floating(s.x.dtype()) && s.x.shape().rank == 5 && s.x.count() > 0,
          "conv3d_fused: floating activations {N, D, H, W, C}"
          " with elements are wanted, not ",
          s.x);
    check(s.x.dtype() == x.dtype() && s.x.device() == x.device() && s.x.dim(0) == x.dim(0) && s.x.shape().spatial() == x.shape().spatial(),
          "conv3d_fused: ", s.x, " does not fit beside ", x, ": only the channels may differ");
    check(!s.coefficients || !Graph::wanted({s.x, s.scale, s.shift, w, b, tail.residual}),
          "conv3d_fused: with statistics taken ahead there is no gradient");
    int64_t joined = s.parts.empty() ? s.x.dim(4) : 0;
    for (const Tensor& t : s.parts) joined += t.shape().with(4, 1) == s.x.shape().with(4, 1) && t.dtype() == s.x.dtype() ? t.dim(4) : 0;
    check(joined == s.x.dim(4), "conv3d_fused: ", s.x, " is no concatenation of its ", s.parts.size(), " parts");
    channels += s.x.dim(4);
  }
  const Shape& in = x.shape();
  const Conv3dProblem p = conv3d_problem({in[0], in[1], in[2], in[3], channels}, x, w, b, options);
  const Shape out = {p.n, p.out.d, p.out.h, p.out.w, p.k};
  const Tensor& more = tail.residual;
  check(!more || (more.shape() == out && more.dtype() == x.dtype() && more.device() == x.device()), "conv3d_fused: a residual of ", out,
        " as ", x, " is wanted, not ", more);
  check(tail.slope >= 0, "conv3d_fused: the slope ", tail.slope, " behind the sum must not be negative");
  if (!on_device(x.device(), [&](auto on) { return reads(on, p, sources); })) {
    std::vector<Tensor> stored;
    for (const ConvSource& s : sources) stored.push_back(evaluate(s));
    const Tensor whole = stored.size() == 1 ? stored[0] : concat(stored, -1);
    if (p.cudnn || (!more && tail.slope == 1)) return composed(whole, w, b, options, tail);
    sources = {{whole}};
  }
  Tensor y = Tensor::empty(out, x.dtype(), x.device());
  std::vector<Part> parts;
  std::vector<Tensor> inputs;
  for (const ConvSource& s : sources) {
    parts.push_back(part_of(s, parts.empty() ? 0 : parts.back().first + parts.back().channels));
    parts.back().input = int(inputs.size());
    if (s.parts.empty()) inputs.push_back(s.x);
    for (const Tensor& t : s.parts) inputs.push_back(t);
    for (const Tensor& t : {s.scale, s.shift}) inputs.push_back(s.normalised ? t : Tensor{});
  }
  inputs.push_back(w);
  inputs.push_back(b);
  inputs.push_back(more);
  const ConvOutput stored = {.y = y.view(), .bias = b.view(), .residual = more.view(), .slope = tail.slope,
                             .statistics = written_statistics(p, y, tail.statistics)};
  on_device(x.device(), [&](auto on) { forward(on, p, views_of(parts), w, stored); });
  // Inputs for each source: what it is, and the scale and shift of its norm.
  Op op = {"conv3d_fused", attributes_of(options)};
  std::vector<int> normalised, norm_groups, of_batch, constant;
  std::vector<double> slopes, eps;
  for (const ConvSource& s : sources) {
    normalised.push_back(s.normalised);
    slopes.push_back(s.slope);
    eps.push_back(s.eps);
    norm_groups.push_back(s.groups);
    of_batch.push_back(s.of_batch);
    constant.push_back(s.constant);
  }
  op.add("normalised", normalised);
  op.add("slope", slopes);
  op.add("eps", eps);
  for (const auto& [name, of_norm] : {std::pair{"norm_groups", norm_groups}, {"of_batch", of_batch}, {"constant", constant}})
    if (std::any_of(of_norm.begin(), of_norm.end(), [](int v) { return v > 0; })) op.add(name, of_norm);
  if (tail.slope != 1) op.add("tail_slope", tail.slope);
  const Tensor activated = tail.slope == 1 ? Tensor{} : y.detach();
  for (Part& part : parts)
    if (!part.source.parts.empty()) part.source.x = {};
  return record(op, inputs, y, [p, saved = parts, w = w.detach(), activated, slope = tail.slope](const Tensor& of_y, Needs needs) {
    std::vector<Part> parts = saved;
    for (Part& part : parts)
      if (!part.source.parts.empty()) part.source.x = concat(part.source.parts, -1);
    const int weight = parts.back().after_x() + 2;
    Grads g(size_t(weight + 3));
    const Tensor gy = activated ? before_activation(activated, of_y, slope) : of_y;
    if (needs[weight + 2]) g[size_t(weight + 2)] = gy;
    if (needs[weight]) g[size_t(weight)] = Tensor::empty_like(w);
    for (size_t i = 0; i < parts.size(); ++i) {
      Conv3dProblem sub = p;
      sub.c = parts[i].channels;
      sub.w_channels = p.c;
      add_source_gradients(g, parts[i], sub, gy, w, needs);
    }
    if (needs[weight]) on_device(gy.device(), [&](auto on) { weight_gradient(on, p, parts, gy, g[size_t(weight)]); });
    if (needs[weight + 1]) g[size_t(weight + 1)] = gradient_of_bias(p, gy);
    return g;
  });
}

}  // namespace voxgrad
