#include <vector>

#include "core/error.h"
#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "kernels/dice_cross_entropy/loss_formulas.h"
#include "kernels/dice_cross_entropy/loss_isa.h"
#include "kernels/dice_cross_entropy/loss_kernels.h"
#include "kernels/softmax/planar_width.h"

namespace voxgrad {
namespace {

template <class T>
LossIsa<T> kernels_in_use() {
  return VOXGRAD_BY_ISA(loss_kernels, kernels<T>());
}

// Labels as the kernels want them: -1 for ignored ones.
template <class L>
void convert_labels(const SegmentationLoss& p, const L* label, int64_t n, int32_t* out) {
  int32_t beyond = 0;
  const int32_t ignore = p.ignore_label, channels = int32_t(p.channels);
  for (int64_t i = 0; i < n; ++i) {
    const int32_t y = int32_t(label[i]);
    out[i] = y == ignore ? -1 : y;
    beyond |= int32_t(y != ignore && uint32_t(y) >= uint32_t(channels));
  }
  if (!beyond) return;
  for (int64_t i = 0; i < n; ++i)
    check(out[i] == -1 || uint32_t(out[i]) < uint32_t(channels), p.op, ": a label is ", out[i], ", the logits have ", channels, " classes");
  fail(p.op, ": a label is -1, the logits have ", channels, " classes and the label to ignore is ", ignore);
}

// f(kernels, span, sample, index of the chunk, first voxel) over chunks of the samples.
template <class T, class F>
void over_chunks(const SegmentationLoss& p, View logits, View label, View weights, F&& f) {
  using A = accum_t<T>;
  const auto kernels = kernels_in_use<T>();
  const int64_t width = planar_width(p.channels), chunk = planar_chunk(p.channels), chunks = chunk_count(p.voxels, chunk);
  std::vector<A> w(size_t(p.channels), A(1));
  if (weights) w.assign(weights.as<A>(), weights.as<A>() + p.channels);
  double weight_sum = 0;
  for (A v : w) weight_sum += double(v);
  parallel_for(p.samples * chunks, 1, [&](int64_t i) {
    const int64_t sample = i / chunks, begin = (i % chunks) * chunk, n = std::min(chunk, p.voxels - begin), at = sample * p.voxels + begin;
    std::vector<int32_t> labels(static_cast<size_t>(n));
    if (label.dtype == DType::u8) convert_labels(p, label.as<uint8_t>() + at, n, labels.data());
    else if (label.dtype == DType::i16) convert_labels(p, label.as<int16_t>() + at, n, labels.data());
    else convert_labels(p, label.as<int32_t>() + at, n, labels.data());
    std::vector<A> scratch(size_t(2 * width * p.channels));
    f(kernels,
      LossSpan<T>{n, p.channels, width, logits.as<T>() + at * p.channels, labels.data(), w.data(), weight_sum, p.smoothing, scratch.data()},
      sample, i, at);
  });
}

// Minus the mean Dice, and its derivatives, from sums {samples, 3, channels} of p t, p and t.
template <class A>
double dice_of(const SegmentationLoss& p, std::vector<double>& sums, A* slopes) {
  const int64_t K = p.channels, first = p.include_background ? 0 : 1;
  if (p.batch_dice)
    for (int64_t s = 1; s < p.samples; ++s)
      for (int64_t i = 0; i < 3 * K; ++i) sums[size_t(i)] += sums[size_t(s * 3 * K + i)];
  const int64_t groups = p.batch_dice ? 1 : p.samples;
  const double terms = double(groups * (K - first));
  double mean = 0;
  for (int64_t s = 0; s < groups; ++s)
    for (int64_t k = first; k < K; ++k) {
      const double* of = sums.data() + s * 3 * K;
      const DiceTerm term(of[k], of[K + k], of[2 * K + k], p.smooth);
      mean += term.value / terms;
      for (int64_t n = p.batch_dice ? 0 : s; n < (p.batch_dice ? p.samples : s + 1); ++n) {
        slopes[n * 2 * K + k] = A(-p.dice_weight * term.by_intersection / terms);
        slopes[n * 2 * K + K + k] = A(-p.dice_weight * term.by_prediction / terms);
      }
    }
  return -mean;
}

template <class T>
void forward_of(const SegmentationLoss& p, View logits, View label, View weights, View loss, View slopes) {
  using A = accum_t<T>;
  const int64_t K = p.channels, chunks = chunk_count(p.voxels, planar_chunk(K));
  std::vector<double> by_channel(size_t(p.samples * chunks * 3 * K));
  std::vector<LossSums> partial(static_cast<size_t>(p.samples * chunks));
  over_chunks<T>(p, logits, label, weights, [&](auto& kernels, const LossSpan<T>& span, int64_t, int64_t i, int64_t) {
    partial[size_t(i)].by_channel = by_channel.data() + i * 3 * K;
    kernels.sums(span, partial[size_t(i)]);
  });
  std::vector<double> sums(static_cast<size_t>(p.samples * 3 * K));
  double cross_entropy = 0, weight = 0;
  for (int64_t i = 0; i < p.samples * chunks; ++i) {
    cross_entropy += partial[size_t(i)].cross_entropy;
    weight += partial[size_t(i)].weight;
    for (int64_t j = 0; j < 3 * K; ++j) sums[size_t(i / chunks * 3 * K + j)] += by_channel[size_t(i * 3 * K + j)];
  }
  A* slope = slopes.as<A>();
  for (int64_t i = 0; i < 1 + 2 * p.samples * K; ++i) slope[i] = 0;
  double value = 0;
  if (p.cross_entropy_weight != 0 && weight > 0) {
    slope[0] = A(p.cross_entropy_weight / weight);
    value += p.cross_entropy_weight * cross_entropy / weight;
  }
  if (p.dice_weight != 0) value += p.dice_weight * dice_of(p, sums, slope + 1);
  *loss.as<A>() = A(value);
}

template <class T>
void backward_of(const SegmentationLoss& p, View logits, View label, View weights, View slopes, View seed, View gradient) {
  using A = accum_t<T>;
  const int64_t K = p.channels;
  const A* slope = slopes.as<A>();
  std::vector<A> scaled(static_cast<size_t>(1 + 2 * p.samples * K));
  for (size_t i = 0; i < scaled.size(); ++i) scaled[i] = slope[i] * *seed.as<A>();
  over_chunks<T>(p, logits, label, weights, [&](auto& kernels, const LossSpan<T>& span, int64_t sample, int64_t, int64_t at) {
    const A* of = scaled.data() + 1 + sample * 2 * K;
    kernels.gradient(span, LossSlopes<T>{scaled[0], of, of + K}, gradient.as<T>() + at * K);
  });
}

}  // namespace

void loss_forward(Cpu, const SegmentationLoss& p, View logits, View label, View weights, View loss, View slopes) {
  on_dtype(logits.dtype, [&]<class T>() { forward_of<T>(p, logits, label, weights, loss, slopes); });
}
void loss_backward(Cpu, const SegmentationLoss& p, View logits, View label, View weights, View slopes, View seed, View gradient) {
  on_dtype(logits.dtype, [&]<class T>() { backward_of<T>(p, logits, label, weights, slopes, seed, gradient); });
}

}  // namespace voxgrad
