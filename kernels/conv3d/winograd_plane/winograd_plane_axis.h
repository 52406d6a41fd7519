// F(M, TAPS) along one axis, TAPS = 1, 2 or 3, as winograd_axis.h has it for 3. F(2, 2) is the usual one; F(4, 2) stands at the points
// +-p, +-q, infinity: with 1/2 and 6/5 its error is 10 times smaller than with 1 and 2. Included inside the namespace of one instruction
// set, behind winograd_axis.h.

constexpr double kP = 0.5, kQ = 1.2, kP2 = kP * kP, kQ2 = kQ * kQ;
constexpr double kPScale = 1 / (2 * kP * (kP2 - kQ2)), kQScale = 1 / (2 * kQ * (kQ2 - kP2));

// B^T x, in place.
template <int M, int TAPS, class A, class V>
VOXGRAD_INLINE void class_inputs(V (&x)[M + TAPS - 1]) {
  if constexpr (TAPS == 3) {
    inputs_along<M, A>(x);
  } else if constexpr (TAPS == 2 && M == 2) {
    x[0] = x[0] - x[1];
    x[2] = x[2] - x[1];
  } else if constexpr (TAPS == 2) {
    const V p_odd = x[3] - A(kQ2) * x[1], p_even = A(kP) * (x[2] - A(kQ2) * x[0]);
    const V q_odd = x[3] - A(kP2) * x[1], q_even = A(kQ) * (x[2] - A(kP2) * x[0]);
    x[4] = x[4] - A(kP2 + kQ2) * x[2] + A(kP2 * kQ2) * x[0];
    x[0] = p_odd + p_even;
    x[1] = p_odd - p_even;
    x[2] = q_odd + q_even;
    x[3] = q_odd - q_even;
  }
}

// A^T u.
template <int M, int TAPS, class A, class V>
VOXGRAD_INLINE void class_outputs(const V (&u)[M + TAPS - 1], V (&y)[M]) {
  if constexpr (TAPS == 3) {
    outputs_along<M, A>(u, y);
  } else if constexpr (TAPS == 2 && M == 2) {
    y[0] = u[0] + u[1];
    y[1] = u[1] + u[2];
  } else if constexpr (TAPS == 2) {
    const V p_sum = u[0] + u[1], p_difference = u[0] - u[1], q_sum = u[2] + u[3], q_difference = u[2] - u[3];
    y[0] = p_sum + q_sum;
    y[1] = A(kP) * p_difference + A(kQ) * q_difference;
    y[2] = A(kP2) * p_sum + A(kQ2) * q_sum;
    y[3] = A(kP * kP2) * p_difference + (A(kQ * kQ2) * q_difference + u[4]);
  } else {
#pragma GCC unroll 4
    for (int i = 0; i < M; ++i) y[i] = u[i];
  }
}

// A gy.
template <int M, int TAPS, class A, class V>
VOXGRAD_INLINE void class_gradients(const V (&g)[M], V (&u)[M + TAPS - 1]) {
  if constexpr (TAPS == 3) {
    gradients_along<M, A>(g, u);
  } else if constexpr (TAPS == 2 && M == 2) {
    u[0] = g[0];
    u[1] = g[0] + g[1];
    u[2] = g[1];
  } else if constexpr (TAPS == 2) {
    const V p_even = g[0] + A(kP2) * g[2], p_odd = A(kP) * g[1] + A(kP * kP2) * g[3];
    const V q_even = g[0] + A(kQ2) * g[2], q_odd = A(kQ) * g[1] + A(kQ * kQ2) * g[3];
    u[0] = p_even + p_odd;
    u[1] = p_even - p_odd;
    u[2] = q_even + q_odd;
    u[3] = q_even - q_odd;
    u[4] = g[3];
  } else {
#pragma GCC unroll 4
    for (int i = 0; i < M; ++i) u[i] = g[i];
  }
}

// Weights of different frequencies: one tap has one.
template <int M, int TAPS>
constexpr int kClassWeights = TAPS == 1 ? 1 : M + TAPS - 1;

// G w.
template <int M, int TAPS, class A, class V>
VOXGRAD_INLINE void class_weights(const V (&w)[TAPS], V (&u)[kClassWeights<M, TAPS>]) {
  if constexpr (TAPS == 3) {
    weights_along<M, A>(w, u);
  } else if constexpr (TAPS == 2 && M == 2) {
    u[0] = w[0];
    u[1] = w[0] + w[1];
    u[2] = w[1];
  } else if constexpr (TAPS == 2) {
    const V p = A(kPScale) * w[0], pw = A(kPScale * kP) * w[1], q = A(kQScale) * w[0], qw = A(kQScale * kQ) * w[1];
    u[0] = p + pw;
    u[1] = pw - p;
    u[2] = q + qw;
    u[3] = qw - q;
    u[4] = w[1];
  } else {
    u[0] = w[0];
  }
}

// G^T u.
template <int M, int TAPS, class A, class V>
VOXGRAD_INLINE void class_restore(const V (&u)[kClassWeights<M, TAPS>], V (&w)[TAPS]) {
  if constexpr (TAPS == 3) {
    restore_along<M, A>(u, w);
  } else if constexpr (TAPS == 2 && M == 2) {
    w[0] = u[0] + u[1];
    w[1] = u[1] + u[2];
  } else if constexpr (TAPS == 2) {
    w[0] = A(kPScale) * (u[0] - u[1]) + A(kQScale) * (u[2] - u[3]);
    w[1] = A(kPScale * kP) * (u[0] + u[1]) + (A(kQScale * kQ) * (u[2] + u[3]) + u[4]);
  } else {
    w[0] = u[0];
  }
}
