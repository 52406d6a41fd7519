#include <algorithm>
#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/max_pool3d/max_pool3d_kernels.h"
#include "kernels/max_pool3d/max_pool3d_variants.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 13;

template <class... Args>
void row_of(const Args&... args) {
  VOXGRAD_BY_ISA(max_pool_kernels, max_pool_row(args...));
}
template <class T, class I>
void forward_of(const MaxPool& p, const T* x, T* y, I* winner) {
  const int tap_h = p.axis[2].window(), tap_d = p.axis[1].window() * tap_h;
  std::vector<int> first, begin, end;
  for (int o = 0; o < p.axis[2].out; ++o) {
    const PoolAxis::Range taps = p.axis[2].taps(o);
    first.push_back(p.axis[2].origin(o)), begin.push_back(taps.begin), end.push_back(taps.end);
  }
  const int64_t rows = p.n * p.axis[0].out * p.axis[1].out, width = p.axis[2].out * p.c;
  parallel_ranges(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width)), [&](int64_t from, int64_t to) {
    std::vector<const T*> sources;
    std::vector<int32_t> taps;
    for (int64_t r = from; r < to; ++r) {
      const int oh = int(r % p.axis[1].out), od = int(r / p.axis[1].out % p.axis[0].out);
      const int64_t n = r / p.axis[1].out / p.axis[0].out;
      const PoolAxis::Range td = p.axis[0].taps(od), th = p.axis[1].taps(oh);
      sources.clear(), taps.clear();
      for (int a = td.begin; a < td.end; ++a)
        for (int b = th.begin; b < th.end; ++b) {
          const int64_t d = p.axis[0].origin(od) + a * p.axis[0].dilation, h = p.axis[1].origin(oh) + b * p.axis[1].dilation;
          sources.push_back(x + ((n * p.axis[0].in + d) * p.axis[1].in + h) * p.axis[2].in * p.c);
          taps.push_back(a * tap_d + b * tap_h);
        }
      const MaxPoolRow<T> row = {p.c, p.axis[2].out, p.axis[2].dilation, int(sources.size()), first.data(), begin.data(), end.data(),
                                 sources.data(), taps.data()};
      row_of(row, y + r * width, winner ? winner + r * width : static_cast<I*>(nullptr));
    }
  });
}

// Each output is added to its winner. A task has a slab of input planes and walks over the outputs that reach it in raster order, so an
// input sums in that order, whatever the slabs. (A sum over the outputs of each input instead, in vectors of channels, took 2 to 6 times as
// long to 64 channels, of few channels up to 100 times.)
template <class T, class I>
void backward_of(const MaxPool& p, const I* winner, const T* gy, T* gx) {
  using A = accum_t<T>;
  constexpr int64_t kSlab = 1 << 18;  // elements, but of a window's planes at least
  const PoolAxis &ad = p.axis[0], &ah = p.axis[1], &aw = p.axis[2];
  const int64_t line = aw.in * p.c, plane = ah.in * line, row = aw.out * p.c;
  const int64_t deep = std::clamp<int64_t>(kSlab / std::max<int64_t>(1, plane), std::min(ad.in, 4 * ad.window()), ad.in);
  const int64_t slabs = chunk_count(ad.in, deep);
  std::vector<int64_t> offset;  // of a tap from tap 0
  std::vector<int> plane_of;    // the plane of the window that it is in
  for (int a = 0; a < ad.window(); ++a)
    for (int b = 0; b < ah.window(); ++b)
      for (int e = 0; e < aw.window(); ++e) {
        offset.push_back(int64_t(a) * ad.dilation * plane + int64_t(b) * ah.dilation * line + int64_t(e) * aw.dilation * p.c);
        plane_of.push_back(a);
      }
  parallel_for(p.n * slabs, 1, [&](int64_t task) {
    const int64_t n = task / slabs;
    const int first = int(task % slabs * deep), last = int(std::min<int64_t>(ad.in, first + deep));
    T* const into = gx + (n * ad.in + first) * plane;
    const int64_t count = (last - first) * plane;
    std::vector<A> sums(std::is_same_v<A, T> ? 0 : size_t(count));
    A* sum = sums.data();
    if constexpr (std::is_same_v<A, T>) std::fill_n(sum = into, count, A(0));
    for (int od = ad.outputs(first).begin; od < ad.outputs(last - 1).end; ++od) {
      // The taps whose planes are in the slab.
      const PoolAxis::Range td = ad.taps(od);
      const auto in_slab = [&, origin = ad.origin(od)](int a) {
        const int d = origin + a * ad.dilation;
        return d >= first && d < last;
      };
      int begin = td.begin, end = td.end;
      while (begin < end && !in_slab(begin)) ++begin;
      while (begin < end && !in_slab(end - 1)) --end;
      const bool all = begin == td.begin && end == td.end;
      for (int oh = 0; oh < (begin < end ? ah.out : 0); ++oh) {
        if (const PoolAxis::Range th = ah.taps(oh); th.begin >= th.end) continue;  // nothing but padding
        const int64_t from = ((n * ad.out + od) * ah.out + oh) * row, to = (ad.origin(od) - first) * plane + ah.origin(oh) * line;
        for (int ow = 0; ow < aw.out; ++ow) {
          if (const PoolAxis::Range tw = aw.taps(ow); tw.begin >= tw.end) continue;
          const I* const tap = winner + from + ow * p.c;
          const T* const g = gy + from + ow * p.c;
          const int64_t at = to + aw.origin(ow) * p.c;
          for (int64_t c = 0; c < p.c; ++c)
            if (all || (plane_of[tap[c]] >= begin && plane_of[tap[c]] < end)) sum[at + offset[tap[c]] + c] += A(g[c]);
        }
      }
    }
    if constexpr (!std::is_same_v<A, T>)
      for (int64_t i = 0; i < count; ++i) into[i] = T(sum[i]);
  });
}

}  // namespace

void max_pool_forward(Cpu, const MaxPool& p, View x, View y, View winner) {
  on_dtype(x.dtype, [&]<class T>() {
    if (winner.dtype == DType::i16) forward_of(p, x.as<T>(), y.as<T>(), winner.as<uint16_t>());
    else forward_of(p, x.as<T>(), y.as<T>(), winner.as<uint8_t>());
  });
}

void max_pool_backward(Cpu, const MaxPool& of, View winner, View gy, View gx) {
  MaxPool p = of;
  if (p.axis[0].in == 1 && p.axis[0].out == 1 && p.axis[0].window() == 1) std::swap(p.axis[0], p.axis[1]);  // slabs of a slice
  on_dtype(gy.dtype, [&]<class T>() {
    if (winner.dtype == DType::i16) backward_of(p, winner.as<uint16_t>(), gy.as<T>(), gx.as<T>());
    else backward_of(p, winner.as<uint8_t>(), gy.as<T>(), gx.as<T>());
  });
}

}  // namespace voxgrad
