#include "kernels/conv3d/dilated/dilated.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/device/parallel.h"
#include "core/memory/memory.h"
#include "core/tensor.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 15;  // elements copied that are worth a thread

// A volume {n, extent, channels} and its voxels with one remainder along D: {n, remainders along H, along W, part, channels}, zeros where
// the volume has none.
struct Remainders {
  int64_t n, channels;
  Int3 extent, dilation, shift, part;

  int64_t count() const { return n * dilation.h * dilation.w * part.d * part.h * part.w * channels; }

  // move(voxel of the volume or -1, voxel of the part, how many, steps between those of the volume) for all runs of voxels of a row.
  template <class F>
  void rows(int64_t remainder, F&& move) const {
    const int64_t lines = n * part.d * dilation.h * part.h;
    parallel_for(lines, kGrain / (int64_t(part.w) * dilation.w * channels) + 1, [&](int64_t line) {
      const int64_t sample = line / (int64_t(part.d) * dilation.h * part.h), i = line / (int64_t(dilation.h) * part.h) % part.d;
      const int64_t j = line / dilation.h % part.h, at_h = line % dilation.h;
      const int64_t d = remainder + dilation.d * i - shift.d, h = at_h + dilation.h * j - shift.h;
      const bool inside = d >= 0 && d < extent.d && h >= 0 && h < extent.h;
      for (int64_t at_w = 0; at_w < dilation.w; ++at_w) {
        const int64_t of_sample = (sample * dilation.h + at_h) * dilation.w + at_w;
        const int64_t to = ((of_sample * part.d + i) * part.h + j) * part.w;
        // Voxels at_w + dilation.w v - shift.w of the row lie in the volume for v in [first, last).
        const int64_t start = at_w - shift.w, first = std::min<int64_t>(part.w, start < 0 ? (-start + dilation.w - 1) / dilation.w : 0);
        const int64_t last = std::clamp<int64_t>((extent.w - start + dilation.w - 1) / dilation.w, first, part.w);
        const int64_t from = ((sample * extent.d + d) * extent.h + h) * extent.w + start + dilation.w * first;
        if (!inside) move(-1, to, part.w, 0);
        else {
          if (first > 0) move(-1, to, first, 0);
          if (last > first) move(from, to + first, last - first, dilation.w);
          if (part.w > last) move(-1, to + last, part.w - last, 0);
        }
      }
    });
  }

  template <class T>
  void gather(int64_t remainder, const T* x, T* to) const {
    rows(remainder, [&](int64_t from, int64_t at, int64_t voxels, int64_t step) {
      T* y = to + at * channels;
      if (from < 0) return void(std::memset(y, 0, size_t(voxels * channels) * sizeof(T)));
      const T* z = x + from * channels;
      for (int64_t v = 0; v < voxels; ++v, y += channels, z += step * channels)
        for (int64_t c = 0; c < channels; ++c) y[c] = z[c];
    });
  }
  template <class T>
  void scatter(int64_t remainder, const T* x, T* to) const {
    rows(remainder, [&](int64_t at, int64_t from, int64_t voxels, int64_t step) {
      if (at < 0) return;
      T* y = to + at * channels;
      const T* z = x + from * channels;
      for (int64_t v = 0; v < voxels; ++v, y += step * channels, z += channels)
        for (int64_t c = 0; c < channels; ++c) y[c] = z[c];
    });
  }
};

// f<T>() for a T of the size of the dtype.
template <class F>
void on_size(DType t, F&& f) {
  if (size_of(t) == 2) f.template operator()<uint16_t>();
  else if (size_of(t) == 4) f.template operator()<uint32_t>();
  else f.template operator()<uint64_t>();
}

Remainders inputs_of(const Conv3dProblem& p, const DilatedPlan& d, int64_t channels) {
  return {p.n, channels, p.in, d.dilation, d.shift, d.part.in};
}
Remainders outputs_of(const Conv3dProblem& p, const DilatedPlan& d) { return {p.n, p.k, p.out, d.dilation, {0, 0, 0}, d.part.out}; }

Tensor room_for(const Remainders& r, DType t) { return Tensor::empty({r.count()}, t); }
void gather(const Remainders& r, int64_t remainder, View x, const Tensor& to) {
  on_size(x.dtype, [&]<class T>() { r.gather(remainder, static_cast<const T*>(x.data), static_cast<T*>(to.view().data)); });
}
void scatter(const Remainders& r, int64_t remainder, const Tensor& x, View to) {
  on_size(to.dtype, [&]<class T>() { r.scatter(remainder, static_cast<const T*>(x.view().data), static_cast<T*>(to.data)); });
}

// One part of the inputs, with the coefficients of its samples, each as often as there are remainders along H and W.
struct Inputs {
  Remainders remainders;
  View x;
  Tensor gathered, coefficients;
  ConvPart part;

  Inputs(const Conv3dProblem& p, const DilatedPlan& d, const ConvPart& from)
      : remainders(inputs_of(p, d, from.channels)), x(from.x), gathered(room_for(remainders, from.x.dtype)), part(from) {
    part.x = gathered.view();
    if (!from.coefficients.data) return;
    const int64_t row = 3 * from.channels, times = d.part.n / p.n, bytes = row * int64_t(size_of(from.coefficients.dtype));
    coefficients = Tensor::empty({d.part.n, row}, from.coefficients.dtype);
    for (int64_t i = 0; i < d.part.n; ++i)
      std::memcpy(static_cast<char*>(coefficients.view().data) + i * bytes,
                  static_cast<const char*>(from.coefficients.data) + i / times * bytes, size_t(bytes));
    part.coefficients = coefficients.view();
  }
  const ConvPart& at(int64_t remainder) {
    gather(remainders, remainder, x, gathered);
    return part;
  }
};

}  // namespace

std::optional<DilatedPlan> dilated_plan(const Conv3dProblem& p, bool normalised) {
  DilatedPlan plan{.dilation = {1, 1, 1}, .shift = {0, 0, 0}, .part = p};
  bool any = false;
  for (int a = 0; a < 3; ++a) {
    const int d = p.dilation[a];
    if (d == 1 || p.stride[a] != 1 || p.kernel[a] == 1 || std::min(p.in[a], p.out[a]) <= d) continue;
    if (normalised && (p.in[a] % d != 0 || p.padding[a] % d != 0)) continue;
    any = true;
    plan.dilation[a] = d;
    plan.shift[a] = p.padding[a] % d;
    plan.part.dilation[a] = 1;
    plan.part.padding[a] = p.padding[a] / d;
    plan.part.in[a] = (p.in[a] + plan.shift[a] + d - 1) / d;
    plan.part.out[a] = (p.out[a] + d - 1) / d;
  }
  plan.part.n = p.n * plan.dilation.h * plan.dilation.w;
  return any ? std::optional(plan) : std::nullopt;
}

void dilated_forward(const Conv3dProblem& p, const DilatedPlan& d, const ConvPart* parts, int64_t count, View w, View b, View y,
                     std::shared_ptr<void>* kept) {
  std::vector<Inputs> inputs;
  for (int64_t i = 0; i < count; ++i) inputs.emplace_back(p, d, parts[i]);
  const Remainders outputs = outputs_of(p, d);
  const Tensor result = room_for(outputs, y.dtype);
  for (int64_t r = 0; r < d.dilation.d; ++r) {
    std::vector<ConvPart> read;
    for (Inputs& i : inputs) read.push_back(i.at(r));
    conv3d_forward(Cpu{}, d.part, read.data(), count, w, {result.view(), b}, kept);
    scatter(outputs, r, result, y);
  }
}

void dilated_input_gradient(const Conv3dProblem& p, const DilatedPlan& d, View gy, View w, View b, View gx) {
  const Remainders from = outputs_of(p, d), to = inputs_of(p, d, p.c);
  const Tensor gathered = room_for(from, gy.dtype), result = room_for(to, gx.dtype);
  for (int64_t r = 0; r < d.dilation.d; ++r) {
    gather(from, r, gy, gathered);
    conv3d_input_gradient(Cpu{}, d.part, gathered.view(), w, b, result.view());
    scatter(to, r, result, gx);
  }
}

void dilated_weight_gradient(const Conv3dProblem& p, const DilatedPlan& d, const ConvPart& x, View gy, View gw) {
  Inputs inputs(p, d, x);
  const Remainders outputs = outputs_of(p, d);
  Conv3dProblem dense = d.part;
  dense.w_channels = 0;
  const Tensor gathered = room_for(outputs, gy.dtype), part = Tensor::empty({dense.weights()}, gw.dtype);
  const int64_t channels = p.c / p.groups, step = p.w_channels > 0 ? p.w_channels : channels;
  for (int64_t r = 0; r < d.dilation.d; ++r) {
    gather(outputs, r, gy, gathered);
    conv3d_weight_gradient(Cpu{}, dense, inputs.at(r), gathered.view(), part.view());
    on_dtype(gw.dtype, [&]<class T>() {
      const T* from = part.view().as<T>();
      for (int64_t tap = 0; tap < p.k * p.taps(); ++tap)
        for (int64_t c = 0; c < channels; ++c) {
          T& to = gw.as<T>()[tap * step + c];
          to = r == 0 ? from[tap * channels + c] : T(to + from[tap * channels + c]);
        }
    });
  }
}

}  // namespace voxgrad
