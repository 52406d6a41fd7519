// The rows of NormIsa (norm_isa.h): each row of channels has its own statistics. Included after norm_span.h.

template <class T>
void row_statistics(const NormRows<T>& p) {
  using A = accum_t<T>;
  for (int64_t r = 0; r < p.rows; ++r) {
    const T* x = p.x + r * p.channels;
    const A first = load_some(x, 1)[0];
    Vector<A> sum = {}, square = {};
    for_lanes<A>(p.channels, [&](int64_t c, auto n) {
      const Vector<A> d = only_first<A>(load(x + c, n) - splat(first), n);
      sum += d;
      square += d * d;
    });
    const double count = double(p.channels), shift = double(sum_lanes<A>(sum)) / count;
    const double mean = double(first) + shift, variance = double(sum_lanes<A>(square)) / count - shift * shift;
    p.mean[r] = A(mean);
    p.rest[r] = A(mean - double(A(mean)));
    p.rstd[r] = A(1 / __builtin_sqrt((variance > 0 ? variance : 0) + p.eps));
  }
}

template <class A, class N>
VOXGRAD_INLINE Vector<A> scale_at(const A* scale, int64_t c, N n) {
  return scale ? load(scale + c, n) : splat(A(1));
}

template <class T>
void row_apply(const NormRows<T>& p, T* y) {
  using A = accum_t<T>;
  for (int64_t r = 0; r < p.rows; ++r) {
    const T* x = p.x + r * p.channels;
    const Vector<A> mean = splat(p.mean[r]), rest = splat(p.rest[r]), rstd = splat(p.rstd[r]);
    for_lanes<A>(p.channels, [&](int64_t c, auto n) {
      const Vector<A> xhat = ((load(x + c, n) - mean) - rest) * rstd;
      store(y + r * p.channels + c, xhat * scale_at(p.scale, c, n) + (p.shift ? load(p.shift + c, n) : Vector<A>{}), n);
    });
  }
}

// With t = scale gy: gx = rstd (t - mean(t) - xhat mean(t xhat)), means over the row.
template <class T>
void row_gradient(const NormRows<T>& p, T* gx, accum_t<T>* gscale, accum_t<T>* gshift) {
  using A = accum_t<T>;
  for (int64_t r = 0; r < p.rows; ++r) {
    const T *x = p.x + r * p.channels, *gy = p.gy + r * p.channels;
    const Vector<A> mean = splat(p.mean[r]), rest = splat(p.rest[r]), rstd = splat(p.rstd[r]);
    Vector<A> sum = {}, product = {};
    for_lanes<A>(p.channels, [&](int64_t c, auto n) {
      const Vector<A> xhat = ((load(x + c, n) - mean) - rest) * rstd, g = load(gy + c, n), t = g * scale_at(p.scale, c, n);
      sum += t;
      product += t * xhat;
      store(gscale + c, load(gscale + c, n) + g * xhat, n);
      store(gshift + c, load(gshift + c, n) + g, n);
    });
    if (!gx) continue;
    const A count = A(p.channels);
    const Vector<A> m = splat(sum_lanes<A>(sum) / count), mx = splat(sum_lanes<A>(product) / count);
    for_lanes<A>(p.channels, [&](int64_t c, auto n) {
      const Vector<A> xhat = ((load(x + c, n) - mean) - rest) * rstd, t = load(gy + c, n) * scale_at(p.scale, c, n);
      store(gx + r * p.channels + c, rstd * (t - m - xhat * mx), n);
    });
  }
}

template <class T>
NormIsa<T> kernels() {
  return {moments<T>, apply<T>, gradient_sums<T>, gradient<T>, row_statistics<T>, row_apply<T>, row_gradient<T>};
}
template NormIsa<float> kernels();
template NormIsa<double> kernels();
template NormIsa<bf16> kernels();
template NormIsa<f16> kernels();
