#include "core/cuda/reduce.h"
#include "core/cuda/scratch.h"
#include "optim/tensor_table.cuh"
#include "optim/update_kernels.h"

namespace voxgrad {
namespace {

__global__ void sgd_update_kernel(const TableEntry<SgdTensor>* table, int64_t count) {
  on_entry(table, count, [](const SgdTensor& t, int64_t, int64_t begin, int64_t end) {
    const float rate = float(t.update.learning_rate), momentum = float(t.update.momentum), decay = float(t.update.weight_decay);
    float *p = t.p.as<float>(), *v = t.v.as<float>();
    const float* g = t.g.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) {
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
__global__ void adamw_update_kernel(const TableEntry<AdamWTensor>* table, int64_t count) {
  on_entry(table, count, [](const AdamWTensor& t, int64_t, int64_t begin, int64_t end) {
    const AdamWUpdate& u = t.update;
    const float beta1 = float(u.beta1), beta2 = float(u.beta2), rest1 = float(1 - u.beta1), rest2 = float(1 - u.beta2), eps = float(u.eps);
    const float keep = float(1 - u.learning_rate * u.weight_decay), a = float(u.learning_rate / u.correction1);
    const float b = float(1 / sqrt(u.correction2));
    float *p = t.p.as<float>(), *m = t.mean.as<float>(), *v = t.square.as<float>(), *largest = t.largest.as<float>();
    const float* g = t.g.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) {
      const float gi = g[i], mi = beta1 * m[i] + rest1 * gi, vi = beta2 * v[i] + rest2 * gi * gi;
      m[i] = mi;
      v[i] = vi;
      float ui = vi;
      if (largest) ui = largest[i] = largest[i] > vi ? largest[i] : vi;
      p[i] = keep * p[i] - a * mi / (b * sqrtf(ui) + eps);
    }
  });
}

__global__ void gradient_squares_kernel(const TableEntry<FlatView>* table, int64_t count, double* partial) {
  double sum = 0;
  on_entry(table, count, [&](const FlatView& t, int64_t, int64_t begin, int64_t end) {
    const float* x = t.data.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) sum += double(x[i]) * double(x[i]);
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

__global__ void gradient_not_finite_kernel(const TableEntry<FlatView>* table, int64_t count, int* first) {
  on_entry(table, count, [&](const FlatView& t, int64_t index, int64_t begin, int64_t end) {
    const float* x = t.data.as<float>();
    bool finite = true;
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) finite = finite && x[i] - x[i] == 0;
    if (!finite) atomicMin(first, int(index));
  });
}

__global__ void gradient_scale_kernel(const TableEntry<FlatView>* table, int64_t count, float factor) {
  on_entry(table, count, [&](const FlatView& t, int64_t, int64_t begin, int64_t end) {
    float* x = t.data.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) x[i] *= factor;
  });
}

}  // namespace

void sgd_update(Cuda on, const SgdTensor* tensors, int64_t count) {
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    launch<sgd_update_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, n);
  });
}
void adamw_update(Cuda on, const AdamWTensor* tensors, int64_t count) {
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    launch<adamw_update_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, n);
  });
}

double sum_of_squares(Cuda on, const FlatView* tensors, int64_t count) {
  double sum = 0;
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    const Scratch partial(on, blocks * int64_t(sizeof(double)));
    launch<gradient_squares_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, n, partial.as<double>());
    launch<gradient_total_kernel>(on, {.threads = 1024}, blocks, partial.as<double>());
    partial.read(&sum, sizeof sum);
  });
  return sum;
}

int64_t first_not_finite(Cuda on, const FlatView* tensors, int64_t count) {
  int first = int(count);
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    const Scratch found(on, &first, sizeof first);
    launch<gradient_not_finite_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, n, found.as<int>());
    found.read(&first, sizeof first);
  });
  return first;
}

void scale_by(Cuda on, const FlatView* tensors, int64_t count, double factor) {
  with_table(on, tensors, count, [&](auto* table, int64_t n, int64_t blocks) {
    launch<gradient_scale_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, n, float(factor));
  });
}

}  // namespace voxgrad
