// Rows of 1x1x1 convolutions with few channels on one side. Included inside the namespace of one instruction set, after lane_sums.h.

constexpr int64_t kAhead = 4096;  // elements between what is computed and what is fetched from memory meanwhile

// V rows of K outputs, V K <= lanes, with lanes along the inputs. `whole`: elements of y behind them may be written too.
template <class T, int K, int V>
VOXGRAD_INLINE void dot_rows(const PointwiseRows<T>& r, int64_t row, bool whole) {
  using A = accum_t<T>;
  constexpr int L = kLanes<A>;
  const T* x = r.x + row * r.inputs;
  Vector<A> sum[L] = {};
  for (int64_t c = 0; c < r.inputs; c += L) {
    Vector<A> weight[K];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) weight[k] = load(r.w + k * r.inputs + c);
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      __builtin_prefetch(x + v * r.inputs + c + kAhead);
      const Vector<A> input = load(x + v * r.inputs + c);
#pragma GCC unroll 4
      for (int k = 0; k < K; ++k) sum[v * K + k] += input * weight[k];
    }
  }
  Vector<A> bias{};
  for (int i = 0; i < V * K; ++i) bias[i] = r.bias[i % K];
  const Vector<A> y = sums_of_lanes<A>(sum) + bias;
  if (whole || V * K == L) store(r.y + row * K, y);
  else store_some(r.y + row * K, y, V * K);
}

template <class T, int K>
void few_outputs_of(const PointwiseRows<T>& r) {
  constexpr int L = kLanes<accum_t<T>>, V = L / K;
  int64_t row = 0;
  for (; row + V <= r.rows; row += V) dot_rows<T, K, V>(r, row, (r.rows - row) * K >= L);
  for (; row < r.rows; ++row) dot_rows<T, K, 1>(r, row, false);
}

template <class T>
void few_outputs(const PointwiseRows<T>& r) {
  if (r.outputs == 1) return few_outputs_of<T, 1>(r);
  if (r.outputs == 2) return few_outputs_of<T, 2>(r);
  if constexpr (kLanes<accum_t<T>> >= 4) {
    if (r.outputs == 3) return few_outputs_of<T, 3>(r);
    few_outputs_of<T, 4>(r);
  }
}

// NB vectors of outputs, from channel `first` on, whose weights are registers.
template <class T, int K, int NB>
VOXGRAD_INLINE void spread_rows(const PointwiseRows<T>& r, int64_t first) {
  using A = accum_t<T>;
  constexpr int L = kLanes<A>;
  Vector<A> weight[K][NB], bias[NB];
#pragma GCC unroll 4
  for (int b = 0; b < NB; ++b) {
    bias[b] = load(r.bias + first + b * L);
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k) weight[k][b] = load(r.w + k * r.outputs + first + b * L);
  }
  const T* x = r.x;
  T* y = r.y + first;
  for (int64_t row = 0; row < r.rows; ++row, x += K, y += r.outputs) {
    Vector<A> sum[NB];
#pragma GCC unroll 4
    for (int b = 0; b < NB; ++b) sum[b] = bias[b];
#pragma GCC unroll 4
    for (int k = 0; k < K; ++k)
#pragma GCC unroll 4
      for (int b = 0; b < NB; ++b) sum[b] += A(x[k]) * weight[k][b];
#pragma GCC unroll 4
    for (int b = 0; b < NB; ++b) r.stream ? store_past_caches(y + b * L, sum[b]) : store(y + b * L, sum[b]);
  }
}

template <class T, int K>
void few_inputs_of(const PointwiseRows<T>& r) {
  constexpr int L = kLanes<accum_t<T>>;
  int64_t first = 0;
  for (; first + 2 * L <= r.outputs; first += 2 * L) spread_rows<T, K, 2>(r, first);
  if (first < r.outputs) spread_rows<T, K, 1>(r, first);
  if (r.stream) finish_past_caches();
}

template <class T>
void few_inputs(const PointwiseRows<T>& r) {
  if (r.inputs == 1) few_inputs_of<T, 1>(r);
  else if (r.inputs == 2) few_inputs_of<T, 2>(r);
  else if (r.inputs == 3) few_inputs_of<T, 3>(r);
  else few_inputs_of<T, 4>(r);
}
