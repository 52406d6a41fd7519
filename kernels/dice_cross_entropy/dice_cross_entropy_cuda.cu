#include "core/cuda/reduce.h"
#include "kernels/dice_cross_entropy/loss_formulas.h"
#include "kernels/dice_cross_entropy/loss_tiles.cuh"

namespace voxgrad {
namespace {

// partial {samples, chunks, 3 channels + 2}: sums of p t, p and t per channel, of the cross-entropies and of the weights w[y].
template <class T, int kGroup>
__global__ void dice_cross_entropy_sums_kernel(LossTiles t, int64_t voxels, LossLabels labels, LossWeights weights, const T* logits,
                                               double* partial, long long* first_bad) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  VOXGRAD_SHARED(int, label, [kLossThreads]);
  float *const z = reinterpret_cast<float*>(memory), *const sums = z + t.tile * t.stride;
  const int64_t K = t.channels, sample = int64_t(blockIdx.x) / t.chunks, chunk = int64_t(blockIdx.x) - sample * t.chunks;
  const int64_t begin = chunk * t.chunk, end = begin + t.chunk < voxels ? begin + t.chunk : voxels;
  const float keep = float(1 - weights.smoothing), spread = float(weights.smoothing / double(K)), total = weights.total(K);
  float loss = 0, weight = 0;
  for (int64_t i = threadIdx.x; i < 3 * t.slots; i += kLossThreads) sums[i] = 0;
  for (int64_t first = begin; first < end; first += t.tile) {
    const int64_t at = sample * voxels + first, count = end - first < t.tile ? end - first : t.tile;
    load_tile(t, logits + at * K, count, z);
    if (threadIdx.x < count) {
      const int64_t y = labels.raw(at + threadIdx.x);
      if (labels.bad(y)) atomicMin(first_bad, static_cast<long long>(y));
      label[threadIdx.x] = labels.at(at + threadIdx.x);
    }
    __syncthreads();
    const int64_t v = threadIdx.x / kGroup;
    const int y = v < count ? label[v] : -1;
    float* const own = z + v * t.stride;
    const LossVoxel e = exponentiate<kGroup>(own, v < count ? K : 0, y, weights);
    if (y >= 0 && threadIdx.x % kGroup == 0) {
      const float log_sum = logf(e.sum);
      loss += keep * e.weight * (log_sum - e.own) + spread * (total * log_sum - e.smooth);
      weight += e.weight;
    }
    const float scale = 1 / e.sum;
    for_lane_channels<kGroup>(v < count ? K : 0, [&](int64_t k) { own[k] *= scale; });
    __syncthreads();
    const int64_t parts = t.slots / K;
    for (int64_t slot = threadIdx.x; slot < t.slots; slot += kLossThreads) {
      const int64_t part = slot / K, k = slot - part * K;
      float intersection = 0, prediction = 0, truth = 0;
      for (int64_t u = part; u < count; u += parts) {
        const float p = label[u] >= 0 ? z[u * t.stride + k] : 0.f;
        prediction += p;
        if (label[u] == k) intersection += p, truth += 1;
      }
      sums[slot] += intersection, sums[t.slots + slot] += prediction, sums[2 * t.slots + slot] += truth;
    }
    __syncthreads();
  }
  double* const out = partial + int64_t(blockIdx.x) * (3 * K + 2);
  for (int64_t i = threadIdx.x; i < 3 * K; i += kLossThreads) {
    const int64_t q = i / K, k = i - q * K;
    double sum = 0;
    for (int64_t slot = k; slot < t.slots; slot += K) sum += double(sums[q * t.slots + slot]);
    out[i] = sum;
  }
  const double all_loss = block_sum(double(loss)), all_weight = block_sum(double(weight));
  if (threadIdx.x == 0) out[3 * K] = all_loss, out[3 * K + 1] = all_weight;
}

// totals {samples, columns} of partial {samples, chunks, columns}. A warp per sum.
__global__ void dice_cross_entropy_totals_kernel(int64_t sums, int64_t chunks, int64_t columns, const double* partial, double* totals) {
  const int64_t i = int64_t(blockIdx.x) * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;
  if (i >= sums) return;
  const int64_t s = i / columns, c = i - s * columns;
  double sum = 0;
  for (int64_t k = lane; k < chunks; k += 32) sum += partial[(s * chunks + k) * columns + c];
  sum = warp_sum(sum);
  if (lane == 0) totals[i] = sum;
}

// One block: the loss and its derivatives by the sums.
__global__ void dice_cross_entropy_value_kernel(SegmentationLoss p, const double* totals, float* loss, float* slopes) {
  const int64_t K = p.channels, columns = 3 * K + 2, first = p.include_background ? 0 : 1;
  for (int64_t i = threadIdx.x; i < 1 + 2 * p.samples * K; i += blockDim.x) slopes[i] = 0;
  __syncthreads();
  double value = 0;
  if (p.dice_weight != 0) {
    const int64_t groups = p.batch_dice ? 1 : p.samples, classes = K - first;
    const double terms = double(groups) * double(classes);
    double mean = 0;
    for (int64_t i = threadIdx.x; i < groups * classes; i += blockDim.x) {
      const int64_t group = i / classes, k = first + i - group * classes;
      const int64_t begin = p.batch_dice ? 0 : group, end = p.batch_dice ? p.samples : group + 1;
      double sum[3] = {};
      for (int64_t s = begin; s < end; ++s)
        for (int q = 0; q < 3; ++q) sum[q] += totals[s * columns + q * K + k];
      const DiceTerm term(sum[0], sum[1], sum[2], p.smooth);
      mean += term.value / terms;
      for (int64_t s = begin; s < end; ++s) {
        slopes[1 + s * 2 * K + k] = float(-p.dice_weight * term.by_intersection / terms);
        slopes[1 + s * 2 * K + K + k] = float(-p.dice_weight * term.by_prediction / terms);
      }
    }
    value -= p.dice_weight * block_sum(mean);
  }
  if (threadIdx.x != 0) return;
  double cross_entropy = 0, weight = 0;
  for (int64_t s = 0; s < p.samples; ++s) cross_entropy += totals[s * columns + 3 * K], weight += totals[s * columns + 3 * K + 1];
  if (p.cross_entropy_weight != 0 && weight > 0) {
    slopes[0] = float(p.cross_entropy_weight / weight);
    value += p.cross_entropy_weight * cross_entropy / weight;
  }
  *loss = float(value);
}

// The formula is in kernels/dice_cross_entropy/loss_span.h.
template <class T, int kGroup>
__global__ void dice_cross_entropy_gradient_kernel(LossTiles t, int64_t voxels, LossLabels labels, LossWeights weights, const T* logits,
                                                   const float* slopes, const float* seed, T* gradient) {
  VOXGRAD_DYNAMIC_SHARED(memory);
  float* const z = reinterpret_cast<float*>(memory);
  const int64_t K = t.channels, sample = int64_t(blockIdx.x) / t.chunks, chunk = int64_t(blockIdx.x) - sample * t.chunks;
  const int64_t begin = chunk * t.chunk, end = begin + t.chunk < voxels ? begin + t.chunk : voxels;
  const float scale = *seed, total = weights.total(K), cross_entropy = slopes[0] * scale;
  const float keep = cross_entropy * float(1 - weights.smoothing), spread = cross_entropy * float(weights.smoothing / double(K));
  const float *const intersection = slopes + 1 + sample * 2 * K, *const prediction = intersection + K;
  for (int64_t first = begin; first < end; first += t.tile) {
    const int64_t at = sample * voxels + first, count = end - first < t.tile ? end - first : t.tile;
    load_tile(t, logits + at * K, count, z);
    __syncthreads();
    const int64_t v = threadIdx.x / kGroup, channels = v < count ? K : 0;
    const int y = v < count ? labels.at(at + v) : -1;
    float* const own = z + v * t.stride;
    const LossVoxel e = exponentiate<kGroup>(own, channels, y, weights);
    const float inverse = 1 / e.sum, hit = keep * e.weight;
    float mean = 0;
    for_lane_channels<kGroup>(channels, [&](int64_t k) {
      const float p = own[k] * inverse, d = (prediction[k] + (k == y ? intersection[k] : 0.f)) * scale;
      mean += p * d;
      own[k] = p;
    });
    mean = group_sum<kGroup>(mean);
    const float factor = hit + spread * total - mean;
    for_lane_channels<kGroup>(channels, [&](int64_t k) {
      float g = own[k] * (factor + prediction[k] * scale + (k == y ? intersection[k] * scale : 0.f));
      g -= (k == y ? hit : 0.f) + spread * weights[k];
      own[k] = y >= 0 ? g : 0.f;
    });
    __syncthreads();
    store_tile(t, z, count, gradient + at * K);
    __syncthreads();
  }
}

LossLabels labels_of(const SegmentationLoss& p, View label) { return {label.data, label.dtype, p.ignore_label, p.channels}; }

}  // namespace

void loss_forward_unchecked(Cuda on, const SegmentationLoss& p, View logits, View label, View weights, View loss, View slopes,
                            void* first_bad) {
  const int64_t columns = 3 * p.channels + 2, sums = p.samples * columns;
  on_dtype(logits.dtype, [&]<class T>() {
    on_voxel_group(p.channels, [&](auto group) {
      constexpr int kGroup = group.value;
      const LossTiles t = loss_tiles(p, kGroup);
      const Scratch partial(on, sums * t.chunks * int64_t(sizeof(double))), totals(on, sums * int64_t(sizeof(double)));
      const Grid grid = {.x = p.samples * t.chunks, .threads = kLossThreads,
                         .shared = (t.tile * t.stride + 3 * t.slots) * int64_t(sizeof(float))};
      launch<dice_cross_entropy_sums_kernel<T, kGroup>>(on, grid, t, p.voxels, labels_of(p, label),
                                                        LossWeights{weights.as<float>(), p.smoothing}, logits.as<T>(), partial.as<double>(),
                                                        static_cast<long long*>(first_bad));
      launch<dice_cross_entropy_totals_kernel>(on, {.x = (sums + 3) / 4, .threads = 128}, sums, t.chunks, columns, partial.as<double>(),
                                               totals.as<double>());
      launch<dice_cross_entropy_value_kernel>(on, {.threads = 256}, p, totals.as<double>(), loss.as<float>(), slopes.as<float>());
    });
  });
}

void loss_backward(Cuda on, const SegmentationLoss& p, View logits, View label, View weights, View slopes, View seed, View gradient) {
  on_dtype(logits.dtype, [&]<class T>() {
    on_voxel_group(p.channels, [&](auto group) {
      constexpr int kGroup = group.value;
      const LossTiles t = loss_tiles(p, kGroup);
      const Grid grid = {.x = p.samples * t.chunks, .threads = kLossThreads, .shared = t.tile * t.stride * int64_t(sizeof(float))};
      launch<dice_cross_entropy_gradient_kernel<T, kGroup>>(on, grid, t, p.voxels, labels_of(p, label),
                                                            LossWeights{weights.as<float>(), p.smoothing}, logits.as<T>(),
                                                            slopes.as<float>(), seed.as<float>(), gradient.as<T>());
    });
  });
}

}  // namespace voxgrad
