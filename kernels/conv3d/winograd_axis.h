// The transforms of F(M, 3) along one axis, at the points 0, 1, -1, infinity for M = 2, and 0, a, -a, b, -b, infinity for M = 4. a = 2/3
// and b = 1 / a have an error 2.5 times smaller than the usual 1 and 2, in one axis, and 6 times in two.
// Included inside the namespace of one instruction set.

constexpr double kNear = 2. / 3, kFar = 1.5, kNear2 = kNear * kNear, kFar2 = kFar * kFar;
constexpr double kNearScale = 1 / (2 * kNear2 * (kNear2 - kFar2)), kFarScale = 1 / (2 * kFar2 * (kFar2 - kNear2));

// B^T x, in place.
template <int M, class A, class V>
VOXGRAD_INLINE void inputs_along(V (&x)[M + 2]) {
  if constexpr (M == 2) {
    const V a = x[0] - x[2], b = x[1] + x[2], c = x[2] - x[1], d = x[1] - x[3];
    x[0] = a, x[1] = b, x[2] = c, x[3] = d;
  } else {
    const V near_even = x[4] - A(kFar2) * x[2], near_odd = x[3] - A(kFar2) * x[1];
    const V far_even = x[4] - A(kNear2) * x[2], far_odd = x[3] - A(kNear2) * x[1];
    const V first = (x[0] + x[4]) - A(kNear2 + kFar2) * x[2], last = (x[1] + x[5]) - A(kNear2 + kFar2) * x[3];
    x[0] = first, x[5] = last;
    x[1] = near_even + A(kNear) * near_odd, x[2] = near_even - A(kNear) * near_odd;
    x[3] = far_even + A(kFar) * far_odd, x[4] = far_even - A(kFar) * far_odd;
  }
}

// A^T u.
template <int M, class A, class V>
VOXGRAD_INLINE void outputs_along(const V (&u)[M + 2], V (&y)[M]) {
  const V sum = u[1] + u[2], difference = u[1] - u[2];
  if constexpr (M == 2) {
    y[0] = u[0] + sum, y[1] = difference - u[3];
  } else {
    const V far_sum = u[3] + u[4], far_difference = u[3] - u[4];
    y[0] = u[0] + sum + far_sum, y[1] = A(kNear) * difference + A(kFar) * far_difference;
    y[2] = A(kNear2) * sum + A(kFar2) * far_sum, y[3] = A(kNear * kNear2) * difference + (A(kFar * kFar2) * far_difference + u[5]);
  }
}

// A gy.
template <int M, class A, class V>
VOXGRAD_INLINE void gradients_along(const V (&g)[M], V (&u)[M + 2]) {
  if constexpr (M == 2) {
    u[0] = g[0], u[1] = g[0] + g[1], u[2] = g[0] - g[1], u[3] = -g[1];
  } else {
    const V even = g[0] + A(kNear2) * g[2], odd = A(kNear) * g[1] + A(kNear * kNear2) * g[3];
    const V far_even = g[0] + A(kFar2) * g[2], far_odd = A(kFar) * g[1] + A(kFar * kFar2) * g[3];
    u[0] = g[0], u[1] = even + odd, u[2] = even - odd, u[3] = far_even + far_odd, u[4] = far_even - far_odd, u[5] = g[3];
  }
}

// G w.
template <int M, class A, class V>
VOXGRAD_INLINE void weights_along(const V (&w)[3], V (&u)[M + 2]) {
  u[0] = w[0], u[M + 1] = w[2];
  if constexpr (M == 2) {
    const V sum = w[0] + w[2];
    u[1] = A(0.5) * (sum + w[1]), u[2] = A(0.5) * (sum - w[1]);
  } else {
    const V even = A(kNearScale) * w[0] + A(kNearScale * kNear2) * w[2], far_even = A(kFarScale) * w[0] + A(kFarScale * kFar2) * w[2];
    u[1] = even + A(kNearScale * kNear) * w[1], u[2] = even - A(kNearScale * kNear) * w[1];
    u[3] = far_even + A(kFarScale * kFar) * w[1], u[4] = far_even - A(kFarScale * kFar) * w[1];
  }
}

// G^T u.
template <int M, class A, class V>
VOXGRAD_INLINE void restore_along(const V (&u)[M + 2], V (&w)[3]) {
  const V sum = u[1] + u[2], difference = u[1] - u[2];
  if constexpr (M == 2) {
    w[0] = u[0] + A(0.5) * sum, w[1] = A(0.5) * difference, w[2] = A(0.5) * sum + u[3];
  } else {
    const V far_sum = u[3] + u[4], far_difference = u[3] - u[4];
    w[0] = u[0] + (A(kNearScale) * sum + A(kFarScale) * far_sum);
    w[1] = A(kNearScale * kNear) * difference + A(kFarScale * kFar) * far_difference;
    w[2] = A(kNearScale * kNear2) * sum + (A(kFarScale * kFar2) * far_sum + u[5]);
  }
}
