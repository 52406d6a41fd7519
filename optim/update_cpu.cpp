#include <atomic>
#include <cmath>
#include <vector>

#include "core/device/isa.h"
#include "core/device/parallel.h"
#include "optim/update_kernels.h"
#include "optim/update_variants.h"

namespace voxgrad {
namespace {

constexpr int64_t kGrain = 1 << 14;

template <class F>
void on_parameter_dtype(DType t, F&& f) {
  t == DType::f64 ? f(double{}) : f(float{});
}

template <class A>
void sgd_range(const SgdUpdate& u, int64_t n, A* __restrict p, const A* __restrict g, A* __restrict v) {
  const A rate = A(u.learning_rate), momentum = A(u.momentum), decay = A(u.weight_decay);
  if (!v) {
    for (int64_t i = 0; i < n; ++i) p[i] -= rate * (g[i] + decay * p[i]);
  } else if (u.nesterov) {
    for (int64_t i = 0; i < n; ++i) {
      const A gi = g[i] + decay * p[i], vi = momentum * v[i] + gi;
      v[i] = vi;
      p[i] -= rate * (gi + momentum * vi);
    }
  } else {
    for (int64_t i = 0; i < n; ++i) {
      const A vi = momentum * v[i] + (g[i] + decay * p[i]);
      v[i] = vi;
      p[i] -= rate * vi;
    }
  }
}

// With a = learning_rate / correction1 and b = 1 / sqrt(correction2): p -= a m / (b sqrt(u) + eps).
template <bool kLargest, class A>
void adamw_range(const AdamWUpdate& u, int64_t n, A* __restrict p, const A* __restrict g, A* __restrict m, A* __restrict v,
                 A* __restrict largest) {
  const A beta1 = A(u.beta1), beta2 = A(u.beta2), rest1 = A(1 - u.beta1), rest2 = A(1 - u.beta2), eps = A(u.eps);
  const A keep = A(1 - u.learning_rate * u.weight_decay), a = A(u.learning_rate / u.correction1), b = A(1 / std::sqrt(u.correction2));
  for (int64_t i = 0; i < n; ++i) {
    const A gi = g[i], mi = beta1 * m[i] + rest1 * gi, vi = beta2 * v[i] + rest2 * gi * gi;
    m[i] = mi;
    v[i] = vi;
    A ui = vi;
    if constexpr (kLargest) ui = largest[i] = largest[i] > vi ? largest[i] : vi;
    p[i] = keep * p[i] - a * mi / (b * std::sqrt(ui) + eps);
  }
}

template <class A>
double sum_of_squares(int64_t n, const A* x) {
  constexpr int64_t kChunk = 1 << 15;
  std::vector<double> partial(size_t(chunk_count(n, kChunk)));
  parallel_chunks(n, kChunk, [&](int64_t c, int64_t begin, int64_t end) {
    partial[size_t(c)] = VOXGRAD_BY_ISA(update_kernels, squares_of(end - begin, x + begin));
  });
  double sum = 0;
  for (double v : partial) sum += v;
  return sum;
}

// A number is finite where its exponent is not all ones: where its bits without the sign are below those of infinity.
template <class Bits, Bits kSign, Bits kInfinity>
bool finite_bits(int64_t n, const void* data) {
  std::atomic<bool> finite = true;
  parallel_ranges(n, kGrain, [&](int64_t begin, int64_t end) {
    const Bits* x = static_cast<const Bits*>(data);
    Bits found = 0;
    for (int64_t i = begin; i < end; ++i) found |= Bits((x[i] & ~kSign) >= kInfinity);
    if (found) finite = false;
  });
  return finite;
}

}  // namespace

void sgd_update(Cpu, const SgdTensor* tensors, int64_t count) {
  for (const SgdTensor* t = tensors; t < tensors + count; ++t)
    on_parameter_dtype(t->p.dtype, [&]<class A>(A) {
      parallel_ranges(t->n, kGrain, [&](int64_t begin, int64_t end) {
        A* v = t->v ? t->v.as<A>() + begin : nullptr;
        sgd_range(t->update, end - begin, t->p.as<A>() + begin, t->g.as<A>() + begin, v);
      });
    });
}

void adamw_update(Cpu, const AdamWTensor* tensors, int64_t count) {
  for (const AdamWTensor* t = tensors; t < tensors + count; ++t)
    on_parameter_dtype(t->p.dtype, [&]<class A>(A) {
      parallel_ranges(t->n, kGrain, [&](int64_t begin, int64_t end) {
        A *p = t->p.as<A>() + begin, *g = t->g.as<A>() + begin, *m = t->mean.as<A>() + begin, *v = t->square.as<A>() + begin;
        if (t->largest) adamw_range<true>(t->update, end - begin, p, g, m, v, t->largest.as<A>() + begin);
        else adamw_range<false, A>(t->update, end - begin, p, g, m, v, nullptr);
      });
    });
}

double sum_of_squares(Cpu, const FlatView* tensors, int64_t count) {
  double sum = 0;
  for (const FlatView* t = tensors; t < tensors + count; ++t)
    sum += t->data.dtype == DType::f64 ? sum_of_squares(t->n, t->data.as<double>()) : sum_of_squares(t->n, t->data.as<float>());
  return sum;
}

int64_t first_not_finite(Cpu, const FlatView* tensors, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const FlatView& t = tensors[i];
    const bool finite = t.data.dtype == DType::f64 ? finite_bits<uint64_t, uint64_t(1) << 63, 0x7ff0000000000000u>(t.n, t.data.data)
                                                   : finite_bits<int32_t, INT32_MIN, 0x7f800000>(t.n, t.data.data);
    if (!finite) return i;
  }
  return count;
}

void scale_by(Cpu, const FlatView* tensors, int64_t count, double factor) {
  for (const FlatView* t = tensors; t < tensors + count; ++t)
    on_parameter_dtype(t->data.dtype, [&]<class A>(A) {
      A* p = t->data.as<A>();
      parallel_ranges(t->n, kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) p[i] *= A(factor);
      });
    });
}

}  // namespace voxgrad
