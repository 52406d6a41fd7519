// The loops of SoftmaxIsa (softmax_isa.h). Included inside the namespace of one instruction set, after planar.h.

template <class T>
void forward(const SoftmaxSpan<T>& s, bool logarithm, const T* x, T* y) {
  using A = accum_t<T>;
  const int64_t K = s.channels, B = s.width;
  A *z = s.scratch, *staging = z + 2 * K * B;
  for (int64_t v0 = 0; v0 < s.voxels; v0 += B) {
    const int64_t n = s.voxels - v0 < B ? s.voxels - v0 : B;
    load_planes(x + v0 * K, n, K, B, z, staging);
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
    store_planes(z, n, K, B, y + v0 * K, staging);
  }
}

template <class T>
void backward(const SoftmaxSpan<T>& s, bool logarithm, const T* y, const T* gy, T* gx) {
  using A = accum_t<T>;
  const int64_t K = s.channels, B = s.width;
  A *p = s.scratch, *g = p + K * B, *staging = g + K * B;
  for (int64_t v0 = 0; v0 < s.voxels; v0 += B) {
    const int64_t n = s.voxels - v0 < B ? s.voxels - v0 : B;
    load_planes(y + v0 * K, n, K, B, p, staging);
    load_planes(gy + v0 * K, n, K, B, g, staging);
    for (int64_t v = 0; v < n; v += kLanes<A>) {
      Vector<A> sum = {};
      for (int64_t k = 0; k < K; ++k) sum += logarithm ? load(g + k * B + v) : load(g + k * B + v) * load(p + k * B + v);
      for (int64_t k = 0; k < K; ++k) {
        const Vector<A> yk = load(p + k * B + v), gk = load(g + k * B + v);
        store(g + k * B + v, logarithm ? gk - exp_of(yk) * sum : yk * (gk - sum));
      }
    }
    store_planes(g, n, K, B, gx + v0 * K, staging);
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
