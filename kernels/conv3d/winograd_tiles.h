// Tiles of 2 x MH x MW outputs to and from their 4 x (MH + 2) x (MW + 2) frequencies. Included inside the namespace of one instruction set.

// B^T along D makes plane Z of a tile from two of its four planes.
template <int Z, class V>
VOXGRAD_INLINE V input_plane(V near, V far) {
  if constexpr (Z == 1) return near + far;
  else if constexpr (Z == 2) return far - near;
  else return near - far;
}

constexpr int kRowTiles = 4;  // that are transformed at a time: both halves of their frequencies find the inputs in the first-level cache

// Plane Z of `tiles` neighbours along W, step elements from input to input.
template <class A, int MH, int MW, int Z>
VOXGRAD_INLINE void transform_input_plane(const A* const* lines, int64_t at, int64_t step, int64_t tiles, A* frequency,
                                          int64_t frequency_step, int64_t tile_step) {
  constexpr int NH = MH + 2, near = Z == 0 ? 0 : 1, far = Z == 3 ? 3 : 2;
  transform_input_row<A, MH, MW>(
      tiles,
      [&](int64_t w, Vector<A>(&x)[NH]) {
        const int64_t place = at + w * step;
#pragma GCC unroll 6
        for (int h = 0; h < NH; ++h) x[h] = input_plane<Z>(load(lines[near * NH + h] + place), load(lines[far * NH + h] + place));
      },
      frequency, frequency_step, tile_step);
}

template <class A, int MH, int MW>
void transform_inputs(const WinogradRow<A>& r) {
  constexpr int L = kLanes<A>, NH = MH + 2, NW = MW + 2;
  const A* lines[4 * NH];
  for (int i = 0; i < 4 * NH; ++i) lines[i] = r.inputs[i];
  for (int64_t t = 0; t < r.tiles; t += kRowTiles)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const int64_t at = t * MW * r.input_step + c, tiles = r.tiles - t < kRowTiles ? r.tiles - t : kRowTiles;
      A* to = r.frequency + t * r.tile_step + c;
      const auto plane = [&]<int Z>() {
        transform_input_plane<A, MH, MW, Z>(lines, at, r.input_step, tiles, to, r.frequency_step, r.tile_step);
      };
      for (int z = r.first_plane; z < r.first_plane + r.planes; ++z, to += NH * NW * r.frequency_step) {
        if (z == 0) plane.template operator()<0>();
        else if (z == 1) plane.template operator()<1>();
        else if (z == 2) plane.template operator()<2>();
        else plane.template operator()<3>();
      }
    }
}

// A gy in H and W of the plane near + sign far, for one Z of A along D.
template <class A, int MH, int MW, int Z>
VOXGRAD_INLINE void transform_gradient_plane(const A* const* lines, int64_t at, int64_t step, A* frequency, int64_t frequency_step) {
  constexpr int NH = MH + 2, NW = MW + 2;
  Vector<A> p[MH][NW];
#pragma GCC unroll 4
  for (int h = 0; h < MH; ++h) {
    const A *a = lines[h] + at, *b = lines[MH + h] + at;
    Vector<A> g[MW];
#pragma GCC unroll 4
    for (int w = 0; w < MW; ++w) {
      if constexpr (Z == 0) g[w] = load(a + w * step);
      else if constexpr (Z == 1) g[w] = load(a + w * step) + load(b + w * step);
      else if constexpr (Z == 2) g[w] = load(a + w * step) - load(b + w * step);
      else g[w] = -load(b + w * step);
    }
    gradients_along<MW, A>(g, p[h]);
  }
#pragma GCC unroll 6
  for (int w = 0; w < NW; ++w) {
    Vector<A> column[MH], u[NH];
#pragma GCC unroll 4
    for (int h = 0; h < MH; ++h) column[h] = p[h][w];
    gradients_along<MH, A>(column, u);
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) store(frequency + (h * NW + w) * frequency_step, u[h]);
  }
}

template <class A, int MH, int MW>
void transform_gradients(const WinogradRow<A>& r) {
  constexpr int L = kLanes<A>, NH = MH + 2, NW = MW + 2;
  const A* lines[2 * MH];
  for (int i = 0; i < 2 * MH; ++i) lines[i] = r.inputs[i];
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const int64_t at = t * MW * r.input_step + c;
      A* to = r.frequency + t * r.tile_step + c;
      for (int z = r.first_plane; z < r.first_plane + r.planes; ++z, to += NH * NW * r.frequency_step) {
        if (z == 0) transform_gradient_plane<A, MH, MW, 0>(lines, at, r.input_step, to, r.frequency_step);
        else if (z == 1) transform_gradient_plane<A, MH, MW, 1>(lines, at, r.input_step, to, r.frequency_step);
        else if (z == 2) transform_gradient_plane<A, MH, MW, 2>(lines, at, r.input_step, to, r.frequency_step);
        else transform_gradient_plane<A, MH, MW, 3>(lines, at, r.input_step, to, r.frequency_step);
      }
    }
}

template <class T, class A, int MH, int MW, int Z>
VOXGRAD_INLINE void transform_output_plane(const WinogradRow<A>& r, int64_t tile, int64_t c, Vector<A> bias) {
  constexpr int NH = MH + 2, NW = MW + 2, L = kLanes<A>;
  const A* from = r.frequency + tile * r.tile_step + c;
  Vector<A> p[MH][NW];
#pragma GCC unroll 6
  for (int w = 0; w < NW; ++w) {
    Vector<A> column[NH], y[MH];
#pragma GCC unroll 6
    for (int h = 0; h < NH; ++h) {
      const auto plane = [&](int z) { return load(from + ((z * NH + h) * NW + w) * r.frequency_step); };
      if constexpr (Z == 0) column[h] = plane(0) + plane(1) + plane(2);
      else column[h] = plane(1) - plane(2) - plane(3);
    }
    outputs_along<MH, A>(column, y);
#pragma GCC unroll 4
    for (int h = 0; h < MH; ++h) p[h][w] = y[h];
  }
  const int64_t voxels = r.voxels - tile * MW, channels = r.channels - c;
#pragma GCC unroll 4
  for (int h = 0; h < MH; ++h) {
    T* line = static_cast<T*>(r.outputs[Z * MH + h]);
    if (!line) continue;
    line += tile * MW * r.output_step + c;
    Vector<A> y[MW];
    outputs_along<MW, A>(p[h], y);
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
  }
}

template <class T, class A, int MH, int MW>
void transform_outputs_to(const WinogradRow<A>& r) {
  constexpr int L = kLanes<A>;
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t c = 0; c < r.vectors * L; c += L) {
      const Vector<A> bias = load(r.bias + c);
      transform_output_plane<T, A, MH, MW, 0>(r, t, c, bias);
      transform_output_plane<T, A, MH, MW, 1>(r, t, c, bias);
    }
  if (r.streamed) finish_past_caches();
}
template <class A, int MH, int MW>
void transform_outputs(const WinogradRow<A>& r) {
  if constexpr (sizeof(A) == 8) transform_outputs_to<double, A, MH, MW>(r);
  else if (r.dtype == DType::bf16) transform_outputs_to<bf16, A, MH, MW>(r);
  else if (r.dtype == DType::f16) transform_outputs_to<f16, A, MH, MW>(r);
  else transform_outputs_to<float, A, MH, MW>(r);
}

template <class A, int MH, int MW>
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
      Vector<A> made[4];
      weights_along<2, A>(depth, made);
      for (int z = 0; z < 4; ++z) store(u + ((z * NH + h) * NW + x) * step, made[z]);
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

template <class A>
void restore_depth(const A* u, int64_t step, A* g, int64_t g_step) {
  const Vector<A> planes[4] = {load(u), load(u + step), load(u + 2 * step), load(u + 3 * step)};
  Vector<A> taps[3];
  restore_along<2, A>(planes, taps);
  for (int z = 0; z < 3; ++z) store(g + z * g_step, taps[z]);
}

template <class A, int MH, int MW>
WinogradIsa<A> kernels_of() {
  return {transform_inputs<A, MH, MW>,  transform_gradients<A, MH, MW>, transform_outputs<A, MH, MW>,
          transform_weights<A, MH, MW>, restore_plane<A, MH, MW>,       restore_depth<A>};
}
template <class A>
WinogradIsa<A> kernels(WinogradTile tile) {
  if (tile.h == 4) return kernels_of<A, 4, 4>();
  return tile.w == 4 ? kernels_of<A, 2, 4>() : kernels_of<A, 2, 2>();
}
template WinogradIsa<float> kernels(WinogradTile);
template WinogradIsa<double> kernels(WinogradTile);
