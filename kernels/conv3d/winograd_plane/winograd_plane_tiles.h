// Tiles of M x M positions to and from their frequencies, class of taps by class. Included inside the namespace of one instruction set.

// Calls f.operator()<TH, TW>(h, w) for the classes of both axes, of TH and TW taps, in the order of their frequencies.
template <WinogradPlaneForm F, class Fn>
VOXGRAD_INLINE void for_classes(Fn&& f) {
  if constexpr (F == WinogradPlaneForm::plain) {
    f.template operator()<3, 3>(0, 0);
  } else {
    f.template operator()<1, 1>(0, 0);
    f.template operator()<1, 2>(0, 1);
    f.template operator()<2, 1>(1, 0);
    f.template operator()<2, 2>(1, 1);
  }
}

template <class A, int M, int TH, int TW>
VOXGRAD_INLINE void transform_input_class(const A* const* lines, int line_step, int64_t at, int64_t step, A* to, const int64_t* place) {
  constexpr int NH = M + TH - 1, NW = M + TW - 1;
  Vector<A> p[NH][NW];
#pragma GCC unroll 6
  for (int h = 0; h < NH; ++h) {
    const A* line = lines[h * line_step] + at;
#pragma GCC unroll 6
    for (int w = 0; w < NW; ++w) p[h][w] = load(line + w * step);
    class_inputs<M, TW, A>(p[h]);
  }
#pragma GCC unroll 6
  for (int w = 0; w < NW; ++w) {
    Vector<A> column[NH];
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) column[h] = p[h][w];
    class_inputs<M, TH, A>(column);
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) store(to + place[h * NW + w], column[h]);
  }
}

template <class A, WinogradPlaneForm F, int M>
void transform_inputs(const WinogradPlaneRow<A>& r) {
  constexpr int L = kLanes<A>;
  const WinogradPlaneTile tile{F, M};
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const int64_t* place = r.place;
      for_classes<F>([&]<int TH, int TW>(int h, int w) {
        const WinogradPlaneClass rows = tile.axis_class(h, r.shift_h), columns = tile.axis_class(w, r.shift_w);
        transform_input_class<A, M, TH, TW>(r.inputs + rows.first, rows.step, (t * tile.in_step() + columns.first) * r.input_step + c,
                                            columns.step * r.input_step, r.frequency + t * r.tile_step + c, place);
        place += (M + TH - 1) * (M + TW - 1);
      });
    }
}

template <class A, int M, int TH, int TW>
VOXGRAD_INLINE void transform_gradient_class(const A* const* lines, int64_t at, int64_t step, A* to, const int64_t* place) {
  constexpr int NH = M + TH - 1, NW = M + TW - 1;
  Vector<A> p[M][NW];
#pragma GCC unroll 4
  for (int h = 0; h < M; ++h) {
    Vector<A> g[M];
#pragma GCC unroll 4
    for (int w = 0; w < M; ++w) g[w] = load(lines[h] + at + w * step);
    class_gradients<M, TW, A>(g, p[h]);
  }
#pragma GCC unroll 6
  for (int w = 0; w < NW; ++w) {
    Vector<A> column[M], u[NH];
#pragma GCC unroll 4
    for (int h = 0; h < M; ++h) column[h] = p[h][w];
    class_gradients<M, TH, A>(column, u);
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) store(to + place[h * NW + w], u[h]);
  }
}

template <class A, WinogradPlaneForm F, int M>
void transform_gradients(const WinogradPlaneRow<A>& r) {
  constexpr int L = kLanes<A>;
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const int64_t* place = r.place;
      for_classes<F>([&]<int TH, int TW>(int, int) {
        transform_gradient_class<A, M, TH, TW>(r.inputs, t * M * r.input_step + c, r.input_step, r.frequency + t * r.tile_step + c, place);
        place += (M + TH - 1) * (M + TW - 1);
      });
    }
}

// y += A^T u A.
template <class A, int M, int TH, int TW>
VOXGRAD_INLINE void add_output_class(const A* from, const int64_t* place, Vector<A> (&y)[M][M]) {
  constexpr int NH = M + TH - 1, NW = M + TW - 1;
  Vector<A> p[M][NW];
#pragma GCC unroll 6
  for (int w = 0; w < NW; ++w) {
    Vector<A> column[NH], made[M];
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) column[h] = load(from + place[h * NW + w]);
    class_outputs<M, TH, A>(column, made);
#pragma GCC unroll 4
    for (int h = 0; h < M; ++h) p[h][w] = made[h];
  }
#pragma GCC unroll 4
  for (int h = 0; h < M; ++h) {
    Vector<A> line[M];
    class_outputs<M, TW, A>(p[h], line);
#pragma GCC unroll 4
    for (int w = 0; w < M; ++w) y[h][w] += line[w];
  }
}

// Rows of y to every line_step-th line, columns to every column_step-th voxel from the first one on.
template <class T, class A, int M>
VOXGRAD_INLINE void store_outputs(const WinogradPlaneRow<A>& r, const Vector<A> (&y)[M][M], void* const* lines, int line_step,
                                  int64_t first, int column_step, int64_t c) {
  const int64_t channels = r.channels - c;
#pragma GCC unroll 4
  for (int h = 0; h < M; ++h) {
    T* const line = static_cast<T*>(lines[h * line_step]);
    if (!line) continue;
#pragma GCC unroll 4
    for (int w = 0; w < M; ++w) {
      const int64_t voxel = first + w * column_step;
      if (voxel >= r.voxels) break;
      if (channels >= kLanes<A>) store(line + voxel * r.output_step + c, y[h][w]);
      else store_some(line + voxel * r.output_step + c, y[h][w], channels);
    }
  }
}

template <class T, class A, WinogradPlaneForm F, int M>
void transform_outputs_to(const WinogradPlaneRow<A>& r) {
  constexpr int L = kLanes<A>;
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const Vector<A> bias = load(r.bias + c);
      const A* const from = r.frequency + t * r.tile_step + c;
      const int64_t* place = r.place;
      Vector<A> y[M][M];
      const auto restart = [&] {
#pragma GCC unroll 4
        for (int h = 0; h < M; ++h)
#pragma GCC unroll 4
          for (int w = 0; w < M; ++w) y[h][w] = bias;
      };
      restart();
      for_classes<F>([&]<int TH, int TW>(int h, int w) {
        add_output_class<A, M, TH, TW>(from, place, y);
        place += (M + TH - 1) * (M + TW - 1);
        if constexpr (F == WinogradPlaneForm::transposed) {
          const int row = h == 0 ? r.parity_h : 1 - r.parity_h, column = w == 0 ? r.parity_w : 1 - r.parity_w;
          store_outputs<T>(r, y, r.outputs + row, 2, t * 2 * M + column, 2, c);
          restart();
        }
      });
      if constexpr (F != WinogradPlaneForm::transposed) store_outputs<T>(r, y, r.outputs, 1, t * M, 1, c);
    }
}
template <class A, WinogradPlaneForm F, int M>
void transform_outputs(const WinogradPlaneRow<A>& r) {
  if constexpr (sizeof(A) == 8) transform_outputs_to<double, A, F, M>(r);
  else if (r.dtype == DType::bf16) transform_outputs_to<bf16, A, F, M>(r);
  else if (r.dtype == DType::f16) transform_outputs_to<f16, A, F, M>(r);
  else transform_outputs_to<float, A, F, M>(r);
}

// Tap i of a class among the three of an axis.
template <int TAPS>
constexpr int tap_of(int i) {
  return TAPS == 1 ? 1 : TAPS == 2 ? 2 * i : i;
}

template <class A, WinogradPlaneForm F, int M>
void transform_weights(const A* w, const int64_t* offset, A* u, int64_t step) {
  for_classes<F>([&]<int TH, int TW>(int, int) {
    constexpr int NH = kClassWeights<M, TH>, NW = kClassWeights<M, TW>;
    Vector<A> p[TH][NW];
#pragma GCC unroll 3
    for (int y = 0; y < TH; ++y) {
      Vector<A> line[TW];
#pragma GCC unroll 3
      for (int x = 0; x < TW; ++x) line[x] = load(w + offset[tap_of<TH>(y) * 3 + tap_of<TW>(x)]);
      class_weights<M, TW, A>(line, p[y]);
    }
#pragma GCC unroll 6
    for (int x = 0; x < NW; ++x) {
      Vector<A> column[TH], made[NH];
#pragma GCC unroll 3
      for (int y = 0; y < TH; ++y) column[y] = p[y][x];
      class_weights<M, TH, A>(column, made);
#pragma GCC unroll 6
      for (int h = 0; h < NH; ++h) store(u + (h * NW + x) * step, made[h]);
    }
    u += NH * NW * step;
  });
}

template <class A, WinogradPlaneForm F, int M>
void restore(const A* u, int64_t step, A* g, int64_t g_step) {
  for_classes<F>([&]<int TH, int TW>(int, int) {
    constexpr int NH = kClassWeights<M, TH>, NW = kClassWeights<M, TW>;
    Vector<A> p[TH][NW];
#pragma GCC unroll 6
    for (int x = 0; x < NW; ++x) {
      Vector<A> column[NH], made[TH];
#pragma GCC unroll 6
      for (int h = 0; h < NH; ++h) column[h] = load(u + (h * NW + x) * step);
      class_restore<M, TH, A>(column, made);
#pragma GCC unroll 3
      for (int y = 0; y < TH; ++y) p[y][x] = made[y];
    }
#pragma GCC unroll 3
    for (int y = 0; y < TH; ++y) {
      Vector<A> line[TW];
      class_restore<M, TW, A>(p[y], line);
#pragma GCC unroll 3
      for (int x = 0; x < TW; ++x) store(g + (tap_of<TH>(y) * 3 + tap_of<TW>(x)) * g_step, line[x]);
    }
    u += NH * NW * step;
  });
}

template <class A, WinogradPlaneForm F, int M>
WinogradPlaneIsa<A> kernels_of() {
  return {transform_inputs<A, F, M>, F == WinogradPlaneForm::transposed ? nullptr : transform_gradients<A, F, M>,
          transform_outputs<A, F, M>, transform_weights<A, F, M>, restore<A, F, M>};
}
template <class A, WinogradPlaneForm F>
WinogradPlaneIsa<A> kernels_of(int m) {
  return m == 4 ? kernels_of<A, F, 4>() : kernels_of<A, F, 2>();
}
template <class A>
WinogradPlaneIsa<A> kernels(WinogradPlaneTile tile) {
  return tile.form == WinogradPlaneForm::plain     ? kernels_of<A, WinogradPlaneForm::plain>(tile.m)
         : tile.form == WinogradPlaneForm::strided ? kernels_of<A, WinogradPlaneForm::strided>(tile.m)
                                                   : kernels_of<A, WinogradPlaneForm::transposed>(tile.m);
}
template WinogradPlaneIsa<float> kernels(WinogradPlaneTile);
template WinogradPlaneIsa<double> kernels(WinogradPlaneTile);
