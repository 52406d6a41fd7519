#include "core/cuda/reduce.h"
#include "core/cuda/scratch.h"
#include "optim/update_kernels.h"

namespace voxgrad {
namespace {

constexpr int kThreads = 256, kPerBlock = 4096;

// A tensor of one launch and the first of its blocks.
template <class Item>
struct Entry {
  Item item;
  int64_t first_block;
};

// f(item, index of it, begin, end): the elements of this block.
template <class Item, class F>
__device__ void on_entry(const Entry<Item>* table, int64_t count, F f) {
  int64_t low = 0, high = count - 1;
  while (low < high) {
    const int64_t middle = (low + high + 1) / 2;
    if (table[middle].first_block <= int64_t(blockIdx.x)) low = middle;
    else high = middle - 1;
  }
  const Item& item = table[low].item;
  const int64_t begin = (int64_t(blockIdx.x) - table[low].first_block) * kPerBlock;
  f(item, low, begin, begin + kPerBlock < item.n ? begin + kPerBlock : item.n);
}

__global__ void sgd_update_kernel(const Entry<SgdTensor>* table, int64_t count) {
  on_entry(table, count, [](const SgdTensor& t, int64_t, int64_t begin, int64_t end) {
    const float rate = float(t.update.learning_rate), momentum = float(t.update.momentum), decay = float(t.update.weight_decay);
    float *p = t.p.as<float>(), *v = t.v.as<float>();
    const float* g = t.g.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
      const float gi = g[i] + decay * p[i];
      if (!v) {
        p[i] -= rate * gi;
        continue;
      }
      const float vi = momentum * v[i] + gi;
      v[i] = vi;
      p[i] -= rate * (t.update.nesterov ? gi + momentum * vi : vi);
    }
  });
}

// With a = learning_rate / correction1 and b = 1 / sqrt(correction2): p -= a m / (b sqrt(u) + eps).
__global__ void adamw_update_kernel(const Entry<AdamWTensor>* table, int64_t count) {
  on_entry(table, count, [](const AdamWTensor& t, int64_t, int64_t begin, int64_t end) {
    const AdamWUpdate& u = t.update;
    const float beta1 = float(u.beta1), beta2 = float(u.beta2), rest1 = float(1 - u.beta1), rest2 = float(1 - u.beta2), eps = float(u.eps);
    const float keep = float(1 - u.learning_rate * u.weight_decay), a = float(u.learning_rate / u.correction1);
    const float b = float(1 / sqrt(u.correction2));
    float *p = t.p.as<float>(), *m = t.mean.as<float>(), *v = t.square.as<float>(), *largest = t.largest.as<float>();
    const float* g = t.g.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) {
      const float gi = g[i], mi = beta1 * m[i] + rest1 * gi, vi = beta2 * v[i] + rest2 * gi * gi;
      m[i] = mi;
      v[i] = vi;
      float ui = vi;
      if (largest) ui = largest[i] = largest[i] > vi ? largest[i] : vi;
      p[i] = keep * p[i] - a * mi / (b * sqrtf(ui) + eps);
    }
  });
}

__global__ void gradient_squares_kernel(const Entry<FlatView>* table, int64_t count, double* partial) {
  double sum = 0;
  on_entry(table, count, [&](const FlatView& t, int64_t, int64_t begin, int64_t end) {
    const float* x = t.data.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) sum += double(x[i]) * double(x[i]);
  });
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void gradient_total_kernel(int64_t n, double* partial) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[0] = sum;
}

__global__ void gradient_not_finite_kernel(const Entry<FlatView>* table, int64_t count, int* first) {
  on_entry(table, count, [&](const FlatView& t, int64_t index, int64_t begin, int64_t end) {
    const float* x = t.data.as<float>();
    bool finite = true;
    for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) finite = finite && x[i] - x[i] == 0;
    if (!finite) atomicMin(first, int(index));
  });
}

__global__ void gradient_scale_kernel(const Entry<FlatView>* table, int64_t count, float factor) {
  on_entry(table, count, [&](const FlatView& t, int64_t, int64_t begin, int64_t end) {
    float* x = t.data.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) x[i] *= factor;
  });
}

// Calls f(table on the device, number of entries, number of blocks).
template <class Item, class F>
void with_table(Cuda on, const Item* items, int64_t count, F&& f) {
  Entry<Item>* const host = new Entry<Item>[size_t(count)];
  int64_t blocks = 0;
  for (int64_t i = 0; i < count; ++i) {
    host[i] = {items[i], blocks};
    blocks += (items[i].n + kPerBlock - 1) / kPerBlock;
  }
  const Scratch table(on, host, count * int64_t(sizeof(Entry<Item>)));
  delete[] host;
  if (blocks == 0) return;
  f(table.template as<const Entry<Item>>(), count, blocks);
}

}  // namespace

void sgd_update(Cuda on, const SgdTensor* tensors, int64_t count) {
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    launch<sgd_update_kernel>(on, {.x = blocks, .threads = kThreads}, table, n);
  });
}
void adamw_update(Cuda on, const AdamWTensor* tensors, int64_t count) {
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    launch<adamw_update_kernel>(on, {.x = blocks, .threads = kThreads}, table, n);
  });
}

double sum_of_squares(Cuda on, const FlatView* tensors, int64_t count) {
  double sum = 0;
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    const Scratch partial(on, blocks * int64_t(sizeof(double)));
    launch<gradient_squares_kernel>(on, {.x = blocks, .threads = kThreads}, table, n, partial.as<double>());
    launch<gradient_total_kernel>(on, {.threads = 1024}, blocks, partial.as<double>());
    partial.read(&sum, sizeof sum);
  });
  return sum;
}

int64_t first_not_finite(Cuda on, const FlatView* tensors, int64_t count) {
  int first = int(count);
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    const Scratch found(on, &first, sizeof first);
    launch<gradient_not_finite_kernel>(on, {.x = blocks, .threads = kThreads}, table, n, found.as<int>());
    found.read(&first, sizeof first);
  });
  return first;
}

void scale_by(Cuda on, const FlatView* tensors, int64_t count, double factor) {
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    launch<gradient_scale_kernel>(on, {.x = blocks, .threads = kThreads}, table, n, float(factor));
  });
}

}  // namespace voxgrad
