// Rows of tiles to and from a plane of their frequencies, vectors along boxes. Included inside the namespace of one instruction set, behind
// winograd_axis.h.

constexpr int kM = kBoxesTile, kN = kBoxesTile + 2;

template <class A>
void transform_inputs(const WinogradBoxesRow<A>& r) {
  constexpr int L = kLanes<A>;
  const int64_t step = r.channels * L, row_step = r.row_step, frequency_step = r.frequency_step;
  for (int64_t t = 0; t < r.tiles; t += kRowTiles)
    for (int64_t c = 0; c < step; c += L) {
      const A* from = r.from + t * kM * step + c;
      A* to = r.to + t * step + c;
      transform_input_row<A, kM, kM>(
          r.tiles - t < kRowTiles ? r.tiles - t : kRowTiles,
          [&](int64_t w, Vector<A>(&x)[kN]) {
            const A* const at = opaque(from + w * step);
#pragma GCC unroll 6
            for (int h = 0; h < kN; ++h) x[h] = load(at + h * row_step);
          },
          to, frequency_step, step);
    }
}

template <class A>
void transform_gradients(const WinogradBoxesRow<A>& r) {
  constexpr int L = kLanes<A>;
  const int64_t step = r.channels * L, row_step = r.row_step, frequency_step = r.frequency_step;
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t k = 0; k < step; k += L) {
      const A* from = r.from + t * kM * step + k;
      transform_gradient_tile<A, kM, kM>([&](int h, int w) { return load(from + h * row_step + w * step); }, r.to + t * step + k,
                                         frequency_step);
    }
}

template <class A>
void transform_outputs(const WinogradBoxesRow<A>& r) {
  constexpr int L = kLanes<A>;
  const int64_t step = r.channels * L, row_step = r.row_step, frequency_step = r.frequency_step;
  for (int64_t t = 0; t < r.tiles; ++t)
    for (int64_t k = 0; k < step; k += L) {
      const A* const from = r.from + t * step + k;
      A* to = r.to + t * kM * step + k;
      each_output_row<A, kM, kM>([&](int f) { return load(from + f * frequency_step); },
                                 [&](int, const Vector<A>(&y)[kM]) {
#pragma GCC unroll 4
                                   for (int w = 0; w < kM; ++w) store(to + w * step, y[w]);
                                   to += row_step;
                                 });
    }
}
