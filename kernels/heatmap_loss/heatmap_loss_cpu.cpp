#include <algorithm>
#include <vector>

#include "core/device/parallel.h"
#include "kernels/heatmap_loss/heatmap_loss_formulas.h"
#include "kernels/heatmap_loss/heatmap_loss_kernels.h"

namespace voxgrad {
namespace {

constexpr int64_t kChunk = 1 << 12;

template <class T>
HeatmapPlace<accum_t<T>> place_at(const HeatmapLoss& p, View logits, View target, int64_t i) {
  using A = accum_t<T>;
  return {A(p.alpha), A(p.beta), A(logits.as<T>()[i]), target.as<A>()[i]};
}

}  // namespace

void heatmap_loss(Cpu, const HeatmapLoss& p, View logits, View target, View loss, View centres) {
  std::vector<double> sums(size_t(chunk_count(p.n, kChunk))), counts(sums.size());
  on_dtype(logits.dtype, [&]<class T>() {
    parallel_chunks(p.n, kChunk, [&](int64_t c, int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const auto place = place_at<T>(p, logits, target, i);
        sums[size_t(c)] += double(place.value());
        counts[size_t(c)] += place.is_centre();
      }
    });
    double sum = 0, count = 0;
    for (size_t c = 0; c < sums.size(); ++c) sum += sums[c], count += counts[c];
    count = std::max(1.0, count);
    *loss.as<accum_t<T>>() = accum_t<T>(sum / count);
    *centres.as<accum_t<T>>() = accum_t<T>(count);
  });
}

void heatmap_loss_backward(Cpu, const HeatmapLoss& p, View logits, View target, View centres, View seed, View gx) {
  on_dtype(logits.dtype, [&]<class T>() {
    const auto g = *seed.as<accum_t<T>>() / *centres.as<accum_t<T>>();
    parallel_for(p.n, kChunk, [&](int64_t i) { gx.as<T>()[i] = T(g * place_at<T>(p, logits, target, i).gradient()); });
  });
}

}  // namespace voxgrad
