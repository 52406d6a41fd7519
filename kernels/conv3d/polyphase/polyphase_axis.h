// F(4, 4) along one axis at the points +-p, +-q, +-r, infinity, and F(4, 3) at the same but infinity, so that both phases have the same
// transform back. Of points tried, these have about the least error of squares: three times that of the direct sum; 2/5, 4/5 and 2 have 3.6
// times, 1/2, 1 and 3/2 7.6 times. Included inside the namespace of one instruction set.

constexpr double kPoint[3] = {0.3125, 0.875, 2};
constexpr double square_of(int i) { return kPoint[i % 3] * kPoint[i % 3]; }
// 1 / (2 a (a^2 - b^2) (a^2 - c^2)), b and c the other two.
constexpr double scale_of(int i) {
  return 1 / (2 * kPoint[i] * (square_of(i) - square_of(i + 1)) * (square_of(i) - square_of(i + 2)));
}

// u = B^T x, but for the frequency at infinity.
template <class A, class V, int N>
VOXGRAD_INLINE void inputs_at_points(const V (&x)[N], V (&u)[7]) {
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) {
    const A sum = A(square_of(i + 1) + square_of(i + 2)), product = A(square_of(i + 1) * square_of(i + 2)), a = A(kPoint[i]);
    const V even = a * ((x[4] - sum * x[2]) + product * x[0]), odd = (x[5] - sum * x[3]) + product * x[1];
    u[2 * i] = odd + even;
    u[2 * i + 1] = odd - even;
  }
}
template <class A, class V>
VOXGRAD_INLINE V input_at_infinity(const V (&x)[7]) {
  constexpr double p = square_of(0), q = square_of(1), r = square_of(2);
  return (x[6] - A(p + q + r) * x[4]) + (A(p * q + q * r + r * p) * x[2] - A(p * q * r) * x[0]);
}

// y = A^T u.
template <class A, class V>
VOXGRAD_INLINE void phase_outputs(const V (&u)[7], V (&y)[4]) {
  V sum[3], difference[3];
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) {
    sum[i] = u[2 * i] + u[2 * i + 1];
    difference[i] = A(kPoint[i]) * (u[2 * i] - u[2 * i + 1]);
  }
  constexpr double p = square_of(0), q = square_of(1), r = square_of(2);
  y[0] = sum[0] + sum[1] + sum[2];
  y[1] = difference[0] + difference[1] + difference[2];
  y[2] = A(p) * sum[0] + A(q) * sum[1] + A(r) * sum[2];
  y[3] = A(p) * difference[0] + A(q) * difference[1] + (A(r) * difference[2] + u[6]);
}

// u = G w.
template <class A, class V>
VOXGRAD_INLINE void phase_weights(const V (&w)[4], V (&u)[7]) {
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) {
    const A scale = A(scale_of(i)), a = A(kPoint[i]), a2 = A(square_of(i));
    const V even = scale * (w[0] + a2 * w[2]), odd = scale * a * (w[1] + a2 * w[3]);
    u[2 * i] = odd + even;
    u[2 * i + 1] = odd - even;
  }
  u[6] = w[3];
}

// u = A g.
template <class A, class V>
VOXGRAD_INLINE void phase_gradients(const V (&g)[4], V (&u)[7]) {
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) {
    const A a = A(kPoint[i]), a2 = A(square_of(i));
    const V even = g[0] + a2 * g[2], odd = a * (g[1] + a2 * g[3]);
    u[2 * i] = even + odd;
    u[2 * i + 1] = even - odd;
  }
  u[6] = g[3];
}

// w = G^T u.
template <class A, class V>
VOXGRAD_INLINE void phase_restore(const V (&u)[7], V (&w)[4]) {
  V even[3], odd[3];
#pragma GCC unroll 3
  for (int i = 0; i < 3; ++i) {
    const A scale = A(scale_of(i)), a = A(kPoint[i]);
    even[i] = scale * (u[2 * i] - u[2 * i + 1]);
    odd[i] = scale * a * (u[2 * i] + u[2 * i + 1]);
  }
  const A p = A(square_of(0)), q = A(square_of(1)), r = A(square_of(2));
  w[0] = even[0] + even[1] + even[2];
  w[1] = odd[0] + odd[1] + odd[2];
  w[2] = p * even[0] + q * even[1] + r * even[2];
  w[3] = p * odd[0] + q * odd[1] + (r * odd[2] + u[6]);
}
