// The loops of SoftmaxIsa (softmax_isa.h). Included inside the namespace of one instruction set, after planar.h.

// Planes of n voxels from x and to y, as load_planes and store_planes; of voxels side by side their rows are the planes.
template <class T>
void load_span(const SoftmaxSpan<T>& s, const T* x, int64_t n, accum_t<T>* planes, accum_t<T>* staging) {
  if (s.interleaved()) return load_planes(x, n, s.channels, s.width, planes, staging);
  for (int64_t k = 0; k < s.channels; ++k)
    for_lanes<accum_t<T>>(n, [&](int64_t v, auto lanes) { store(planes + k * s.width + v, load(x + k * s.inner + v, lanes)); });
}
template <class T>
void store_span(const SoftmaxSpan<T>& s, const accum_t<T>* planes, int64_t n, T* y, accum_t<T>* staging) {
  if (s.interleaved()) return store_planes(planes, n, s.channels, s.width, y, staging);
  for (int64_t k = 0; k < s.channels; ++k)
    for_lanes<accum_t<T>>(n, [&](int64_t v, auto lanes) { store(y + k * s.inner + v, load(planes + k * s.width + v), lanes); });
}

template <class T>
void forward(const SoftmaxSpan<T>& s, bool logarithm, const T* x, T* y) {
  using A = accum_t<T>;
  const int64_t K = s.channels, B = s.width;
  A *z = s.scratch, *staging = z + 2 * K * B;
  for (int64_t v0 = 0; v0 < s.voxels; v0 += B) {
    const int64_t n = s.voxels - v0 < B ? s.voxels - v0 : B;
    load_span(s, x + s.offset(v0), n, z, staging);
    for (int64_t v = 0; v < n; v += kLanes<A>) {
      Vector<A> m = load(z + v), sum = {};
      for (int64_t k = 1; k < K; ++k) m = larger<A>(m, load(z + k * B + v));
      for (int64_t k = 0; k < K; ++k) {
        const Vector<A> d = load(z + k * B + v) - m, e = exp_of(d);
        sum += e;
        store(z + k * B + v, logarithm ? d : e);
      }
      const Vector<A> factor = A(1) / sum, term = log_of(sum);
      for (int64_t k = 0; k < K; ++k) store(z + k * B + v, logarithm ? load(z + k * B + v) - term : load(z + k * B + v) * factor);
    }
    store_span(s, z, n, y + s.offset(v0), staging);
  }
}

template <class T>
void backward(const SoftmaxSpan<T>& s, bool logarithm, const T* y, const T* gy, T* gx) {
  using A = accum_t<T>;
  const int64_t K = s.channels, B = s.width;
  A *p = s.scratch, *g = p + K * B, *staging = g + K * B;
  for (int64_t v0 = 0; v0 < s.voxels; v0 += B) {
    const int64_t n = s.voxels - v0 < B ? s.voxels - v0 : B;
    load_span(s, y + s.offset(v0), n, p, staging);
    load_span(s, gy + s.offset(v0), n, g, staging);
    for (int64_t v = 0; v < n; v += kLanes<A>) {
      Vector<A> sum = {};
      for (int64_t k = 0; k < K; ++k) sum += logarithm ? load(g + k * B + v) : load(g + k * B + v) * load(p + k * B + v);
      for (int64_t k = 0; k < K; ++k) {
        const Vector<A> yk = load(p + k * B + v), gk = load(g + k * B + v);
        store(g + k * B + v, logarithm ? gk - exp_of(yk) * sum : yk * (gk - sum));
      }
    }
    store_span(s, g, n, gx + s.offset(v0), staging);
  }
}

template <class T>
SoftmaxIsa<T> kernels() {
  return {forward<T>, backward<T>};
}
template SoftmaxIsa<float> kernels();
template SoftmaxIsa<double> kernels();
template SoftmaxIsa<bf16> kernels();
template SoftmaxIsa<f16> kernels();
