#include "kernels/max_pool3d/max_pool3d_kernels.h"
#include "kernels/max_pool3d/volume_rows.cuh"

namespace voxgrad {
namespace {

// Output o of the volume of outputs; taps outside of the input are never visited.
template <class T, class I, int kWidth>
__global__ void max_pool3d_forward_kernel(VolumeRows rows, MaxPool p, const T* x, T* y, I* winner) {
  const int tap_h = p.axis[2].window(), tap_d = p.axis[1].window() * tap_h;
  for_volume(rows, [&](const VolumePlace& o) {
    const PoolAxis::Range td = p.axis[0].taps(o.d), th = p.axis[1].taps(o.h), tw = p.axis[2].taps(o.w);
    const int origin[3] = {p.axis[0].origin(o.d), p.axis[1].origin(o.h), p.axis[2].origin(o.w)};
    // A dilated window may hold nothing but padding: -infinity, and a winner that no input looks for.
    float best[kWidth];
    int at[kWidth];
    bool first = true;
    for (int k = 0; k < kWidth; ++k) best[k] = __uint_as_float(0xff800000u), at[k] = 0;
    for (int a = td.begin; a < td.end; ++a)
      for (int b = th.begin; b < th.end; ++b) {
        const int64_t d = origin[0] + a * p.axis[0].dilation, h = origin[1] + b * p.axis[1].dilation;
        const T* const row = x + ((o.n * p.axis[0].in + d) * p.axis[1].in + h) * p.axis[2].in * p.c + o.pack * kWidth;
        for (int e = tw.begin; e < tw.end; ++e) {
          const auto v = load_pack<kWidth>(row + int64_t(origin[2] + e * p.axis[2].dilation) * p.c);
          const int tap = a * tap_d + b * tap_h + e;
          for (int k = 0; k < kWidth; ++k) {
            const float value = float(v.v[k]);
            if (first || value > best[k] || value != value) best[k] = value, at[k] = tap;
          }
          first = false;
        }
      }
    const int64_t to = (o.row * p.axis[2].out + o.w) * p.c + o.pack * kWidth;
    Pack<T, kWidth> out;
    Pack<I, kWidth> taps;
    for (int k = 0; k < kWidth; ++k) out.v[k] = T(best[k]), taps.v[k] = I(at[k]);
    store_pack(y + to, out);
    if (winner) store_pack(winner + to, taps);
  });
}

// Input i of the volume of inputs looks for itself in the windows that hold it.
template <class T, class I, int kWidth>
__global__ void max_pool3d_backward_kernel(VolumeRows rows, MaxPool p, const I* winner, const T* gy, T* gx) {
  const int tap_h = p.axis[2].window(), tap_d = p.axis[1].window() * tap_h;
  for_volume(rows, [&](const VolumePlace& i) {
    const PoolAxis::Range od = p.axis[0].outputs(i.d), oh = p.axis[1].outputs(i.h), ow = p.axis[2].outputs(i.w);
    float sum[kWidth] = {};
    for (int a = od.begin; a < od.end; ++a) {
      const int da = p.axis[0].tap_of(i.d, a);
      for (int b = oh.begin; b < oh.end && da >= 0; ++b) {
        const int hb = p.axis[1].tap_of(i.h, b);
        const int64_t row = ((i.n * p.axis[0].out + a) * p.axis[1].out + b) * p.axis[2].out;
        for (int e = ow.begin; e < ow.end && hb >= 0; ++e) {
          const int we = p.axis[2].tap_of(i.w, e);
          if (we < 0) continue;
          const int64_t from = (row + e) * p.c + i.pack * kWidth;
          const auto won = load_pack<kWidth>(winner + from);
          const auto g = load_pack<kWidth>(gy + from);
          for (int k = 0; k < kWidth; ++k)
            if (int(won.v[k]) == da * tap_d + hb * tap_h + we) sum[k] += float(g.v[k]);
        }
      }
    }
    Pack<T, kWidth> out;
    for (int k = 0; k < kWidth; ++k) out.v[k] = T(sum[k]);
    store_pack(gx + (i.row * p.axis[2].in + i.w) * p.c + i.pack * kWidth, out);
  });
}

template <class F>
void on_winner(View winner, F&& f) {
  winner.dtype == DType::i16 ? f(winner.as<uint16_t>()) : f(winner.as<uint8_t>());
}

}  // namespace

void max_pool_forward(Cuda on, const MaxPool& p, View x, View y, View winner) {
  const int64_t size[3] = {p.axis[0].out, p.axis[1].out, p.axis[2].out};
  on_dtype(x.dtype, [&]<class T>() {
    on_winner(winner, [&]<class I>(I* taps) {
      on_channel_width<T>(p.c, [&](auto width) {
        constexpr int kWidth = width.value;
        const VolumeRows rows = volume_rows(p.n, size, p.c / kWidth);
        launch<max_pool3d_forward_kernel<T, I, kWidth>>(on, rows.grid, rows, p, x.as<T>(), y.as<T>(), taps);
      }, x.as<T>(), y.as<T>(), taps);
    });
  });
}

void max_pool_backward(Cuda on, const MaxPool& p, View winner, View gy, View gx) {
  const int64_t size[3] = {p.axis[0].in, p.axis[1].in, p.axis[2].in};
  on_dtype(gy.dtype, [&]<class T>() {
    on_winner(winner, [&]<class I>(I* taps) {
      on_channel_width<T>(p.c, [&](auto width) {
        constexpr int kWidth = width.value;
        const VolumeRows rows = volume_rows(p.n, size, p.c / kWidth);
        launch<max_pool3d_backward_kernel<T, I, kWidth>>(on, rows.grid, rows, p, taps, gy.as<T>(), gx.as<T>());
      }, taps, gy.as<T>(), gx.as<T>());
    });
  });
}

}  // namespace voxgrad
