#include <algorithm>
#include <vector>

#include "kernels/norm/norm_cut.h"

namespace voxgrad {
namespace {

// f(sample, channel, mean, factor, offset), factor = rstd scale and offset = shift - rest factor.
template <class A, class F>
void for_coefficients(const NormProblem& p, View stats, View scale, View shift, F&& f) {
  const NormStatistics<A> st(p, stats);
  const int64_t C = p.channels, width = C / p.groups;
  for (int64_t s = 0; s < p.samples; ++s)
    for (int64_t c = 0; c < C; ++c) {
      const int64_t i = s * p.groups + c / width;
      const NormAffine<A> z(st[i], scale ? double(scale.as<A>()[c]) : 1, shift ? double(shift.as<A>()[c]) : 0);
      f(s, c, st.mean[i], z.factor, z.offset);
    }
}

// Those, per sample and lane.
template <class A>
struct Coefficients {
  std::vector<A> values;
  int64_t lanes;
  Coefficients(const NormProblem& p, const NormCut& cut, View stats, View scale, View shift)
      : values(size_t(3 * p.samples * cut.lanes)), lanes(cut.lanes) {
    for_coefficients<A>(p, stats, scale, shift, [&](int64_t s, int64_t c, A mean, A factor, A offset) {
      for (int64_t l = c; l < lanes; l += p.channels) at(s, 0)[l] = mean, at(s, 1)[l] = factor, at(s, 2)[l] = offset;
    });
  }
  A* at(int64_t sample, int which) { return values.data() + (sample * 3 + which) * lanes; }
};

template <class T>
NormRows<T> rows_of(const NormProblem& p, View x, View stats, View scale, View shift, int64_t begin, int64_t end) {
  using A = accum_t<T>;
  const NormStatistics<A> st(p, stats);
  return {.rows = end - begin,
          .channels = p.channels,
          .x = x.as<T>() + begin * p.channels,
          .scale = scale.as<A>(),
          .shift = shift.as<A>(),
          .mean = st.mean + begin,
          .rest = st.rest + begin,
          .rstd = st.rstd + begin};
}

template <class T>
void apply_of(const NormProblem& p, View x, View stats, View scale, View shift, View skip, View y) {
  using A = accum_t<T>;
  const auto isa = norm_isa_in_use<T>();
  if (norm_by_rows(p) && !skip && p.slope == 1)
    return parallel_chunks(p.samples, norm_rows_per_chunk(p), [&](int64_t, int64_t begin, int64_t end) {
      isa.row_apply(rows_of<T>(p, x, stats, scale, shift, begin, end), y.as<T>() + begin * p.channels);
    });
  const NormCut cut(p);
  Coefficients<A> co(p, cut, stats, scale, shift);
  cut.parallel_elements(p, [&](int64_t s, int64_t begin, int64_t count) {
    isa.apply({.count = count,
               .lanes = cut.lanes,
               .x = x.as<T>() + begin,
               .skip = skip ? skip.as<T>() + begin : nullptr,
               .mean = co.at(s, 0),
               .factor = co.at(s, 1),
               .offset = co.at(s, 2),
               .slope = A(p.slope)},
              y.as<T>() + begin);
  });
}

template <class T>
void row_backward(const NormProblem& p, View x, View gy, View stats, View scale, const NormGradients& out) {
  using A = accum_t<T>;
  const auto isa = norm_isa_in_use<T>();
  const int64_t C = p.channels, chunks = chunk_count(p.samples, norm_rows_per_chunk(p));
  std::vector<A> partial(size_t(chunks * 2 * C));
  parallel_chunks(p.samples, norm_rows_per_chunk(p), [&](int64_t k, int64_t begin, int64_t end) {
    NormRows<T> rows = rows_of<T>(p, x, stats, scale, {}, begin, end);
    rows.gy = gy.as<T>() + begin * C;
    A* sums = partial.data() + k * 2 * C;
    isa.row_gradient(rows, out.x ? out.x.as<T>() + begin * C : nullptr, sums, sums + C);
  });
  for (int64_t c = 0; c < C; ++c) {
    double gscale = 0, gshift = 0;
    for (int64_t k = 0; k < chunks; ++k)
      gscale += double(partial[size_t(k * 2 * C + c)]), gshift += double(partial[size_t(k * 2 * C + C + c)]);
    if (out.scale) out.scale.as<A>()[c] = A(gscale);
    if (out.shift) out.shift.as<A>()[c] = A(gshift);
  }
}

// sums[(s C + c) 2]: over the voxels of a sample, g and g xhat.
template <class T>
std::vector<double> gradient_sums(const NormProblem& p, const NormCut& cut, const NormSpan<T>& whole, Coefficients<accum_t<T>>& co,
                                  View stats) {
  using A = accum_t<T>;
  const auto isa = norm_isa_in_use<T>();
  const int64_t C = p.channels, width = C / p.groups;
  std::vector<double> partial(size_t(p.samples * cut.chunks * 2 * C)), sums(size_t(p.samples * C * 2));
  cut.parallel_sums(p, [&](int64_t s, int64_t index, int64_t begin, int64_t count, int64_t first, int64_t strip) {
    std::vector<A> lane(size_t(2 * strip));
    begin += first;
    isa.gradient_sums({.count = count - first,
                       .lanes = cut.lanes,
                       .strip = strip,
                       .x = whole.x + begin,
                       .y = whole.y ? whole.y + begin : nullptr,
                       .gy = whole.gy + begin,
                       .mean = co.at(s, 0) + first,
                       .factor = co.at(s, 1) + first,
                       .offset = co.at(s, 2) + first,
                       .slope = whole.slope},
                      lane.data(), lane.data() + strip);
    double* to = partial.data() + index * 2 * C;
    for (int64_t l = 0; l < strip; ++l) {
      const int64_t c = (first + l) % C;
      to[2 * c] += double(lane[size_t(l)]), to[2 * c + 1] += double(lane[size_t(strip + l)]);
    }
  });
  const NormStatistics<A> st(p, stats);
  parallel_for(p.samples * C, 64, [&](int64_t i) {
    const int64_t s = i / C, c = i % C, group = s * p.groups + c / width;
    double g = 0, gd = 0;
    for (int64_t k = 0; k < cut.chunks; ++k) {
      const double* from = partial.data() + ((s * cut.chunks + k) * C + c) * 2;
      g += from[0], gd += from[1];
    }
    sums[size_t(2 * i)] = g;
    sums[size_t(2 * i + 1)] = sum_of_xhat(st[group], gd, g);
  });
  return sums;
}

// NormThrough per sample and lane: slopes, then constants.
template <class A>
std::vector<A> gradient_of_statistics(const NormProblem& p, const NormCut& cut, const std::vector<double>& sums, View stats, View scale) {
  const NormStatistics<A> st(p, stats);
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
    const NormThrough<A> through(st[i], mg, mx, double(p.voxels * width));
    A *slopes = out.data() + s * 2 * cut.lanes, *constants = slopes + cut.lanes;
    for (int64_t l0 = 0; l0 < cut.lanes; l0 += C)
      for (int64_t c = first; c < first + width; ++c) slopes[l0 + c] = through.slope, constants[l0 + c] = through.constant;
  }
  return out;
}

template <class T>
void backward_of(const NormProblem& p, View x, View y, View gy, View stats, View scale, View shift, const NormGradients& out) {
  using A = accum_t<T>;
  if (norm_by_rows(p) && !y && p.slope == 1) return row_backward<T>(p, x, gy, stats, scale, out);
  const auto isa = norm_isa_in_use<T>();
  const NormCut cut(p);
  Coefficients<A> co(p, cut, stats, scale, shift);
  const NormSpan<T> whole = {.x = x.as<T>(), .y = y.as<T>(), .gy = gy.as<T>(), .slope = A(p.slope)};
  std::vector<double> sums;
  if (out.scale || out.shift || (out.x && !p.constant_statistics)) sums = gradient_sums<T>(p, cut, whole, co, stats);
  for (int64_t c = 0; c < p.channels; ++c) {
    double g = 0, gx = 0;
    for (int64_t s = 0; s < p.samples && !sums.empty(); ++s)
      g += sums[size_t(2 * (s * p.channels + c))], gx += sums[size_t(2 * (s * p.channels + c) + 1)];
    if (out.shift) out.shift.as<A>()[c] = A(g);
    if (out.scale) out.scale.as<A>()[c] = A(gx);
  }
  if (!out.x && !out.skip) return;
  std::vector<A> through(size_t(p.samples * 2 * cut.lanes));
  if (out.x && !p.constant_statistics) through = gradient_of_statistics<A>(p, cut, sums, stats, scale);
  cut.parallel_elements(p, [&](int64_t s, int64_t begin, int64_t count) {
    const A* slopes = through.data() + s * 2 * cut.lanes;
    isa.gradient({.count = count,
                  .lanes = cut.lanes,
                  .x = whole.x + begin,
                  .y = whole.y ? whole.y + begin : nullptr,
                  .gy = whole.gy + begin,
                  .mean = co.at(s, 0),
                  .factor = co.at(s, 1),
                  .offset = co.at(s, 2),
                  .slope = whole.slope},
                 slopes, slopes + cut.lanes, out.x ? out.x.as<T>() + begin : nullptr, out.skip ? out.skip.as<T>() + begin : nullptr);
  });
}

}  // namespace

void norm_apply(Cpu, const NormProblem& p, View x, View stats, View scale, View shift, View skip, View y) {
  on_dtype(x.dtype, [&]<class T>() { apply_of<T>(p, x, stats, scale, shift, skip, y); });
}
void norm_coefficients(Cpu, const NormProblem& p, View stats, View scale, View shift, View coefficients, int64_t times) {
  on_dtype(stats.dtype, [&]<class A>() {
    if constexpr (std::is_same_v<A, accum_t<A>>) {
      A* const to = coefficients.as<A>();
      for_coefficients<A>(p, stats, scale, shift, [&](int64_t s, int64_t c, A mean, A factor, A offset) {
        A* at = to + s * 3 * p.channels + c;
        at[0] = mean, at[p.channels] = factor, at[2 * p.channels] = offset;
      });
      for (int64_t i = 1; i < times; ++i) std::copy_n(to, p.samples * 3 * p.channels, to + i * p.samples * 3 * p.channels);
    }
  });
}
void norm_backward(Cpu, const NormProblem& p, View x, View y, View gy, View stats, View scale, View shift, const NormGradients& out) {
  on_dtype(x.dtype, [&]<class T>() { backward_of<T>(p, x, y, gy, stats, scale, shift, out); });
}

}  // namespace voxgrad
