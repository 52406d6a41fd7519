// Tiles of MD x MH x MW outputs to and from their (MD + 2) x (MH + 2) x (MW + 2) frequencies. Included inside the namespace of one
// instruction set.

// f.template operator()<z>() for plane z of the MD + 2 planes of frequencies.
template <int MD, class F>
VOXGRAD_INLINE void on_plane(int z, F&& f) {
  if (z == 0) f.template operator()<0>();
  else if (z == 1) f.template operator()<1>();
  else if (z == 2) f.template operator()<2>();
  else if (z == 3) f.template operator()<3>();
  else if constexpr (MD == 4) z == 4 ? f.template operator()<4>() : f.template operator()<5>();
}

// Plane Z of `tiles` neighbours along W, step elements from input to input.
template <class A, int MD, int MH, int MW, int Z>
VOXGRAD_INLINE void transform_input_plane(const A* const* lines, int64_t at, int64_t step, int64_t tiles, A* frequency,
                                          int64_t frequency_step, int64_t tile_step) {
  constexpr int NH = MH + 2;
  transform_input_row<A, MH, MW>(
      tiles,
      [&](int64_t w, Vector<A>(&x)[NH]) {
        const int64_t place = at + w * step;
#pragma GCC unroll 6
        for (int h = 0; h < NH; ++h) x[h] = input_along<MD, Z, A>([&](int z) { return load(lines[z * NH + h] + place); });
      },
      frequency, frequency_step, tile_step);
}

template <class A, int MD, int MH, int MW>
void transform_inputs(const WinogradRow<A>& r) {
  constexpr int L = kLanes<A>, NH = MH + 2, NW = MW + 2;
  const A* lines[(MD + 2) * NH];
  for (int i = 0; i < (MD + 2) * NH; ++i) lines[i] = r.inputs[i];
  for (int64_t t = 0; t < r.tiles; t += kRowTiles)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const int64_t at = t * MW * r.input_step + c, tiles = r.tiles - t < kRowTiles ? r.tiles - t : kRowTiles;
      A* to = r.frequency + t * r.tile_step + c;
      const auto plane = [&]<int Z>() {
        transform_input_plane<A, MD, MH, MW, Z>(lines, at, r.input_step, tiles, to, r.frequency_step, r.tile_step);
      };
      for (int z = r.first_plane; z < r.first_plane + r.planes; ++z, to += NH * NW * r.frequency_step) on_plane<MD>(z, plane);
    }
}

template <class A, int MD, int MH, int MW>
void transform_gradients(const WinogradRow<A>& r) {
  constexpr int L = kLanes<A>, NH = MH + 2, NW = MW + 2;
  const A* lines[MD * MH];
  for (int i = 0; i < MD * MH; ++i) lines[i] = r.inputs[i];
  const int64_t step = r.input_step;
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const int64_t at = t * MW * step + c;
      A* to = r.frequency + t * r.tile_step + c;
      const auto plane = [&]<int Z>() {
        const auto gradient = [&](int h, int w) {
          return gradient_along<MD, Z, A>([&](int z) { return load(lines[z * MH + h] + at + w * step); });
        };
        transform_gradient_tile<A, MH, MW>(gradient, to, r.frequency_step);
      };
      for (int z = r.first_plane; z < r.first_plane + r.planes; ++z, to += NH * NW * r.frequency_step) on_plane<MD>(z, plane);
    }
}

// One plane of outputs from its frequencies along H and W, at(f), which are back along D.
template <class T, class A, int MH, int MW, class At>
VOXGRAD_INLINE void transform_output_plane(const WinogradRow<A>& r, At&& at, void* const* lines, int64_t tile, int64_t c,
                                           Vector<A> bias) {
  constexpr int L = kLanes<A>;
  const int64_t voxels = r.voxels - tile * MW, channels = r.channels - c;
  each_output_row<A, MH, MW>(at, [&](int h, const Vector<A>(&y)[MW]) {
    T* line = static_cast<T*>(lines[h]);
    if (!line) return;
    line += tile * MW * r.output_step + c;
#pragma GCC unroll 4
    for (int w = 0; w < MW; ++w) {
      if (w >= voxels) break;
      if constexpr (sizeof(T) == sizeof(A))
        if (r.streamed) {
          store_past_caches(line + w * r.output_step, y[w] + bias);
          continue;
        }
      if (channels >= L) store(line + w * r.output_step, y[w] + bias);
      else store_some(line + w * r.output_step, y[w] + bias, channels);
    }
  });
}

template <class T, class A, int MD, int MH, int MW>
void transform_outputs_to(const WinogradRow<A>& r) {
  constexpr int L = kLanes<A>, N = (MH + 2) * (MW + 2);
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const A* from = r.frequency + t * r.tile_step + c;
      const Vector<A> bias = load(r.bias + c);
      const auto plane = [&](int64_t z) { return z * N * r.frequency_step; };
      if constexpr (MD == 2) {
        const auto along_depth = [&]<int Z>(int f) {
          const A* const at = from + f * r.frequency_step;
          const Vector<A> u[4] = {load(at), load(at + plane(1)), load(at + plane(2)), load(at + plane(3))};
          Vector<A> y[2];
          outputs_along<2, A>(u, y);
          return y[Z];
        };
        transform_output_plane<T, A, MH, MW>(r, [&](int f) { return along_depth.template operator()<0>(f); }, r.outputs, t, c, bias);
        transform_output_plane<T, A, MH, MW>(r, [&](int f) { return along_depth.template operator()<1>(f); }, r.outputs + MH, t, c, bias);
        continue;
      }
      Vector<A> planes[MD][N];
      for (int f = 0; f < N; ++f, from = opaque(from + r.frequency_step)) {
        Vector<A> u[MD + 2], y[MD];
#pragma GCC unroll 6
        for (int z = 0; z < MD + 2; ++z) u[z] = load(from + plane(z));
        outputs_along<MD, A>(u, y);
#pragma GCC unroll 4
        for (int z = 0; z < MD; ++z) planes[z][f] = y[z];
      }
      for (int z = 0; z < MD; ++z)
        transform_output_plane<T, A, MH, MW>(r, [&](int f) { return planes[z][f]; }, r.outputs + z * MH, t, c, bias);
    }
  if (r.streamed) finish_past_caches();
}
template <class A, int MD, int MH, int MW>
void transform_outputs(const WinogradRow<A>& r) {
  if constexpr (sizeof(A) == 8) transform_outputs_to<double, A, MD, MH, MW>(r);
  else if (r.dtype == DType::bf16) transform_outputs_to<bf16, A, MD, MH, MW>(r);
  else if (r.dtype == DType::f16) transform_outputs_to<f16, A, MD, MH, MW>(r);
  else transform_outputs_to<float, A, MD, MH, MW>(r);
}

template <class A, int MD, int MH, int MW>
void transform_weights(const A* w, const int64_t* offset, A* u, int64_t step) {
  constexpr int NH = MH + 2, NW = MW + 2;
  Vector<A> rows[3][NH][NW];
#pragma GCC unroll 3
  for (int z = 0; z < 3; ++z) {
    Vector<A> p[3][NW];
#pragma GCC unroll 3
    for (int y = 0; y < 3; ++y) {
      const int64_t* o = offset + (z * 3 + y) * 3;
      const Vector<A> line[3] = {load(w + o[0]), load(w + o[1]), load(w + o[2])};
      weights_along<MW, A>(line, p[y]);
    }
#pragma GCC unroll 6
    for (int x = 0; x < NW; ++x) {
      const Vector<A> column[3] = {p[0][x], p[1][x], p[2][x]};
      Vector<A> made[NH];
      weights_along<MH, A>(column, made);
      for (int h = 0; h < NH; ++h) rows[z][h][x] = made[h];
    }
  }
  for (int h = 0; h < NH; ++h)
    for (int x = 0; x < NW; ++x) {
      const Vector<A> depth[3] = {rows[0][h][x], rows[1][h][x], rows[2][h][x]};
      Vector<A> made[MD + 2];
      weights_along<MD, A>(depth, made);
      for (int z = 0; z < MD + 2; ++z) store(u + ((z * NH + h) * NW + x) * step, made[z]);
    }
}

template <class A, int MH, int MW>
void restore_plane(const A* u, int64_t step, A* g, int64_t g_step) {
  constexpr int NH = MH + 2, NW = MW + 2;
  Vector<A> p[3][NW];
#pragma GCC unroll 6
  for (int x = 0; x < NW; ++x) {
    Vector<A> column[NH], made[3];
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) column[h] = load(u + (h * NW + x) * step);
    restore_along<MH, A>(column, made);
#pragma GCC unroll 3
    for (int y = 0; y < 3; ++y) p[y][x] = made[y];
  }
#pragma GCC unroll 3
  for (int y = 0; y < 3; ++y) {
    Vector<A> line[3];
    restore_along<MW, A>(p[y], line);
#pragma GCC unroll 3
    for (int x = 0; x < 3; ++x) store(g + (y * 3 + x) * g_step, line[x]);
  }
}

template <class A, int MD>
void restore_depth(const A* u, int64_t step, A* g, int64_t g_step) {
  Vector<A> planes[MD + 2], taps[3];
#pragma GCC unroll 6
  for (int z = 0; z < MD + 2; ++z) planes[z] = load(u + z * step);
  restore_along<MD, A>(planes, taps);
  for (int z = 0; z < 3; ++z) store(g + z * g_step, taps[z]);
}

template <class A, int MD, int MH, int MW>
WinogradIsa<A> kernels_of() {
  return {transform_inputs<A, MD, MH, MW>,  transform_gradients<A, MD, MH, MW>, transform_outputs<A, MD, MH, MW>,
          transform_weights<A, MD, MH, MW>, restore_plane<A, MH, MW>,           restore_depth<A, MD>};
}
template <class A>
WinogradIsa<A> kernels(WinogradTile tile) {
  if (tile.d == 4) return kernels_of<A, 4, 4, 4>();
  if (tile.h == 4) return kernels_of<A, 2, 4, 4>();
  return tile.w == 4 ? kernels_of<A, 2, 2, 4>() : kernels_of<A, 2, 2, 2>();
}
template WinogradIsa<float> kernels(WinogradTile);
template WinogradIsa<double> kernels(WinogradTile);
