// The transforms of F(M, 3) along one axis, at the points 0, 1, -1, infinity for M = 2, and 0, a, -a, b, -b, infinity for M = 4. a = 2/3
// and b = 1 / a have an error 2.5 times smaller than the usual 1 and 2, in one axis, and 6 times in two.
// Included inside the namespace of one instruction set.

constexpr double kNear = 2. / 3, kFar = 1.5, kNear2 = kNear * kNear, kFar2 = kFar * kFar;
constexpr double kNearScale = 1 / (2 * kNear2 * (kNear2 - kFar2)), kFarScale = 1 / (2 * kFar2 * (kFar2 - kNear2));

// B^T x, its first or its second half.
template <int M, int Half, class A, class V>
VOXGRAD_INLINE void half_of_inputs_along(const V (&x)[M + 2], V (&u)[M / 2 + 1]) {
  if constexpr (M == 2) {
    if constexpr (Half == 0) {
      u[0] = x[0] - x[2];
      u[1] = x[1] + x[2];
    } else {
      u[0] = x[2] - x[1];
      u[1] = x[1] - x[3];
    }
  } else if constexpr (Half == 0) {
    const V even = x[4] - A(kFar2) * x[2], odd = x[3] - A(kFar2) * x[1];
    u[0] = (x[0] + x[4]) - A(kNear2 + kFar2) * x[2];
    u[1] = even + A(kNear) * odd;
    u[2] = even - A(kNear) * odd;
  } else {
    const V even = x[4] - A(kNear2) * x[2], odd = x[3] - A(kNear2) * x[1];
    u[0] = even + A(kFar) * odd;
    u[1] = even - A(kFar) * odd;
    u[2] = (x[1] + x[5]) - A(kNear2 + kFar2) * x[3];
  }
}
// B^T x, in place.
template <int M, class A, class V>
VOXGRAD_INLINE void inputs_along(V (&x)[M + 2]) {
  V first[M / 2 + 1], second[M / 2 + 1];
  half_of_inputs_along<M, 0, A>(x, first), half_of_inputs_along<M, 1, A>(x, second);
#pragma GCC unroll 3
  for (int i = 0; i <= M / 2; ++i) {
    x[i] = first[i];
    x[M / 2 + 1 + i] = second[i];
  }
}

// The compiler takes this for a new value: it would keep every sum of it and a multiple of some step in a register of its own.
template <class P>
VOXGRAD_INLINE P* opaque(P* p) {
  asm("" : "+r"(p));
  return p;
}

// Element Z of B^T x, of x(0) .. x(M + 1); those that it does not take are not evaluated.
template <int M, int Z, class A, class Get>
VOXGRAD_INLINE auto input_along(Get&& get) {
  using V = decltype(get(0));
  V x[M + 2], u[M / 2 + 1];
#pragma GCC unroll 6
  for (int i = 0; i < M + 2; ++i) x[i] = get(i);
  half_of_inputs_along<M, Z / (M / 2 + 1), A>(x, u);
  return u[Z % (M / 2 + 1)];
}

constexpr int kRowTiles = 4;  // that are transformed at a time: both halves of their frequencies find the inputs in the first-level cache

// B^T along H and W of neighbouring tiles, along W: at(w, h) is a position; frequency (h, w) of tile t goes to
// to + (h NW + w) frequency_step + t tile_step. Half of those along H at a time, so that they stay in registers until they are transformed
// along W.
template <class A, int MH, int MW, int Half, class At>
VOXGRAD_INLINE void transform_half_row(int64_t tiles, At&& at, A* to, int64_t frequency_step, int64_t tile_step) {
  constexpr int NH = MH + 2, NW = MW + 2, R = NH / 2;
  using V = Vector<A>;
  V p[NW][R];
  const auto column = [&](int64_t w, V (&u)[R]) {
    V x[NH];
    at(w, x);
    half_of_inputs_along<MH, Half, A>(x, u);
  };
  to += Half * R * NW * frequency_step;
  column(0, p[0]);
  column(1, p[1]);
  for (int64_t t = 0; t < tiles; ++t, to += tile_step) {
#pragma GCC unroll 4
    for (int w = 2; w < NW; ++w) column(t * MW + w, p[w]);
    A* place = to;
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
      V row[NW];
#pragma GCC unroll 6
      for (int w = 0; w < NW; ++w) row[w] = p[w][r];
      inputs_along<MW, A>(row);
#pragma GCC unroll 6
      for (int w = 0; w < NW; ++w) store(place + w * frequency_step, row[w]);
      place = opaque(place + NW * frequency_step);
    }
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
      p[0][r] = p[MW][r];
      p[1][r] = p[MW + 1][r];
    }
  }
}
template <class A, int MH, int MW, class At>
VOXGRAD_INLINE void transform_input_row(int64_t tiles, At&& at, A* to, int64_t frequency_step, int64_t tile_step) {
  transform_half_row<A, MH, MW, 0>(tiles, at, to, frequency_step, tile_step);
  transform_half_row<A, MH, MW, 1>(tiles, at, to, frequency_step, tile_step);
}

// A^T u.
template <int M, class A, class V>
VOXGRAD_INLINE void outputs_along(const V (&u)[M + 2], V (&y)[M]) {
  const V sum = u[1] + u[2], difference = u[1] - u[2];
  if constexpr (M == 2) {
    y[0] = u[0] + sum;
    y[1] = difference - u[3];
  } else {
    const V far_sum = u[3] + u[4], far_difference = u[3] - u[4];
    y[0] = u[0] + sum + far_sum;
    y[1] = A(kNear) * difference + A(kFar) * far_difference;
    y[2] = A(kNear2) * sum + A(kFar2) * far_sum;
    y[3] = A(kNear * kNear2) * difference + (A(kFar * kFar2) * far_difference + u[5]);
  }
}

// A^T along H and W, of at(f) for the frequencies of a plane, a row of outputs at a time: row(h, y).
template <class A, int MH, int MW, class At, class Row>
VOXGRAD_INLINE void each_output_row(At&& at, Row&& row) {
  constexpr int NH = MH + 2, NW = MW + 2;
  Vector<A> p[MH][NW];
#pragma GCC unroll 6
  for (int w = 0; w < NW; ++w) {
    Vector<A> column[NH], y[MH];
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) column[h] = at(h * NW + w);
    outputs_along<MH, A>(column, y);
#pragma GCC unroll 4
    for (int h = 0; h < MH; ++h) p[h][w] = y[h];
  }
#pragma GCC unroll 4
  for (int h = 0; h < MH; ++h) {
    Vector<A> y[MW];
    outputs_along<MW, A>(p[h], y);
    row(h, y);
  }
}

// A gy.
template <int M, class A, class V>
VOXGRAD_INLINE void gradients_along(const V (&g)[M], V (&u)[M + 2]) {
  if constexpr (M == 2) {
    u[0] = g[0];
    u[1] = g[0] + g[1];
    u[2] = g[0] - g[1];
    u[3] = -g[1];
  } else {
    const V even = g[0] + A(kNear2) * g[2], odd = A(kNear) * g[1] + A(kNear * kNear2) * g[3];
    const V far_even = g[0] + A(kFar2) * g[2], far_odd = A(kFar) * g[1] + A(kFar * kFar2) * g[3];
    u[0] = g[0];
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = far_even + far_odd;
    u[4] = far_even - far_odd;
    u[5] = g[3];
  }
}

// A along H and W: at(h, w) is an output gradient of a tile, and frequency (h, w) goes to to + (h NW + w) frequency_step.
template <class A, int MH, int MW, class At>
VOXGRAD_INLINE void transform_gradient_tile(At&& at, A* to, int64_t frequency_step) {
  constexpr int NH = MH + 2, NW = MW + 2;
  Vector<A> p[MH][NW];
#pragma GCC unroll 4
  for (int h = 0; h < MH; ++h) {
    Vector<A> row[MW];
#pragma GCC unroll 4
    for (int w = 0; w < MW; ++w) row[w] = at(h, w);
    gradients_along<MW, A>(row, p[h]);
  }
#pragma GCC unroll 6
  for (int w = 0; w < NW; ++w) {
    Vector<A> column[MH], u[NH];
#pragma GCC unroll 4
    for (int h = 0; h < MH; ++h) column[h] = p[h][w];
    gradients_along<MH, A>(column, u);
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) store(to + (h * NW + w) * frequency_step, u[h]);
  }
}

// Element Z of A gy.
template <int M, int Z, class A, class Get>
VOXGRAD_INLINE auto gradient_along(Get&& get) {
  using V = decltype(get(0));
  V g[M], u[M + 2];
#pragma GCC unroll 4
  for (int i = 0; i < M; ++i) g[i] = get(i);
  gradients_along<M, A>(g, u);
  return u[Z];
}

// G w.
template <int M, class A, class V>
VOXGRAD_INLINE void weights_along(const V (&w)[3], V (&u)[M + 2]) {
  u[0] = w[0];
  u[M + 1] = w[2];
  if constexpr (M == 2) {
    const V sum = w[0] + w[2];
    u[1] = A(0.5) * (sum + w[1]);
    u[2] = A(0.5) * (sum - w[1]);
  } else {
    const V even = A(kNearScale) * w[0] + A(kNearScale * kNear2) * w[2], far_even = A(kFarScale) * w[0] + A(kFarScale * kFar2) * w[2];
    u[1] = even + A(kNearScale * kNear) * w[1];
    u[2] = even - A(kNearScale * kNear) * w[1];
    u[3] = far_even + A(kFarScale * kFar) * w[1];
    u[4] = far_even - A(kFarScale * kFar) * w[1];
  }
}

// G^T u.
template <int M, class A, class V>
VOXGRAD_INLINE void restore_along(const V (&u)[M + 2], V (&w)[3]) {
  const V sum = u[1] + u[2], difference = u[1] - u[2];
  if constexpr (M == 2) {
    w[0] = u[0] + A(0.5) * sum;
    w[1] = A(0.5) * difference;
    w[2] = A(0.5) * sum + u[3];
  } else {
    const V far_sum = u[3] + u[4], far_difference = u[3] - u[4];
    w[0] = u[0] + (A(kNearScale) * sum + A(kFarScale) * far_sum);
    w[1] = A(kNearScale * kNear) * difference + A(kFarScale * kFar) * far_difference;
    w[2] = A(kNearScale * kNear2) * sum + (A(kFarScale * kFar2) * far_sum + u[5]);
  }
}
