#include <algorithm>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "kernels/max_pool3d/max_pool3d_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 13, kLanes = 64;

// One output voxel: best and the tap that it is, over the taps of its window.
template <bool kFirst, class T, class A>
void fold(int64_t lanes, const T* x, int32_t tap, A* best, int32_t* at) {
  for (int64_t j = 0; j < lanes; ++j) {
    const A v = A(x[j]);
    const bool better = kFirst || v > best[j] || v != v;
    best[j] = better ? v : best[j];
    at[j] = better ? tap : at[j];
  }
}

template <class T, class I>
void forward_of(const MaxPool& p, const T* x, T* y, I* winner) {
  using A = accum_t<T>;
  const auto [ad, ah, aw] = p.axis;
  const int64_t rows = p.n * ad.out * ah.out;
  const int tap_h = aw.window(), tap_d = ah.window() * tap_h;
  parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, aw.out * p.c)), [&](int64_t r) {
    const int oh = int(r % ah.out), od = int(r / ah.out % ad.out);
    const int64_t n = r / ah.out / ad.out;
    const PoolAxis::Range td = ad.taps(od), th = ah.taps(oh);
    for (int ow = 0; ow < aw.out; ++ow) {
      const PoolAxis::Range tw = aw.taps(ow);
      for (int64_t c = 0; c < p.c; c += kLanes) {
        const int64_t lanes = std::min(kLanes, p.c - c);
        A best[kLanes];
        int32_t at[kLanes];
        bool first = true;
        for (int a = td.begin; a < td.end; ++a)
          for (int b = th.begin; b < th.end; ++b) {
            const int64_t d = ad.origin(od) + a * ad.dilation, h = ah.origin(oh) + b * ah.dilation, w = aw.origin(ow);
            const T* row = x + (((n * ad.in + d) * ah.in + h) * aw.in + w) * p.c + c;
            for (int e = tw.begin; e < tw.end; ++e, first = false) {
              const T* from = row + int64_t(e) * aw.dilation * p.c;
              if (first) fold<true>(lanes, from, a * tap_d + b * tap_h + e, best, at);
              else fold<false>(lanes, from, a * tap_d + b * tap_h + e, best, at);
            }
          }
        // A dilated window may hold nothing but padding; no input then looks for its winner.
        if (first) std::fill_n(best, lanes, -std::numeric_limits<A>::infinity()), std::fill_n(at, lanes, 0);
        const int64_t out = (r * aw.out + ow) * p.c + c;
        for (int64_t j = 0; j < lanes; ++j) y[out + j] = T(best[j]);
        if (winner)
          for (int64_t j = 0; j < lanes; ++j) winner[out + j] = I(at[j]);
      }
    }
  });
}

// The outputs that each input of an axis is in the window of, with the tap that it is there.
struct Uses {
  struct Use {
    int out, tap;
  };
  std::vector<std::vector<Use>> of;
  explicit Uses(const PoolAxis& a) : of(size_t(a.in)) {
    for (int i = 0; i < a.in; ++i) {
      const PoolAxis::Range range = a.outputs(i);
      for (int o = range.begin; o < range.end; ++o)
        if (const int tap = a.tap_of(i, o); tap >= 0) of[size_t(i)].push_back({o, tap});
    }
  }
};

template <class T, class I>
void backward_of(const MaxPool& p, const I* winner, const T* gy, T* gx) {
  using A = accum_t<T>;
  const auto [ad, ah, aw] = p.axis;
  const Uses in_d(ad), in_h(ah), in_w(aw);
  const int64_t rows = p.n * ad.in * ah.in;
  const int tap_h = aw.window(), tap_d = ah.window() * tap_h;
  parallel_for(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, aw.in * p.c)), [&](int64_t r) {
    const int64_t h = r % ah.in, d = r / ah.in % ad.in, n = r / ah.in / ad.in;
    for (int64_t w = 0; w < aw.in; ++w)
      for (int64_t c = 0; c < p.c; c += kLanes) {
        const int64_t lanes = std::min(kLanes, p.c - c);
        A sum[kLanes] = {};
        for (const auto& a : in_d.of[size_t(d)])
          for (const auto& b : in_h.of[size_t(h)])
            for (const auto& e : in_w.of[size_t(w)]) {
              const I tap = I(a.tap * tap_d + b.tap * tap_h + e.tap);
              const int64_t from = (((n * ad.out + a.out) * ah.out + b.out) * aw.out + e.out) * p.c + c;
              for (int64_t j = 0; j < lanes; ++j) sum[j] += winner[from + j] == tap ? A(gy[from + j]) : A(0);
            }
        T* to = gx + (r * aw.in + w) * p.c + c;
        for (int64_t j = 0; j < lanes; ++j) to[j] = T(sum[j]);
      }
  });
}

}  // namespace

void max_pool_forward(Cpu, const MaxPool& p, View x, View y, View winner) {
  on_dtype(x.dtype, [&]<class T>() {
    if (winner.dtype == DType::u8) forward_of(p, x.as<T>(), y.as<T>(), winner.as<uint8_t>());
    else forward_of(p, x.as<T>(), y.as<T>(), winner.as<uint16_t>());
  });
}

void max_pool_backward(Cpu, const MaxPool& p, View winner, View gy, View gx) {
  on_dtype(gy.dtype, [&]<class T>() {
    if (winner.dtype == DType::u8) backward_of(p, winner.as<uint8_t>(), gy.as<T>(), gx.as<T>());
    else backward_of(p, winner.as<uint16_t>(), gy.as<T>(), gx.as<T>());
  });
}

}  // namespace voxgrad
