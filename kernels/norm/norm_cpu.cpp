#include <vector>

#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/norm/norm_isa.h"
#include "kernels/norm/norm_kernels.h"

namespace voxgrad {
namespace {

template <class T>
NormIsa<T> kernels_in_use() {
  return isa() >= Isa::avx512 ? norm_avx512::kernels<T>() : isa() == Isa::avx2 ? norm_avx2::kernels<T>() : norm_baseline::kernels<T>();
}

// How a sample is cut into spans (norm_isa.h): a function of the shape alone.
struct Cut {
  int64_t elements, lanes, chunk, chunks;
  explicit Cut(const NormProblem& p) : elements(p.voxels * p.channels), lanes(p.channels) {
    // Enough elements to be worth a task, enough rows to be worth the merging of its lanes, few enough rows to sum in f32.
    constexpr int64_t kElements = 1 << 15, kRows = 512;
    while (lanes % 16 != 0 || lanes < 64) lanes += p.channels;
    chunk = std::max(kElements / lanes, kRows) * lanes;
    chunks = chunk_count(elements, chunk);
  }
  // f(sample, index of the span among all, first element within x, number of elements)
  template <class F>
  void parallel(const NormProblem& p, F&& f) const {
    parallel_for(p.samples * chunks, 1, [&](int64_t i) {
      const int64_t s = i / chunks, begin = (i % chunks) * chunk;
      f(s, i, s * elements + begin, std::min(chunk, elements - begin));
    });
  }
};

bool by_rows(const NormProblem& p) { return p.voxels == 1 && p.groups == 1 && !p.constant_statistics; }
constexpr int64_t kRowElements = 1 << 15;
int64_t rows_per_chunk(const NormProblem& p) { return std::max<int64_t>(1, kRowElements / p.channels); }

// Count, mean and sum of squared deviations, merged exactly (Chan, Golub and LeVeque 1983).
struct Moments {
  double count = 0, mean = 0, deviation = 0;
  void merge(double n, double m, double d) {
    if (n == 0) return;
    const double delta = m - mean, total = count + n;
    mean += delta * n / total;
    deviation += d + delta * delta * count * n / total;
    count = total;
  }
};

// The views of stats {3, samples, groups}.
template <class A>
struct Statistics {
  A *mean, *rest, *rstd;
  Statistics(const NormProblem& p, View v) : mean(v.as<A>()), rest(mean + p.samples * p.groups), rstd(rest + p.samples * p.groups) {}
  void set(int64_t i, double m, double variance, double eps) const {
    mean[i] = A(m);
    rest[i] = A(m - double(A(m)));
    rstd[i] = A(1 / __builtin_sqrt(variance + eps));
  }
};

template <class T>
void row_statistics(const NormProblem& p, View x, View stats) {
  using A = accum_t<T>;
  const auto isa = kernels_in_use<T>();
  const Statistics<A> st(p, stats);
  parallel_chunks(p.samples, rows_per_chunk(p), [&](int64_t, int64_t begin, int64_t end) {
    isa.row_statistics({.rows = end - begin, .channels = p.channels, .x = x.as<T>() + begin * p.channels, .mean = st.mean + begin,
                        .rest = st.rest + begin, .rstd = st.rstd + begin, .eps = p.eps});
  });
}

template <class T>
void statistics_of(const NormProblem& p, View x, View stats, const NormRunning& running) {
  using A = accum_t<T>;
  if (by_rows(p)) return row_statistics<T>(p, x, stats);
  const auto isa = kernels_in_use<T>();
  const Cut cut(p);
  const int64_t C = p.channels;
  std::vector<Moments> partial(size_t(p.samples * cut.chunks * C));
  cut.parallel(p, [&](int64_t, int64_t index, int64_t begin, int64_t count) {
    std::vector<A> lane(size_t(3 * cut.lanes));
    A *first = lane.data(), *sum = first + cut.lanes, *square = sum + cut.lanes;
    isa.moments({.count = count, .lanes = cut.lanes, .x = x.as<T>() + begin}, first, sum, square);
    const int64_t rows = count / cut.lanes, tail = count % cut.lanes;
    for (int64_t l0 = 0; l0 < cut.lanes; l0 += C)
      for (int64_t c = 0; c < C; ++c) {
        const int64_t l = l0 + c;
        const double n = double(rows + (l < tail));
        if (n == 0) continue;
        const double s = double(sum[l]), deviation = double(square[l]) - s * s / n;
        partial[size_t(index * C + c)].merge(n, double(first[l]) + s / n, deviation > 0 ? deviation : deviation == deviation ? 0 : deviation);
      }
  });
  const Statistics<A> st(p, stats);
  const int64_t width = C / p.groups;
  parallel_for(p.samples * p.groups, 64, [&](int64_t i) {
    const int64_t s = i / p.groups, g = i % p.groups;
    Moments all;
    for (int64_t k = 0; k < cut.chunks; ++k)
      for (int64_t c = g * width; c < (g + 1) * width; ++c) {
        const Moments& m = partial[size_t((s * cut.chunks + k) * C + c)];
        all.merge(m.count, m.mean, m.deviation);
      }
    st.set(i, all.mean, all.deviation / all.count, p.eps);
    if (running.mean) {
      A &mean = running.mean.as<A>()[i], &variance = running.variance.as<A>()[i];
      const double keep = 1 - running.momentum, unbiased = all.deviation / (all.count > 1 ? all.count - 1 : 1);
      mean = A(keep * double(mean) + running.momentum * all.mean);
      variance = A(keep * double(variance) + running.momentum * unbiased);
    }
  });
}

// Per sample and lane: mean, factor = rstd scale, offset = shift - rest factor.
template <class A>
struct Coefficients {
  std::vector<A> values;
  int64_t lanes;
  Coefficients(const NormProblem& p, const Cut& cut, View stats, View scale, View shift) : values(size_t(3 * p.samples * cut.lanes)), lanes(cut.lanes) {
    const Statistics<A> st(p, stats);
    const int64_t C = p.channels, width = C / p.groups;
    for (int64_t s = 0; s < p.samples; ++s)
      for (int64_t c = 0; c < C; ++c) {
        const int64_t i = s * p.groups + c / width;
        const double factor = double(st.rstd[i]) * (scale ? double(scale.as<A>()[c]) : 1);
        const double offset = (shift ? double(shift.as<A>()[c]) : 0) - double(st.rest[i]) * factor;
        for (int64_t l = c; l < lanes; l += C) at(s, 0)[l] = st.mean[i], at(s, 1)[l] = A(factor), at(s, 2)[l] = A(offset);
      }
  }
  A* at(int64_t sample, int which) { return values.data() + (sample * 3 + which) * lanes; }
};

template <class T>
NormRows<T> rows_of(const NormProblem& p, View x, View stats, View scale, View shift, int64_t begin, int64_t end) {
  using A = accum_t<T>;
  const Statistics<A> st(p, stats);
  return {.rows = end - begin, .channels = p.channels, .x = x.as<T>() + begin * p.channels, .scale = scale.as<A>(), .shift = shift.as<A>(),
          .mean = st.mean + begin, .rest = st.rest + begin, .rstd = st.rstd + begin};
}

template <class T>
void apply_of(const NormProblem& p, View x, View stats, View scale, View shift, View skip, View y) {
  using A = accum_t<T>;
  const auto isa = kernels_in_use<T>();
  if (by_rows(p) && !skip && p.slope == 1)
    return parallel_chunks(p.samples, rows_per_chunk(p), [&](int64_t, int64_t begin, int64_t end) {
      isa.row_apply(rows_of<T>(p, x, stats, scale, shift, begin, end), y.as<T>() + begin * p.channels);
    });
  const Cut cut(p);
  Coefficients<A> co(p, cut, stats, scale, shift);
  cut.parallel(p, [&](int64_t s, int64_t, int64_t begin, int64_t count) {
    isa.apply({.count = count, .lanes = cut.lanes, .x = x.as<T>() + begin, .skip = skip ? skip.as<T>() + begin : nullptr,
               .mean = co.at(s, 0), .factor = co.at(s, 1), .offset = co.at(s, 2), .slope = A(p.slope)},
              y.as<T>() + begin);
  });
}

template <class T>
void row_backward(const NormProblem& p, View x, View gy, View stats, View scale, const NormGradients& out) {
  using A = accum_t<T>;
  const auto isa = kernels_in_use<T>();
  const int64_t C = p.channels, chunks = chunk_count(p.samples, rows_per_chunk(p));
  std::vector<A> partial(size_t(chunks * 2 * C));
  parallel_chunks(p.samples, rows_per_chunk(p), [&](int64_t k, int64_t begin, int64_t end) {
    NormRows<T> rows = rows_of<T>(p, x, stats, scale, {}, begin, end);
    rows.gy = gy.as<T>() + begin * C;
    A* sums = partial.data() + k * 2 * C;
    isa.row_gradient(rows, out.x ? out.x.as<T>() + begin * C : nullptr, sums, sums + C);
  });
  for (int64_t c = 0; c < C; ++c) {
    double gscale = 0, gshift = 0;
    for (int64_t k = 0; k < chunks; ++k) gscale += double(partial[size_t(k * 2 * C + c)]), gshift += double(partial[size_t(k * 2 * C + C + c)]);
    if (out.scale) out.scale.as<A>()[c] = A(gscale);
    if (out.shift) out.shift.as<A>()[c] = A(gshift);
  }
}

// sums[(s C + c) 2]: over the voxels of a sample, g and g xhat.
template <class T>
std::vector<double> gradient_sums(const NormProblem& p, const Cut& cut, const NormSpan<T>& whole, Coefficients<accum_t<T>>& co, View stats) {
  using A = accum_t<T>;
  const auto isa = kernels_in_use<T>();
  const int64_t C = p.channels, width = C / p.groups;
  std::vector<double> partial(size_t(p.samples * cut.chunks * 2 * C)), sums(size_t(p.samples * C * 2));
  cut.parallel(p, [&](int64_t s, int64_t index, int64_t begin, int64_t count) {
    std::vector<A> lane(size_t(2 * cut.lanes));
    isa.gradient_sums({.count = count, .lanes = cut.lanes, .x = whole.x + begin, .y = whole.y ? whole.y + begin : nullptr, .gy = whole.gy + begin,
                       .mean = co.at(s, 0), .factor = co.at(s, 1), .offset = co.at(s, 2), .slope = whole.slope},
                      lane.data(), lane.data() + cut.lanes);
    double* to = partial.data() + index * 2 * C;
    for (int64_t l0 = 0; l0 < cut.lanes; l0 += C)
      for (int64_t c = 0; c < C; ++c) to[2 * c] += double(lane[size_t(l0 + c)]), to[2 * c + 1] += double(lane[size_t(cut.lanes + l0 + c)]);
  });
  const Statistics<A> st(p, stats);
  parallel_for(p.samples * C, 64, [&](int64_t i) {
    const int64_t s = i / C, c = i % C, group = s * p.groups + c / width;
    double g = 0, gd = 0;
    for (int64_t k = 0; k < cut.chunks; ++k) {
      const double* from = partial.data() + ((s * cut.chunks + k) * C + c) * 2;
      g += from[0], gd += from[1];
    }
    sums[size_t(2 * i)] = g;
    sums[size_t(2 * i + 1)] = double(st.rstd[group]) * (gd - double(st.rest[group]) * g);
  });
  return sums;
}

// What gx has beside factor g: slope_x (x - mean) + constant, per sample and lane.
// gx = rstd (scale g - mg - xhat mx), mg and mx the means of scale g and scale g xhat over the statistic.
template <class A>
std::vector<A> gradient_of_statistics(const NormProblem& p, const Cut& cut, const std::vector<double>& sums, View stats, View scale) {
  const Statistics<A> st(p, stats);
  const int64_t C = p.channels, width = C / p.groups;
  std::vector<A> out(size_t(p.samples * 2 * cut.lanes));
  for (int64_t i = 0; i < p.samples * p.groups && !p.constant_statistics; ++i) {
    const int64_t s = i / p.groups, first = (i % p.groups) * width;
    double mg = 0, mx = 0;
    for (int64_t c = first; c < first + width; ++c) {
      const double a = scale ? double(scale.as<A>()[c]) : 1;
      mg += a * sums[size_t(2 * (s * C + c))];
      mx += a * sums[size_t(2 * (s * C + c) + 1)];
    }
    const double n = double(p.voxels * width), r = double(st.rstd[i]);
    const double slope = -r * r * mx / n, constant = -r * mg / n - slope * double(st.rest[i]);
    A *slopes = out.data() + s * 2 * cut.lanes, *constants = slopes + cut.lanes;
    for (int64_t l0 = 0; l0 < cut.lanes; l0 += C)
      for (int64_t c = first; c < first + width; ++c) slopes[l0 + c] = A(slope), constants[l0 + c] = A(constant);
  }
  return out;
}

template <class T>
void backward_of(const NormProblem& p, View x, View y, View gy, View stats, View scale, View shift, const NormGradients& out) {
  using A = accum_t<T>;
  if (by_rows(p) && !y && p.slope == 1) return row_backward<T>(p, x, gy, stats, scale, out);
  const auto isa = kernels_in_use<T>();
  const Cut cut(p);
  Coefficients<A> co(p, cut, stats, scale, shift);
  const NormSpan<T> whole = {.x = x.as<T>(), .y = y.as<T>(), .gy = gy.as<T>(), .slope = A(p.slope)};
  std::vector<double> sums;
  if (out.scale || out.shift || (out.x && !p.constant_statistics)) sums = gradient_sums<T>(p, cut, whole, co, stats);
  for (int64_t c = 0; c < p.channels; ++c) {
    double g = 0, gx = 0;
    for (int64_t s = 0; s < p.samples && !sums.empty(); ++s) g += sums[size_t(2 * (s * p.channels + c))], gx += sums[size_t(2 * (s * p.channels + c) + 1)];
    if (out.shift) out.shift.as<A>()[c] = A(g);
    if (out.scale) out.scale.as<A>()[c] = A(gx);
  }
  if (!out.x && !out.skip) return;
  std::vector<A> through(size_t(p.samples * 2 * cut.lanes));
  if (out.x && !p.constant_statistics) through = gradient_of_statistics<A>(p, cut, sums, stats, scale);
  cut.parallel(p, [&](int64_t s, int64_t, int64_t begin, int64_t count) {
    const A* slopes = through.data() + s * 2 * cut.lanes;
    isa.gradient({.count = count, .lanes = cut.lanes, .x = whole.x + begin, .y = whole.y ? whole.y + begin : nullptr, .gy = whole.gy + begin,
                  .mean = co.at(s, 0), .factor = co.at(s, 1), .offset = co.at(s, 2), .slope = whole.slope},
                 slopes, slopes + cut.lanes, out.x ? out.x.as<T>() + begin : nullptr, out.skip ? out.skip.as<T>() + begin : nullptr);
  });
}

}  // namespace

void norm_statistics(Cpu, const NormProblem& p, View x, View stats, const NormRunning& running) {
  on_dtype(x.dtype, [&]<class T>() { statistics_of<T>(p, x, stats, running); });
}
void norm_constant_statistics(Cpu, const NormProblem& p, const NormRunning& running, View stats) {
  on_dtype(stats.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const Statistics<A> st(p, stats);
    for (int64_t c = 0; c < p.channels; ++c) st.set(c, double(running.mean.as<A>()[c]), double(running.variance.as<A>()[c]), p.eps);
  });
}
void norm_apply(Cpu, const NormProblem& p, View x, View stats, View scale, View shift, View skip, View y) {
  on_dtype(x.dtype, [&]<class T>() { apply_of<T>(p, x, stats, scale, shift, skip, y); });
}
void norm_backward(Cpu, const NormProblem& p, View x, View y, View gy, View stats, View scale, View shift, const NormGradients& out) {
  on_dtype(x.dtype, [&]<class T>() { backward_of<T>(p, x, y, gy, stats, scale, shift, out); });
}

}  // namespace voxgrad
