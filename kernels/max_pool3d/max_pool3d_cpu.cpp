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
template <class... Args>
void grad_row_of(const Args&... args) {
  VOXGRAD_BY_ISA(max_pool_kernels, max_pool_grad_row(args...));
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

// The outputs that each input i of an axis is in the window of, and the taps that it is there: [begin[i], begin[i + 1]).
struct Uses {
  std::vector<int> begin = {0}, out, tap;
  explicit Uses(const PoolAxis& a) {
    for (int i = 0; i < a.in; ++i) {
      const PoolAxis::Range range = a.outputs(i);
      for (int o = range.begin; o < range.end; ++o)
        if (const int t = a.tap_of(i, o); t >= 0) out.push_back(o), tap.push_back(t);
      begin.push_back(int(out.size()));
    }
  }
};

template <class T, class I>
void backward_of(const MaxPool& p, const I* winner, const T* gy, T* gx) {
  const Uses in_d(p.axis[0]), in_h(p.axis[1]), in_w(p.axis[2]);
  const int tap_h = p.axis[2].window(), tap_d = p.axis[1].window() * tap_h;
  const int64_t rows = p.n * p.axis[0].in * p.axis[1].in, width = p.axis[2].in * p.c;
  parallel_ranges(rows, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, width)), [&](int64_t from, int64_t to) {
    std::vector<const T*> gradients;
    std::vector<const I*> winners;
    std::vector<int32_t> taps;
    for (int64_t r = from; r < to; ++r) {
      const int64_t h = r % p.axis[1].in, d = r / p.axis[1].in % p.axis[0].in, n = r / p.axis[1].in / p.axis[0].in;
      gradients.clear(), winners.clear(), taps.clear();
      for (int a = in_d.begin[size_t(d)]; a < in_d.begin[size_t(d) + 1]; ++a)
        for (int b = in_h.begin[size_t(h)]; b < in_h.begin[size_t(h) + 1]; ++b) {
          const int64_t at = ((n * p.axis[0].out + in_d.out[size_t(a)]) * p.axis[1].out + in_h.out[size_t(b)]) * p.axis[2].out * p.c;
          gradients.push_back(gy + at), winners.push_back(winner + at);
          taps.push_back(in_d.tap[size_t(a)] * tap_d + in_h.tap[size_t(b)] * tap_h);
        }
      const MaxPoolGradRow<T, I> row = {p.c, p.axis[2].in, int(taps.size()), in_w.begin.data(), in_w.out.data(), in_w.tap.data(),
                                        gradients.data(), winners.data(), taps.data()};
      grad_row_of(row, gx + r * width);
    }
  });
}

}  // namespace

void max_pool_forward(Cpu, const MaxPool& p, View x, View y, View winner) {
  on_dtype(x.dtype, [&]<class T>() {
    if (winner.dtype == DType::i16) forward_of(p, x.as<T>(), y.as<T>(), winner.as<uint16_t>());
    else forward_of(p, x.as<T>(), y.as<T>(), winner.as<uint8_t>());
  });
}

void max_pool_backward(Cpu, const MaxPool& p, View winner, View gy, View gx) {
  on_dtype(gy.dtype, [&]<class T>() {
    if (winner.dtype == DType::i16) backward_of(p, winner.as<uint16_t>(), gy.as<T>(), gx.as<T>());
    else backward_of(p, winner.as<uint8_t>(), gy.as<T>(), gx.as<T>());
  });
}

}  // namespace voxgrad
