#include <vector>

#include "kernels/norm/norm_cut.h"

namespace voxgrad {
namespace {

template <class T>
void row_statistics(const NormProblem& p, View x, View stats) {
  using A = accum_t<T>;
  const auto isa = norm_isa_in_use<T>();
  const NormStatistics<A> st(p, stats);
  parallel_chunks(p.samples, norm_rows_per_chunk(p), [&](int64_t, int64_t begin, int64_t end) {
    isa.row_statistics({.rows = end - begin, .channels = p.channels, .x = x.as<T>() + begin * p.channels, .mean = st.mean + begin,
                        .rest = st.rest + begin, .rstd = st.rstd + begin, .eps = p.eps});
  });
}

template <class T>
void statistics_of(const NormProblem& p, View x, View stats, const NormRunning& running) {
  using A = accum_t<T>;
  if (norm_by_rows(p)) return row_statistics<T>(p, x, stats);
  const auto isa = norm_isa_in_use<T>();
  const NormCut cut(p);
  const int64_t C = p.channels;
  std::vector<NormMoments> partial(size_t(p.samples * cut.chunks * C));
  cut.parallel_sums(p, [&](int64_t, int64_t index, int64_t begin, int64_t count, int64_t lane, int64_t strip) {
    std::vector<A> values(size_t(3 * strip));
    A *first = values.data(), *sum = first + strip, *square = sum + strip;
    isa.moments({.count = count - lane, .lanes = cut.lanes, .strip = strip, .x = x.as<T>() + begin + lane}, first, sum, square);
    const int64_t rows = count / cut.lanes, tail = count % cut.lanes;
    for (int64_t l = 0; l < strip; ++l) {
      const double n = double(rows + (lane + l < tail));
      if (n == 0) continue;
      const double s = double(sum[l]), deviation = double(square[l]) - s * s / n;
      partial[size_t(index * C + (lane + l) % C)].merge(n, double(first[l]) + s / n,
                                                        deviation > 0            ? deviation
                                                        : deviation == deviation ? 0
                                                                                 : deviation);
    }
  });
  const NormStatistics<A> st(p, stats);
  const int64_t width = C / p.groups;
  parallel_for(p.samples * p.groups, 64, [&](int64_t i) {
    const int64_t s = i / p.groups, g = i % p.groups;
    NormMoments all;
    for (int64_t k = 0; k < cut.chunks; ++k)
      for (int64_t c = g * width; c < (g + 1) * width; ++c) {
        const NormMoments& m = partial[size_t((s * cut.chunks + k) * C + c)];
        all.merge(m.count, m.mean, m.deviation);
      }
    st.set(i, NormStatistic<A>::of(all.mean, all.deviation / all.count, p.eps));
    if (running.mean)
      move_running(running.mean.as<A>()[i], running.variance.as<A>()[i], running.momentum, all.mean, all.deviation, all.count);
  });
}

}  // namespace

void norm_statistics(Cpu, const NormProblem& p, View x, View stats, const NormRunning& running) {
  on_dtype(x.dtype, [&]<class T>() { statistics_of<T>(p, x, stats, running); });
}
void norm_constant_statistics(Cpu, const NormProblem& p, const NormRunning& running, View stats) {
  on_dtype(stats.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const NormStatistics<A> st(p, stats);
    for (int64_t c = 0; c < p.channels; ++c)
      st.set(c, NormStatistic<A>::of(double(running.mean.as<A>()[c]), double(running.variance.as<A>()[c]), p.eps));
  });
}

}  // namespace voxgrad
