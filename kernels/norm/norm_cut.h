#pragma once
#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/norm/norm_formulas.h"
#include "kernels/norm/norm_isa.h"
#include "kernels/norm/norm_kernels.h"

// What the CPU kernels of the norms share.
namespace voxgrad {

template <class T>
NormIsa<T> norm_isa_in_use() {
  return VOXGRAD_BY_ISA(norm_kernels, kernels<T>());
}

// How a sample is cut into spans (norm_isa.h): a function of the shape alone.
struct NormCut {
  int64_t elements, lanes, chunk, chunks;
  int64_t strip, strips;  // lanes that a task sums; more than one where a lane is a channel
  explicit NormCut(const NormProblem& p) : elements(p.voxels * p.channels), lanes(p.channels) {
    // Enough elements to be worth a task, enough rows to be worth the merging of its lanes, few enough rows to sum in f32.
    constexpr int64_t kElements = 1 << 15, kRows = 512;
    while (lanes % 16 != 0 || lanes < 64) lanes += p.channels;
    chunk = std::max(kElements / lanes, kRows) * lanes;
    chunks = chunk_count(elements, chunk);
    const int64_t rows = std::max<int64_t>(1, std::min(chunk, elements) / lanes);
    strip = lanes == p.channels ? std::min(lanes, std::max<int64_t>(1, kTask / rows / kStrip) * kStrip) : lanes;
    strips = chunk_count(lanes, strip);
  }
  // f(sample, index of the span among all, first element within x, number of elements, first lane, number of lanes): of a span each
  // strip of its lanes, from the first element of which the elements are counted.
  template <class F>
  void parallel_sums(const NormProblem& p, F&& f) const {
    parallel_for(p.samples * chunks * strips, 1, [&](int64_t task) {
      const int64_t i = task / strips, lane = task % strips * strip, s = i / chunks, begin = (i % chunks) * chunk;
      f(s, i, s * elements + begin, std::min(chunk, elements - begin), lane, std::min(strip, lanes - lane));
    });
  }
  // f(sample, first element within x, number of elements), for what is done to each element by itself
  template <class F>
  void parallel_elements(const NormProblem& p, F&& f) const {
    const int64_t piece = std::max<int64_t>(1, kTask / lanes) * lanes, pieces = chunk_count(elements, piece);
    parallel_for(p.samples * pieces, 1, [&](int64_t i) {
      const int64_t s = i / pieces, begin = (i % pieces) * piece;
      f(s, s * elements + begin, std::min(piece, elements - begin));
    });
  }

 private:
  static constexpr int64_t kTask = 1 << 14, kStrip = 64;  // elements that are worth a task; lanes that are summed at once
};

// Whether each row of channels has a statistic of its own.
inline bool norm_by_rows(const NormProblem& p) { return p.voxels == 1 && p.groups == 1 && !p.constant_statistics; }
inline int64_t norm_rows_per_chunk(const NormProblem& p) { return std::max<int64_t>(1, (1 << 15) / p.channels); }

// The views of stats {3, samples, groups}.
template <class A>
struct NormStatistics {
  A *mean, *rest, *rstd;
  NormStatistics(const NormProblem& p, View v) : mean(v.as<A>()), rest(mean + p.samples * p.groups), rstd(rest + p.samples * p.groups) {}
  NormStatistic<A> operator[](int64_t i) const { return {mean[i], rest[i], rstd[i]}; }
  void set(int64_t i, const NormStatistic<A>& s) const { mean[i] = s.mean, rest[i] = s.rest, rstd[i] = s.rstd; }
};

}  // namespace voxgrad
