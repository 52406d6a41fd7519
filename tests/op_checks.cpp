#include "tests/op_checks.h"

#include <cmath>
#include <cstring>

#include "core/device/parallel.h"
#ifdef VOXGRAD_CUDA
#include "core/cuda/runtime.h"
#endif

namespace voxgrad {
namespace {

bool differentiated(const OpInput& in) { return in.role == Role::activation || in.role == Role::parameter; }

using detail::random_like;

double max_abs(const std::vector<double>& v) {
  double m = 0;
  for (double x : v) m = worse(m, std::abs(x));
  return m;
}

double max_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double m = a.size() == b.size() ? 0 : NAN;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) m = worse(m, std::abs(a[i] - b[i]));
  return m;
}

Tensors on(Device d, Tensors in) {
  for (auto& t : in) t = t.to(d);
  return in;
}

// `wanted` bit k: input k requires a gradient.
OpRun run(const OpCase& c, Tensors in, uint64_t wanted, uint64_t cotangent_seed) {
  for (size_t k = 0; k < in.size(); ++k) in[k].require_grad(differentiated(c.inputs[k]) && (wanted >> k & 1) && c.differentiable);
  OpRun r;
  r.y = c.run(in);
  if (r.y.requires_grad()) backward(r.y, random_like(r.y, r.y.dtype(), cotangent_seed).to(r.y.device()));
  r.y = r.y.detach();
  for (auto& t : in) r.grads.push_back(t.requires_grad() ? t.grad() : Tensor{});
  return r;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a || !b) return !a && !b;
  const Tensor x = a.to(Device{}), y = b.to(Device{});
  return x.shape() == y.shape() && x.dtype() == y.dtype() && std::memcmp(x.view().data, y.view().data, x.bytes()) == 0;
}

constexpr uint64_t kAll = ~uint64_t(0), kInputs = 7, kCotangent = 99;

}  // namespace

double gradient_error(const OpCase& c, uint64_t seed) {
  Tensors in = make_inputs(c, DType::f64, seed);
  bool any = false;
  for (size_t k = 0; k < in.size(); ++k) {
    in[k].require_grad(differentiated(c.inputs[k]));
    any = any || in[k].requires_grad();
  }
  return any ? gradient_error(c.run, in, {.seed = seed, .step = c.step}) : 0;
}

OpRun run_once(const OpCase& c, DType t, Device d) { return run(c, on(d, make_inputs(c, t, kInputs)), kAll, kCotangent); }

OpRun run_exactly(const OpCase& c, DType t, const OpRun& got) {
  Tensors in = make_inputs(c, t, kInputs);
  for (size_t k = 0; k < in.size(); ++k) {
    if (is_floating(in[k].dtype())) in[k] = in[k].to(DType::f64);
    in[k].require_grad(differentiated(c.inputs[k]) && c.differentiable);
  }
  OpRun exact;
  const Tensor y = c.run(in);
  // The cotangent is rounded to the dtype of the output, so that both runs see the same one.
  if (y.requires_grad()) backward(y, random_like(y, got.y.dtype(), kCotangent).to(y.dtype()));
  exact.y = y.detach();
  for (auto& x : in) exact.grads.push_back(x.requires_grad() ? x.grad() : Tensor{});
  return exact;
}

PrecisionErrors precision_errors(const OpCase& c, DType t, const OpRun& got, const OpRun& exact, double product_epsilon) {
  // Rounding of the result once, and a random walk of f32 roundings over the terms summed.
  const auto limit = [&](DType stored, double terms) {
    const double of_store = 2 * epsilon_of(stored) * (stored != DType::f32), of_sum = 4 * epsilon_of(DType::f32) * std::sqrt(terms);
    return c.slack * (of_store + of_sum + 4 * product_epsilon);
  };
  const auto fraction = [&](const Tensor& a, const Tensor& b, double allowed) {
    const std::vector<double> u = a.values(), v = b.values();
    return max_difference(u, v) / (allowed * (max_abs(v) + 1e-30));
  };
  PrecisionErrors e;
  const Tensor& y = got.y;
  e.forward = fraction(y, exact.y, limit(is_floating(y.dtype()) ? y.dtype() : DType::f32, double(c.terms)));
  for (size_t k = 0; k < c.inputs.size() && c.differentiable; ++k) {
    const OpInput& in = c.inputs[k];
    if (!differentiated(in)) continue;
    // Every product of the forward pass is one of a gradient: terms per gradient element.
    const double terms = std::max<double>(double(c.terms), double(y.count()) * double(c.terms) / double(in.shape.count()));
    const Tensor& grad = got.grads[k];
    if (!grad || grad.dtype() != (in.role == Role::parameter ? accum_of(t) : t) || grad.shape() != in.shape) e.gradient = NAN;
    // Gradients of parameters are stored in f32 but, beside half-precision activations, made from half-precision intermediates.
    else e.gradient = worse(e.gradient, fraction(grad, exact.grads[k], limit(t, terms)));
  }
  return e;
}

std::string run_fault(const OpCase& c, DType t, Device d) {
  const OpRun r = run(c, on(d, make_inputs(c, t, 11)), kAll, 12);
  const auto finite = [](const Tensor& x) {
    if (!x || !is_floating(x.dtype())) return true;
    for (double v : x.values())
      if (!std::isfinite(v)) return false;
    return true;
  };
  if (!finite(r.y)) return "the output is not finite, or not written everywhere";
  for (auto& g : r.grads)
    if (!finite(g)) return "a gradient is not finite, or not written everywhere";
  return "";
}

std::string red_zone_fault() {
  if (!memory_checks_on()) return "VOXGRAD_CHECK_MEMORY is off: nothing was checked";
  try {
    check_red_zones();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

void give_once(const OpCase& c, DType t, Device d) {
  const Tensors in = on(d, make_inputs(c, t, 11));
#ifdef VOXGRAD_CUDA
  if (!d.is_cpu()) try {
      cuda::Recording(current_stream(d), [&] { run(c, in, kAll, 12); });
      return;
    } catch (const Error&) {}  // such as of an op that waits for the device
#endif
  run(c, in, kAll, 12);
}

std::string repeat_fault(const OpCase& c, DType t, Device d, const OpRun& first, const std::vector<int>& thread_counts) {
  const int before = threads();
  std::string fault;
  for (const int count : thread_counts) {
    set_threads(count);
    const OpRun r = run_once(c, t, d);
    bool same = same_bits(r.y, first.y);
    for (size_t k = 0; k < r.grads.size(); ++k) same = same && same_bits(r.grads[k], first.grads[k]);
    if (!same) fault = "runs differ in their bits, at " + std::to_string(count) + " threads";
  }
  set_threads(before);
  return fault;
}

std::string needs_fault(const OpCase& c, Device d, const OpRun& known) {
  if (!c.differentiable) return "";
  const Tensors in = on(d, make_inputs(c, DType::f32, kInputs));
  const OpRun all = known.y ? known : run(c, in, kAll, kCotangent);
  for (size_t k = 0; k < in.size(); ++k) {
    if (!differentiated(c.inputs[k])) continue;
    const OpRun alone = run(c, in, uint64_t(1) << k, kCotangent);
    if (!same_bits(alone.grads[k], all.grads[k]))
      return "the gradient of input " + std::to_string(k) + " depends on whether others are wanted";
    for (size_t other = 0; other < in.size(); ++other)
      if (other != k && alone.grads[other]) return "the frozen input " + std::to_string(other) + " got a gradient";
    // What is returned is decided on the host, for all devices alike.
    if (d.is_cpu() && run(c, in, kAll & ~(uint64_t(1) << k), kCotangent).grads[k])
      return "the frozen input " + std::to_string(k) + " got a gradient";
  }
  return "";
}

std::string saved_bytes_fault(const OpCase& c, Device d) {
  if (c.saved_bytes < 0 || !c.differentiable) return "";
  const size_t before = memory_stats(d).in_use;
  std::shared_ptr<Node> kept;
  {
    Tensors in = on(d, make_inputs(c, DType::f32, 41));
    for (size_t k = 0; k < in.size(); ++k) in[k].require_grad(differentiated(c.inputs[k]));
    kept = Graph::node(c.run(in));
  }
  const int64_t saved = int64_t(memory_stats(d).in_use - before);
  // Each kept block is rounded up to 64 bytes and has a red zone: allow for four blocks.
  if (saved >= c.saved_bytes && saved <= c.saved_bytes + 4 * 128) return "";
  return "keeps " + std::to_string(saved) + " bytes for backward, not the stated " + std::to_string(c.saved_bytes);
}

std::string reject_fault(const OpReject& r) {
  try {
    r.run();
  } catch (const Error& e) {
    if (!std::string(e.what()).starts_with(r.words.at(0)))
      return std::string("the message \"") + e.what() + "\" does not start with \"" + r.words[0] + "\"";
    for (auto& w : r.words)
      if (std::string(e.what()).find(w) == std::string::npos)
        return std::string("the message \"") + e.what() + "\" does not say \"" + w + "\"";
    return "";
  }
  return "was accepted";
}

}  // namespace voxgrad
