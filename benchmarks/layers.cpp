// Convolutions of networks, pass by pass, beside oneDNN where the build has it; and their errors against f64.
#include "benchmarks/layers.h"

#include <cmath>

#include "core/device/conv_backend.h"
#include "kernels/binary/binary.h"

namespace voxgrad::bench {
namespace {

Json json_of(const Int3& v) { return {v.d, v.h, v.w}; }

// max |a - b| / max |b|; NaN where a or b holds one.
double relative_error(const Tensor& a, const Tensor& b) {
  const std::vector<double> got = a.values(), wanted = b.values();
  double error = 0, largest = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double e = std::abs(got[i] - wanted[i]);
    error = e > error || e != e ? e : error;
    largest = std::max(largest, std::abs(wanted[i]));
    if (error != error) return error;
  }
  return error / largest;
}

// max |error| / max |result| against f64. Activations are rounded to the dtype before both computations, so that the error is that of the
// arithmetic, of what becomes of the f32 weights beside bf16, and of rounding the result.
Case precision_case(const Layer& layer, Pass pass) {
  return {.group = "precision",
          .name = layer.name + "/" + name_of(pass),
          .tags = layer.tags,
          .work = layer.work(),
          .dtypes = {DType::f32, DType::bf16},
          .prepare = [=](const Setting& s) {
            const auto error = std::make_shared<double>(NAN);
            const auto run = [=] {
              const LayerTensors given = layer_tensors(layer, s.dtype, s.device);
              const auto wide = [](const Tensor& t) { return t.to(Device{}).to(DType::f64); };
              LayerTensors exact{wide(given.x), wide(given.y), wide(given.w)};
              run_layer(layer, pass, exact);
              run_layer(layer, pass, given);
              const auto result = [&](const LayerTensors& t) {
                return pass == Pass::forward ? t.y : pass == Pass::input_gradient ? t.x : t.w;
              };
              *error = relative_error(result(given), result(exact));
            };
            return Job{.contenders = {{"voxgrad", run}}, .facts = [=] { return Json{{"relative_error", *error}}; }, .once = true};
          }};
}

}  // namespace

const char* name_of(Pass pass) {
  return pass == Pass::forward ? "forward" : pass == Pass::input_gradient ? "input gradient" : "weight gradient";
}

Json Layer::work() const {
  return {{"op", "conv3d"},
          {"transposed", transposed},
          {"batch", p.n},
          {"in", transposed ? p.k : p.c},
          {"out", transposed ? p.c : p.k},
          {"size", json_of(transposed ? p.out : p.in)},
          {"kernel", json_of(p.kernel)},
          {"stride", json_of(p.stride)},
          {"padding", json_of(p.padding)},
          {"groups", p.groups}};
}

LayerTensors layer_tensors(const Layer& l, DType t, Device device) {
  const Conv3dProblem& p = l.p;
  const Shape in{p.n, p.in.d, p.in.h, p.in.w, p.c}, out{p.n, p.out.d, p.out.h, p.out.w, p.k};
  const Tensor w = random_tensor({p.k, p.kernel.d, p.kernel.h, p.kernel.w, p.c / p.groups}, accum_of(t), 3, device);
  const double fan_in = double(p.taps()) * double(p.c / p.groups);
  const Tensor scale = Tensor::scalar(std::sqrt(3 / fan_in), w.dtype(), device);
  return {random_tensor(l.transposed ? out : in, t, 1, device), random_tensor(l.transposed ? in : out, t, 2, device), mul(w, scale)};
}

void run_layer(const Layer& l, Pass pass, const LayerTensors& t) {
  const Tensor &in = l.transposed ? t.y : t.x, &out = l.transposed ? t.x : t.y;
  const bool by_forward = l.transposed ? pass == Pass::input_gradient : pass == Pass::forward;
  on_device(t.x.device(), [&](auto on) {
    if (pass == Pass::weight_gradient) conv3d_weight_gradient(on, l.p, in.view(), out.view(), t.w.view());
    else if (by_forward) conv3d_forward(on, l.p, in.view(), t.w.view(), {}, out.view());
    else conv3d_input_gradient(on, l.p, out.view(), t.w.view(), {}, in.view());
  });
}

Case layer_case(const std::string& group, const Layer& layer, Pass pass, const std::vector<DType>& dtypes) {
  Json work = layer.work();
  work["pass"] = name_of(pass);
  return {.group = group,
          .name = layer.name + "/" + name_of(pass),
          .tags = layer.tags,
          .work = std::move(work),
          .dtypes = dtypes,
          .prepare = [layer, pass, group](const Setting& s) {
            const LayerTensors t = layer_tensors(layer, s.dtype, s.device);
            Job job{.contenders = {{"voxgrad", [=] { run_layer(layer, pass, t); }}},
                    .flops = layer.flops(),
                    .bytes = double(t.x.bytes() + t.y.bytes() + t.w.bytes())};
            if (group == "layers" && !s.device.is_cpu() && cudnn_version() > 0) {
              Layer by_cudnn = layer;
              by_cudnn.p.cudnn = true;
              const LayerTensors own = layer_tensors(layer, s.dtype, s.device);
              job.contenders.push_back({"cudnn", [=] { run_layer(by_cudnn, pass, own); }});
            }
            if (group == "layers" && s.device.is_cpu())
              if (auto peer = onednn_layer(layer, pass, s)) job.contenders.push_back({"onednn", std::move(peer)});
            return job;
          }};
}

void add_layer_cases(const Sizes& sizes, std::vector<Case>& cases) {
  for (const Layer& l : network_layers(sizes))
    for (Pass pass : kPasses) cases.push_back(layer_case("layers", l, pass, {DType::f32, DType::bf16}));
}

void add_precision_cases(const Sizes& sizes, std::vector<Case>& cases) {
  for (const Layer& l : network_layers(sizes))
    if (l.tags.front() == "table")
      for (Pass pass : kPasses) cases.push_back(precision_case(l, pass));
}

// The extents and channels are those of networks and, between them, odd ones and primes, where kernels have their seams.
void add_sweep_cases(const Sizes& sizes, std::vector<Case>& cases) {
  const std::vector<DType> dtypes = {DType::f32, DType::bf16};
  const auto named = [](Layer l, const std::string& name) {
    l.name = name;
    return l;
  };
  for (int n : {32, 36, 40, 47, 48, 56, 63, 64, 65, 72, 80, 96, 97, 112, 127, 128, 144, 160, 192, 224, 256})
    for (Pass pass : kPasses) {
      if (pass != Pass::forward && n > 160) continue;
      const Int3 size{sizes.extent(n), sizes.extent(n), sizes.extent(n)};
      cases.push_back(layer_case("sweep", named(conv_layer(sizes.channels(32), sizes.channels(32), size), "voxels " + std::to_string(n)),
                                 pass, dtypes));
    }
  for (int c : {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 12, 14,  15,  16,  17,  18,  20,  24,  28,  31,  32,  33,  36,  40,  44,
                48, 56, 60, 63, 64, 65, 72, 80, 88, 96, 97, 112, 120, 127, 128, 144, 160, 176, 192, 224, 255, 256, 257, 288, 320}) {
    const int extent = sizes.extent(c <= 64 ? 32 : 16), channels = sizes.channels(c);
    for (Pass pass : kPasses)
      cases.push_back(layer_case("sweep", named(conv_layer(channels, channels, {extent, extent, extent}), "channels " + std::to_string(c)),
                                 pass, dtypes));
  }
}

}  // namespace voxgrad::bench
