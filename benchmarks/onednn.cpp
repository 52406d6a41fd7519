// oneDNN as the peer of the convolutions: versions 2 and 3, through their C++ interface. Compiled where CMake finds the library.
#include <omp.h>

#include <oneapi/dnnl/dnnl.hpp>

#include "benchmarks/layers.h"

namespace voxgrad::bench {
namespace {

using dnnl::memory;

const dnnl::engine& engine() {
  static const dnnl::engine e(dnnl::engine::kind::cpu, 0);
  return e;
}

// Implementation of primitive P for these descriptions; versions differ in how they are handed over. `hint`: the forward primitive's, for
// backward passes.
template <class P, class... Hint, class... Arguments>
typename P::primitive_desc describe(std::tuple<Arguments...> arguments, const Hint&... hint) {
  return std::apply(
      [&](const auto&... a) {
#if DNNL_VERSION_MAJOR >= 3
        return typename P::primitive_desc(engine(), a..., hint...);
#else
        return typename P::primitive_desc(typename P::desc(a...), engine(), hint...);
#endif
      },
      arguments);
}

// Shapes of a layer as oneDNN orders them: {N, C, D, H, W}, weights {out, in, T, R, S} with the group in front where there are several.
struct Geometry {
  memory::dims x, y, w, stride, padding;
  explicit Geometry(const Layer& l) {
    const Conv3dProblem& p = l.p;
    const memory::dims in{p.n, p.c, p.in.d, p.in.h, p.in.w}, out{p.n, p.k, p.out.d, p.out.h, p.out.w};
    x = l.transposed ? out : in;
    y = l.transposed ? in : out;
    w = {y[1] / p.groups, x[1] / p.groups, p.kernel.d, p.kernel.h, p.kernel.w};
    if (p.groups > 1) w.insert(w.begin(), p.groups);
    for (int a = 0; a < 3; ++a) stride.push_back(p.stride[a]), padding.push_back(p.padding[a]);
  }
};

// Random memory in the layout that an implementation asked for.
memory random_memory(const memory::desc& wanted, const memory::dims& shape, const dnnl::stream& stream) {
  int64_t count = 1;
  for (auto n : shape) count *= n;
  const Tensor values = random_tensor({count}, DType::f32, 7);
  memory::dims strides(shape.size(), 1);
  for (size_t i = shape.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * shape[i + 1];
  memory plain(memory::desc(shape, memory::data_type::f32, strides), engine(), values.view().data), made(wanted, engine());
  dnnl::reorder(plain, made).execute(stream, plain, made);
  dnnl::stream(stream).wait();
  return made;
}

template <class P>
std::function<void()> runner(const P& primitive, std::unordered_map<int, memory> arguments, dnnl::stream stream, int threads) {
  return [=]() mutable {
    omp_set_num_threads(threads);
    primitive.execute(stream, arguments);
    stream.wait();
  };
}

template <class Forward, class BackwardData, class BackwardWeights>
std::function<void()> build(const Layer& l, Pass pass, const Setting& s, dnnl::algorithm algorithm) {
  const Geometry g(l);
  const memory::data_type type = s.dtype == DType::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
  const auto any = [&](const memory::dims& shape) { return memory::desc(shape, type, memory::format_tag::any); };
  const memory::desc x = any(g.x), w = any(g.w), y = any(g.y);
  dnnl::stream stream(engine());
  const auto kind = pass == Pass::forward ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training;
  const auto forward = describe<Forward>(std::tuple(kind, algorithm, x, w, y, g.stride, g.padding, g.padding));
  const auto filled = [&](const memory::desc& wanted, const memory::dims& shape) { return random_memory(wanted, shape, stream); };
  if (pass == Pass::forward)
    return runner(Forward(forward),
                  {{DNNL_ARG_SRC, filled(forward.src_desc(), g.x)},
                   {DNNL_ARG_WEIGHTS, filled(forward.weights_desc(), g.w)},
                   {DNNL_ARG_DST, memory(forward.dst_desc(), engine())}},
                  stream, s.threads);
  if (pass == Pass::input_gradient) {
    const auto d = describe<BackwardData>(std::tuple(algorithm, x, w, y, g.stride, g.padding, g.padding), forward);
    return runner(BackwardData(d),
                  {{DNNL_ARG_DIFF_DST, filled(d.diff_dst_desc(), g.y)},
                   {DNNL_ARG_WEIGHTS, filled(d.weights_desc(), g.w)},
                   {DNNL_ARG_DIFF_SRC, memory(d.diff_src_desc(), engine())}},
                  stream, s.threads);
  }
  const auto d = describe<BackwardWeights>(std::tuple(algorithm, x, w, y, g.stride, g.padding, g.padding), forward);
  return runner(BackwardWeights(d),
                {{DNNL_ARG_SRC, filled(d.src_desc(), g.x)},
                 {DNNL_ARG_DIFF_DST, filled(d.diff_dst_desc(), g.y)},
                 {DNNL_ARG_DIFF_WEIGHTS, memory(d.diff_weights_desc(), engine())}},
                stream, s.threads);
}

}  // namespace

std::function<void()> onednn_layer(const Layer& l, Pass pass, const Setting& s) {
  if (!s.device.is_cpu() || (s.dtype != DType::f32 && s.dtype != DType::bf16)) return {};
  omp_set_num_threads(s.threads);
  try {
    if (l.transposed)
      return build<dnnl::deconvolution_forward, dnnl::deconvolution_backward_data, dnnl::deconvolution_backward_weights>(
          l, pass, s, dnnl::algorithm::deconvolution_direct);
    return build<dnnl::convolution_forward, dnnl::convolution_backward_data, dnnl::convolution_backward_weights>(
        l, pass, s, dnnl::algorithm::convolution_direct);
  } catch (const dnnl::error& e) {
    if (e.status == dnnl_unimplemented) return {};
    throw;
  }
}

std::string onednn_version() {
  const dnnl::version_t* v = dnnl::version();
  return std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch);
}

}  // namespace voxgrad::bench
