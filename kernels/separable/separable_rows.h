// Included inside a namespace per instruction set; see core/device/isa.h.

// row[i] = sum_k weight[k] * x[k][i] for i < n, in groups of four inputs.
template <class A, class T>
void weighted_rows(int64_t n, int count, const T* const* x, const A* weight, A* row) {
  if (count == 0)
    for (int64_t i = 0; i < n; ++i) row[i] = A(0);
  for (int k = 0; k < count; k += 4) {
    const T *x0 = x[k], *x1 = x[k + 1 < count ? k + 1 : k], *x2 = x[k + 2 < count ? k + 2 : k], *x3 = x[k + 3 < count ? k + 3 : k];
    const A w0 = weight[k], w1 = k + 1 < count ? weight[k + 1] : A(0), w2 = k + 2 < count ? weight[k + 2] : A(0),
            w3 = k + 3 < count ? weight[k + 3] : A(0);
    const int terms = count - k < 4 ? count - k : 4;
    const auto sum = [&](auto first) {
      if (terms == 4)
        for (int64_t i = 0; i < n; ++i) row[i] = first(i) + w0 * A(x0[i]) + w1 * A(x1[i]) + w2 * A(x2[i]) + w3 * A(x3[i]);
      else if (terms == 3)
        for (int64_t i = 0; i < n; ++i) row[i] = first(i) + w0 * A(x0[i]) + w1 * A(x1[i]) + w2 * A(x2[i]);
      else if (terms == 2)
        for (int64_t i = 0; i < n; ++i) row[i] = first(i) + w0 * A(x0[i]) + w1 * A(x1[i]);
      else
        for (int64_t i = 0; i < n; ++i) row[i] = first(i) + w0 * A(x0[i]);
    };
    if (k == 0) sum([](int64_t) { return A(0); });
    else sum([&](int64_t i) { return row[i]; });
  }
}

// y {out, c} = the taps of the last axis, of row {in, c}. kC: c, where it is known to the compiler, else 0.
template <int kC, class A, class T>
void along_width(int64_t out, int64_t channels, const int32_t* begin, const int32_t* index, const A* weight, const A* row, T* y) {
  const int64_t c = kC ? kC : channels;
  for (int64_t o = 0; o < out; ++o, y += c) {
    const int32_t first = begin[o], count = begin[o + 1] - first;
    const A *w = weight + first;
    const A *r0 = row + (count > 0 ? index[first] : 0) * c, *r1 = row + (count > 1 ? index[first + 1] : 0) * c;
    if (count == 1)
      for (int64_t j = 0; j < c; ++j) y[j] = T(w[0] * r0[j]);
    else if (count == 2)
      for (int64_t j = 0; j < c; ++j) y[j] = T(w[0] * r0[j] + w[1] * r1[j]);
    else if (count == 4) {
      const A *r2 = row + index[first + 2] * c, *r3 = row + index[first + 3] * c;
      for (int64_t j = 0; j < c; ++j) y[j] = T(w[0] * r0[j] + w[1] * r1[j] + w[2] * r2[j] + w[3] * r3[j]);
    } else
      for (int64_t j = 0; j < c; ++j) {
        A sum = 0;
        for (int32_t k = 0; k < count; ++k) sum += w[k] * row[index[first + k] * c + j];
        y[j] = T(sum);
      }
  }
}

// One channel: lanes are outputs. The taps are padded to kTaps per output, tap k of output o at [k out + o].
template <int kTaps, class A, class T>
void along_width_of_one(int64_t out, const int32_t* index, const A* weight, const A* row, T* y) {
  for (int64_t o = 0; o < out; ++o) {
    A sum = 0;
    for (int k = 0; k < kTaps; ++k) sum += weight[k * out + o] * row[index[k * out + o]];
    y[o] = T(sum);
  }
}

template <class A, class T>
void along_width(int64_t out, int64_t c, const int32_t* begin, const int32_t* index, const A* weight, const A* row, T* y) {
  switch (c) {
    case 1: return along_width<1>(out, c, begin, index, weight, row, y);
    case 2: return along_width<2>(out, c, begin, index, weight, row, y);
    case 3: return along_width<3>(out, c, begin, index, weight, row, y);
    case 4: return along_width<4>(out, c, begin, index, weight, row, y);
    case 16: return along_width<16>(out, c, begin, index, weight, row, y);
    case 32: return along_width<32>(out, c, begin, index, weight, row, y);
    default: return along_width<0>(out, c, begin, index, weight, row, y);
  }
}

template <class T>
void row_of(const SeparableRow<T>& p, int count, const T* const* x, const accum_t<T>* weight, accum_t<T>* row, T* y) {
  weighted_rows(p.width, count, x, weight, row);
  switch (p.taps) {
    case 1: return along_width_of_one<1>(p.out, p.padded_index, p.padded_weight, row, y);
    case 2: return along_width_of_one<2>(p.out, p.padded_index, p.padded_weight, row, y);
    case 4: return along_width_of_one<4>(p.out, p.padded_index, p.padded_weight, row, y);
    default: return along_width(p.out, p.c, p.begin, p.index, p.weight, row, y);
  }
}
