#include "core/cuda/reduce.h"
#include "core/cuda/scratch.h"
#include "optim/tensor_table.cuh"
#include "optim/update_kernels.h"

namespace voxgrad {
namespace {

__global__ void sgd_update_kernel(TensorTable<SgdTensor> table) {
  on_entry(table, [](const SgdTensor& t, int64_t, int64_t begin, int64_t end) {
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
__global__ void adamw_update_kernel(TensorTable<AdamWTensor> table) {
  on_entry(table, [](const AdamWTensor& t, int64_t, int64_t begin, int64_t end) {
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

__global__ void gradient_squares_kernel(TensorTable<FlatView> table, double* partial) {
  double sum = 0;
  on_entry(table, [&](const FlatView& t, int64_t, int64_t begin, int64_t end) {
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

// Nothing is looked at where the sum of squares, of a step that is recorded, is known to be finite.
__global__ void gradient_not_finite_kernel(TensorTable<FlatView> table, const double* squares, long long* first) {
  if (squares && *squares - *squares == 0) return;
  on_entry(table, [&](const FlatView& t, int64_t index, int64_t begin, int64_t end) {
    const float* x = t.data.as<float>();
    bool finite = true;
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) finite = finite && x[i] - x[i] == 0;
    if (!finite) atomicMin(first, static_cast<long long>(index));
  });
}

__global__ void gradient_scale_kernel(TensorTable<FlatView> table, float factor) {
  on_entry(table, [&](const FlatView& t, int64_t, int64_t begin, int64_t end) {
    float* x = t.data.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) x[i] *= factor;
  });
}

// f32 values hold squares that sum up in f64: a sum is finite where all of them are. A word that anything is found in leaves the step out.
__global__ void gradient_verdict_kernel(const double* squares, cuda::FoundWords found, cuda::StepVerdict* verdict) {
  verdict->squares = *squares;
  bool wrong = *squares - *squares != 0;
  for (int64_t w = 0; w < found.count; ++w) wrong = wrong || found.words[w] != cuda::Found::kNothing;
  if (wrong) verdict->left_out = 1;
}

// As clip_grad_norm on the host.
__global__ void gradient_clip_kernel(TensorTable<FlatView> table, const cuda::StepVerdict* verdict, double max_norm) {
  const double norm = sqrt(verdict->squares);
  if (!(norm > max_norm)) return;
  const float factor = float(max_norm / norm);
  on_entry(table, [&](const FlatView& t, int64_t, int64_t begin, int64_t end) {
    float* x = t.data.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) x[i] *= factor;
  });
}

// In the order and with the roundings of affine, affine and add.
__global__ void average_update_kernel(TensorTable<AverageTensor> table) {
  on_entry(table, [](const AverageTensor& t, int64_t, int64_t begin, int64_t end) {
    const float keep = float(t.update.keep), rest = float(1 - t.update.keep);
    float* average = t.average.as<float>();
    const float* now = t.now.as<float>();
    for (int64_t i = begin + threadIdx.x; i < end; i += kTableThreads) average[i] = (keep * average[i] + 0.f) + (rest * now[i] + 0.f);
  });
}

// Calls f with the sum of squares on the device, once it is queued; without tensors it is 0.
template <class F>
void with_squares(Cuda on, const FlatView* tensors, int64_t count, F&& f) {
  with_table(on, tensors, count, [&](const auto& table, int64_t blocks) {
    const Scratch partial(on, blocks * int64_t(sizeof(double)));
    launch<gradient_squares_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, partial.template as<double>());
    launch<gradient_total_kernel>(on, {.threads = 1024}, blocks, partial.template as<double>());
    f(table, blocks, partial);
  });
}

}  // namespace

void sgd_update(Cuda on, const SgdTensor* tensors, int64_t count) {
  with_table(on, tensors, count, [&](const auto& table, int64_t blocks) {
    launch<sgd_update_kernel>(on, {.x = blocks, .threads = kTableThreads}, table);
  });
}
void adamw_update(Cuda on, const AdamWTensor* tensors, int64_t count) {
  with_table(on, tensors, count, [&](const auto& table, int64_t blocks) {
    launch<adamw_update_kernel>(on, {.x = blocks, .threads = kTableThreads}, table);
  });
}

void average_update(Cuda on, const AverageTensor* tensors, int64_t count) {
  with_table(on, tensors, count, [&](const auto& table, int64_t blocks) {
    launch<average_update_kernel>(on, {.x = blocks, .threads = kTableThreads}, table);
  });
}

double sum_of_squares(Cuda on, const FlatView* tensors, int64_t count) {
  double sum = 0;
  with_squares(on, tensors, count, [&](const auto&, int64_t, const Scratch& total) { total.read(&sum, sizeof sum); });
  return sum;
}

int64_t first_not_finite(Cuda on, const FlatView* tensors, int64_t count) {
  const cuda::Found first(on);
  with_table(on, tensors, count, [&](const auto& table, int64_t blocks) {
    launch<gradient_not_finite_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, static_cast<const double*>(nullptr),
                                       first.word());
  });
  const int64_t found = first.read();
  return found < count ? found : count;
}

int64_t judge_gradients(Cuda on, const FlatView* tensors, int64_t count, double max_norm) {
  const cuda::Found first(on);
  cuda::StepVerdict* const verdict = cuda::step_verdict();
  with_squares(on, tensors, count, [&](const auto& table, int64_t blocks, const Scratch& total) {
    launch<gradient_verdict_kernel>(on, {.threads = 1}, total.as<double>(), cuda::found_so_far(), verdict);
    launch<gradient_not_finite_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, static_cast<const double*>(&verdict->squares),
                                       first.word());
    if (max_norm > 0) launch<gradient_clip_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, verdict, max_norm);
  });
  return first.read();
}

void scale_by(Cuda on, const FlatView* tensors, int64_t count, double factor) {
  with_table(on, tensors, count, [&](const auto& table, int64_t blocks) {
    launch<gradient_scale_kernel>(on, {.x = blocks, .threads = kTableThreads}, table, float(factor));
  });
}

}  // namespace voxgrad
