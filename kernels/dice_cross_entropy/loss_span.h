// The loops of LossIsa (loss_isa.h). Included inside the namespace of one instruction set, after kernels/softmax/planar.h.

// The labels of kLanes voxels, of which the first n count.
template <class A>
VOXGRAD_INLINE Mask<A> labels_at(const int32_t* label, int64_t n) {
  Mask<A> y;
  for (int i = 0; i < kLanes<A>; ++i) y[i] = i < n ? label[i] : -1;
  return y;
}
template <>
VOXGRAD_INLINE Mask<float> labels_at<float>(const int32_t* label, int64_t n) {
  Mask<float> y = Mask<float>{} - 1;
  if (n >= kLanes<float>) __builtin_memcpy(&y, label, sizeof y);
  else
    for (int i = 0; i < n; ++i) y[i] = label[i];
  return y;
}

template <class A>
VOXGRAD_INLINE Mask<A> is_class(Mask<A> y, int64_t k) {
  return y == std::remove_reference_t<decltype(y[0])>(k);
}

// e^(z - m) of one group of voxels, and what goes with it.
template <class A>
struct Exponentials {
  Vector<A> sum = {}, own = {}, weight = {}, smooth = {};  // sum_k e, z[y] - m, w[y], sum_k w[k] (z[k] - m)
};

// z[k stride] of a group of voxels becomes e^(z - m).
template <class A>
VOXGRAD_INLINE Exponentials<A> exponentiate(A* z, int64_t channels, int64_t stride, Mask<A> y, const A* weights) {
  Vector<A> m = load(z);
  for (int64_t k = 1; k < channels; ++k) m = larger<A>(m, load(z + k * stride));
  Exponentials<A> out;
  for (int64_t k = 0; k < channels; ++k) {
    const Vector<A> d = load(z + k * stride) - m, e = exp_of(d), w = splat(weights[k]);
    const Mask<A> hit = is_class<A>(y, k);
    out.sum += e;
    out.own = hit ? d : out.own;
    out.weight = hit ? w : out.weight;
    out.smooth += w * d;
    store(z + k * stride, e);
  }
  return out;
}

// f(z, stride, labels) for the planes of each group of voxels, block after block; after a block, done(first voxel, n).
template <class T, class F, class Done>
VOXGRAD_INLINE void over_groups(const LossSpan<T>& s, F&& f, Done&& done) {
  using A = accum_t<T>;
  const int64_t K = s.channels, B = s.width;
  A *z = s.scratch, *staging = z + K * B;
  for (int64_t v0 = 0; v0 < s.voxels; v0 += B) {
    const int64_t n = s.voxels - v0 < B ? s.voxels - v0 : B;
    load_planes(s.logits + v0 * K, n, K, B, z, staging);
    for (int64_t v = 0; v < n; v += kLanes<A>) f(z + v, labels_at<A>(s.label + v0 + v, n - v));
    done(z, staging, v0, n);
  }
}

template <class T>
void sums(const LossSpan<T>& s, LossSums& out) {
  using A = accum_t<T>;
  constexpr int W = kLanes<A>;
  const int64_t K = s.channels, B = s.width;
  const A keep = A(1 - s.smoothing), spread = A(s.smoothing / double(K)), total = A(s.weight_sum);
  double* by_channel = out.by_channel;
  for (int64_t i = 0; i < 3 * K; ++i) by_channel[i] = 0;
  Vector<A> loss = {}, weight = {};
  const auto flush = [&](A*, A*, int64_t v0, int64_t n) {
    // Sums per channel are taken over a block in registers, from the probabilities left in the planes.
    const A* z = s.scratch;
    for (int64_t k = 0; k < K; ++k) {
      Vector<A> intersection = {}, prediction = {}, truth = {};
      for (int64_t v = 0; v < n; v += W) {
        const Mask<A> y = labels_at<A>(s.label + v0 + v, n - v);
        const Vector<A> p = load(z + k * B + v), none = {};
        prediction += y >= 0 ? p : none;
        intersection += is_class<A>(y, k) ? p : none;
        truth += is_class<A>(y, k) ? none + 1 : none;
      }
      by_channel[k] += double(sum_lanes<A>(intersection));
      by_channel[K + k] += double(sum_lanes<A>(prediction));
      by_channel[2 * K + k] += double(sum_lanes<A>(truth));
    }
    out.cross_entropy += double(sum_lanes<A>(loss));
    out.weight += double(sum_lanes<A>(weight));
    loss = weight = Vector<A>{};
  };
  over_groups(s, [&](A* z, Mask<A> y) {
    const Exponentials<A> e = exponentiate(z, K, B, y, s.weights);
    const Vector<A> log_sum = log_of(e.sum), scale = A(1) / e.sum, none = {};
    const Vector<A> term = keep * e.weight * (log_sum - e.own) + spread * (total * log_sum - e.smooth);
    loss += y >= 0 ? term : none;
    weight += e.weight;
    for (int64_t k = 0; k < K; ++k) store(z + k * B, load(z + k * B) * scale);
  }, flush);
}

// With c the slope of the cross-entropy sum and d[k] = prediction[k] + intersection[k] [k = y], the slope of p[k]:
// gz[k] = c ((1 - s) w[y] (p[k] - [k = y]) + s / K (p[k] sum_j w[j] - w[k])) + p[k] (d[k] - sum_j p[j] d[j]).
template <class T>
void gradient(const LossSpan<T>& s, const LossSlopes<T>& slopes, T* out) {
  using A = accum_t<T>;
  const int64_t K = s.channels, B = s.width;
  const A keep = slopes.cross_entropy * A(1 - s.smoothing), spread = slopes.cross_entropy * A(s.smoothing / double(K)),
          total = A(s.weight_sum);
  over_groups(s, [&](A* z, Mask<A> y) {
    const Exponentials<A> e = exponentiate(z, K, B, y, s.weights);
    const Vector<A> scale = A(1) / e.sum, none = {}, own = keep * e.weight;
    Vector<A> mean = {};
    for (int64_t k = 0; k < K; ++k) {
      const Vector<A> p = load(z + k * B) * scale, d = slopes.prediction[k] + (is_class<A>(y, k) ? splat(slopes.intersection[k]) : none);
      mean += p * d;
      store(z + k * B, p);
    }
    const Vector<A> factor = own + spread * total - mean;
    for (int64_t k = 0; k < K; ++k) {
      const Vector<A> p = load(z + k * B), hit = is_class<A>(y, k) ? none + 1 : none;
      const Vector<A> g = p * (factor + slopes.prediction[k] + hit * slopes.intersection[k]) - own * hit - spread * s.weights[k];
      store(z + k * B, y >= 0 ? g : none);
    }
  }, [&](A* z, A* staging, int64_t v0, int64_t n) { store_planes(z, n, K, B, out + v0 * K, staging); });
}

template <class T>
LossIsa<T> kernels() {
  return {sums<T>, gradient<T>};
}
template LossIsa<float> kernels();
template LossIsa<double> kernels();
template LossIsa<bf16> kernels();
template LossIsa<f16> kernels();
