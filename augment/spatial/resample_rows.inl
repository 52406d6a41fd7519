// Included inside a namespace per instruction set. Trilinear resampling of one row of a patch at a time: coordinates of a block of
// voxels first, then the image, then the label. The part of the row whose eight taps all lie inside the volume runs without tests.

#include "augment/spatial/resample_formulas.inl"

constexpr int kBlock = 256;
struct Block {
  int at[3][kBlock];   // lower tap relative to Row::corner
  float f[3][kBlock];  // weight of the upper tap
};

// The voxels [begin, end) of the row whose taps are inside. On an axis of extent 1 both taps are the one voxel.
inline void inside_of(const ResampleProblem& p, const double* first, int64_t& begin, int64_t& end) {
  begin = 0, end = p.patch[2];
  for (int a = 0; a < 3; ++a) {
    const bool flat = p.size[a] == 1;
    const double s = p.step[2][a], margin = margin_of(s * double(p.patch[2]));
    const double low = flat ? -margin : margin, high = flat ? margin : double(p.size[a] - 1) - margin;
    if (s == 0 || (s < 0 ? -s : s) * double(p.patch[2]) < 1e-9) {
      // Constant along the row: exactly the first voxel is inside too.
      if (!(first[a] >= (flat ? low : 0) && first[a] <= high)) end = begin;
      continue;
    }
    double enter = (low - first[a]) / s, leave = (high - first[a]) / s;
    if (enter > leave) {
      const double t = enter;
      enter = leave, leave = t;
    }
    enter = enter < 0 ? 0 : enter > double(p.patch[2]) ? double(p.patch[2]) : enter;
    leave = leave < -1 ? -1 : leave > double(p.patch[2]) ? double(p.patch[2]) : leave;
    const int64_t b = -floor_of(-enter), e = floor_of(leave) + 1;
    begin = b > begin ? b : begin;
    end = e < end ? e : end;
  }
  if (end < begin) end = begin;
}

inline void locate(const Row& r, int64_t from, int n, Block& b) {
  for (int a = 0; a < 3; ++a) {
    const float start = r.start[a], step = r.step[a];
    int* at = b.at[a];
    float* f = b.f[a];
    const int first = int(from);
    for (int i = 0; i < n; ++i) {
      const float x = start + float(first + i) * step;
      const int whole = int(x);
      at[i] = whole;
      f[i] = x - float(whole);
    }
  }
}

// Taps of a flat axis coincide.
struct Strides {
  int64_t d, h, w;
};
inline Strides upper_taps(const ResampleProblem& p) {
  return {p.size[0] > 1 ? p.held[1] * p.held[2] : 0, p.size[1] > 1 ? p.held[2] : 0, p.size[2] > 1 ? int64_t(1) : 0};
}

// Where the lower tap is in memory. Flat axes have the one voxel, whatever rounding says.
inline void offsets_of(const ResampleProblem& p, const Row& r, const Block& b, int n, int64_t* at) {
  const int64_t sd = p.held[1] * p.held[2], sh = p.held[2], first = p.begin[0] * sd + p.begin[1] * sh + p.begin[2];
  const bool fd = p.size[0] == 1, fh = p.size[1] == 1, fw = p.size[2] == 1;
  for (int i = 0; i < n; ++i) {
    const int64_t d = fd ? 0 : r.corner[0] + b.at[0][i], h = fh ? 0 : r.corner[1] + b.at[1][i], w = fw ? 0 : r.corner[2] + b.at[2][i];
    at[i] = d * sd + h * sh + w - first;
  }
}

inline float mix(float a, float b, float f) { return a + f * (b - a); }

using Pair = float __attribute__((vector_size(8)));
using Quad = float __attribute__((vector_size(16)));

// One channel, W not flat: the taps are four pairs of neighbours. Mixed along D, then H, then W.
inline void plane_inside(const ResampleProblem& p, const Block& b, int n, const int64_t* at, float* out) {
  const Strides s = upper_taps(p);
  const auto pair = [](const float* v) {
    Pair two;
    __builtin_memcpy(&two, v, sizeof two);
    return two;
  };
  for (int i = 0; i < n; ++i) {
    const float* x = p.image + at[i];
    const Pair a = pair(x), c = pair(x + s.h), e = pair(x + s.d), g = pair(x + s.d + s.h);
    const Quad low = __builtin_shufflevector(a, c, 0, 1, 2, 3), high = __builtin_shufflevector(e, g, 0, 1, 2, 3);
    const Quad q = low + b.f[0][i] * (high - low);
    const Quad swapped = __builtin_shufflevector(q, q, 2, 3, 0, 1);
    const Quad r = q + b.f[1][i] * (swapped - q);
    out[i] = r[0] + b.f[2][i] * (r[1] - r[0]);
  }
}

template <int C>  // 0: any number of channels
inline void image_inside(const ResampleProblem& p, const Block& b, int n, const int64_t* at, float* out) {
  const int64_t c_count = C ? C : p.channels;
  const Strides s = upper_taps(p);
  const int64_t d = s.d * c_count, h = s.h * c_count, w = s.w * c_count;
  for (int i = 0; i < n; ++i) {
    const float* x = p.image + at[i] * c_count;
    const float fd = b.f[0][i], fh = b.f[1][i], fw = b.f[2][i];
    for (int64_t c = 0; c < c_count; ++c) {
      const float* v = x + c;
      const float low = mix(mix(v[0], v[w], fw), mix(v[h], v[h + w], fw), fh);
      const float high = mix(mix(v[d], v[d + w], fw), mix(v[d + h], v[d + h + w], fw), fh);
      out[i * c_count + c] = mix(low, high, fd);
    }
  }
}

inline void label_inside(const ResampleProblem& p, const Block& b, int n, const int64_t* at, uint8_t* out) {
  const Strides s = upper_taps(p);
  for (int i = 0; i < n; ++i) {
    const uint8_t* v = p.label + at[i];
    const float fd = b.f[0][i], fh = b.f[1][i], fw = b.f[2][i];
    if (p.nearest) {
      out[i] = v[(fd > 0.5f ? s.d : 0) + (fh > 0.5f ? s.h : 0) + (fw > 0.5f ? s.w : 0)];
      continue;
    }
    const uint8_t l[8] = {v[0], v[s.w], v[s.h], v[s.h + s.w], v[s.d], v[s.d + s.w], v[s.d + s.h], v[s.d + s.h + s.w]};
    uint64_t all;
    __builtin_memcpy(&all, l, 8);
    if (all == l[0] * 0x0101010101010101ull) {
      out[i] = l[0];
      continue;
    }
    float weights[8];
    weights_of(fd, fh, fw, weights);
    out[i] = vote(l, weights);
  }
}

// The eight taps of one voxel near or beyond the border: positions clamped into the volume, and which of them lie outside it.
struct Taps {
  int64_t at[8];
  bool outside[8];
  float weights[8];
};
inline Taps taps_of(const ResampleProblem& p, const Row& r, const Block& b, int i) {
  Taps t;
  weights_of(b.f[0][i], b.f[1][i], b.f[2][i], t.weights);
  for (int k = 0; k < 8; ++k) {
    int64_t at = 0;
    t.outside[k] = false;
    for (int a = 0; a < 3; ++a) {
      int64_t v = int64_t(r.corner[a]) + b.at[a][i] + (k >> (2 - a) & 1);
      if (v < 0) v = 0, t.outside[k] = true;
      if (v >= p.size[a]) v = p.size[a] - 1, t.outside[k] = true;
      at = at * p.held[a] + (v - p.begin[a]);
    }
    t.at[k] = at;
  }
  return t;
}

inline void border(const ResampleProblem& p, const Row& r, const Block& b, int n, float* out, uint8_t* out_label) {
  for (int i = 0; i < n; ++i) {
    const Taps t = taps_of(p, r, b, i);
    for (int64_t c = 0; c < p.channels; ++c) {
      float sum = 0;
      for (int k = 0; k < 8; ++k)
        if (p.edge || !t.outside[k]) sum += t.weights[k] == 0 ? 0.f : t.weights[k] * p.image[t.at[k] * p.channels + c];
      out[i * p.channels + c] = sum;
    }
    if (!p.label) continue;
    uint8_t labels[8];
    for (int k = 0; k < 8; ++k) labels[k] = t.outside[k] ? p.outside : p.label[t.at[k]];
    if (p.nearest) out_label[i] = labels[(b.f[0][i] > 0.5f ? 4 : 0) + (b.f[1][i] > 0.5f ? 2 : 0) + (b.f[2][i] > 0.5f ? 1 : 0)];
    else out_label[i] = vote(labels, t.weights);
  }
}

inline void inside(const ResampleProblem& p, const Row& r, const Block& b, int n, float* out, uint8_t* out_label) {
  int64_t at[kBlock];
  offsets_of(p, r, b, n, at);
  switch (p.channels) {
    case 1: p.size[2] > 1 ? plane_inside(p, b, n, at, out) : image_inside<1>(p, b, n, at, out); break;
    case 2: image_inside<2>(p, b, n, at, out); break;
    case 4: image_inside<4>(p, b, n, at, out); break;
    default: image_inside<0>(p, b, n, at, out);
  }
  if (p.label) label_inside(p, b, n, at, out_label);
}

void resample_rows(const ResampleProblem& p, int64_t begin, int64_t end) {
  Block block;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t i = row / p.patch[1], j = row % p.patch[1];
    double first[3];
    for (int a = 0; a < 3; ++a) first[a] = p.origin[a] + double(i) * p.step[0][a] + double(j) * p.step[1][a];
    const Row r = row_of(p, first);
    int64_t in_begin, in_end;
    inside_of(p, first, in_begin, in_end);
    float* out = p.out_image + row * p.patch[2] * p.channels;
    uint8_t* out_label = p.label ? p.out_label + row * p.patch[2] : nullptr;
    for (int64_t from = 0; from < p.patch[2];) {
      const bool is_inside = from >= in_begin && from < in_end;
      const int64_t stop = is_inside ? in_end : from < in_begin ? in_begin : p.patch[2];
      const int n = int(stop - from < kBlock ? stop - from : kBlock);
      locate(r, from, n, block);
      uint8_t* labels = p.label ? out_label + from : nullptr;
      if (is_inside) inside(p, r, block, n, out + from * p.channels, labels);
      else border(p, r, block, n, out + from * p.channels, labels);
      from += n;
    }
  }
}
