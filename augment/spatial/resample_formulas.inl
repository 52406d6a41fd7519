// Included inside a namespace per instruction set, and by the CUDA kernels: where a row of a patch lies in its volume, and what its voxels
// take from the eight taps around them. Formulas are evaluated in one way everywhere, so that labels agree.

// Far above the rounding of coordinates along a row that spans so many voxels.
VOXGRAD_HD inline double margin_of(double span) { return 1e-3 + 1e-6 * (span < 0 ? -span : span); }

struct Row {
  int corner[3];   // voxel that coordinates are relative to; may lie outside the volume
  float start[3];  // coordinate of the row's first voxel relative to it; >= 0 along the row
  float step[3];
};

VOXGRAD_HD inline int64_t floor_of(double v) {
  const int64_t i = int64_t(v);
  return double(i) > v ? i - 1 : i;
}

VOXGRAD_HD inline Row row_of(const ResampleProblem& p, const double* first) {
  Row r;
  for (int a = 0; a < 3; ++a) {
    const double last = first[a] + double(p.patch[2] - 1) * p.step[2][a];
    const int64_t low = floor_of((first[a] < last ? first[a] : last) - margin_of(last - first[a]));
    r.corner[a] = int(low);
    r.start[a] = float(first[a] - double(low));
    r.step[a] = float(p.step[2][a]);
  }
  return r;
}

// The label with the largest summed weight; of equals the lowest.
VOXGRAD_HD inline uint8_t vote(const uint8_t* labels, const float* weights) {
  uint8_t best = 255;
  float most = -1;
  for (int k = 0; k < 8; ++k) {
    float sum = 0;
    for (int m = 0; m < 8; ++m) sum += labels[m] == labels[k] ? weights[m] : 0.f;
    if (sum > 0.501f) return labels[k];
    // Sums of one label are bitwise the same for each of its taps.
    if (sum > most || (sum == most && labels[k] < best)) most = sum, best = labels[k];
  }
  return best;
}
VOXGRAD_HD inline void weights_of(float fd, float fh, float fw, float* weights) {
  for (int k = 0; k < 8; ++k) weights[k] = (k & 4 ? fd : 1 - fd) * (k & 2 ? fh : 1 - fh) * (k & 1 ? fw : 1 - fw);
}
