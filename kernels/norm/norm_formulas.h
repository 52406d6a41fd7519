#pragma once
#include "core/dtype.h"
#ifdef __CUDACC__
#define VOXGRAD_NORM_SQRT ::sqrt
#else
#define VOXGRAD_NORM_SQRT __builtin_sqrt
#endif

// Numbers per statistic and channel, in f64 from f64, for both devices. xhat = (x - mean) rstd with the unrounded mean.
namespace voxgrad {

// A mean and what rounding it lost; 1 / sqrt(variance + eps).
template <class A>
struct NormStatistic {
  A mean, rest, rstd;
  VOXGRAD_HD static NormStatistic of(double m, double variance, double eps) {
    return {A(m), A(m - double(A(m))), A(1 / VOXGRAD_NORM_SQRT(variance + eps))};
  }
};

// Count, mean and sum of squared deviations, merged exactly (Chan, Golub and LeVeque 1983).
struct NormMoments {
  double count = 0, mean = 0, deviation = 0;
  VOXGRAD_HD void merge(double n, double m, double d) {
    if (n == 0) return;
    const double delta = m - mean, total = count + n;
    mean += delta * n / total;
    deviation += d + delta * delta * count * n / total;
    count = total;
  }
};

// z = (x - mean) factor + offset.
template <class A>
struct NormAffine {
  A factor, offset;
  VOXGRAD_HD NormAffine(const NormStatistic<A>& s, double scale, double shift) {
    const double f = double(s.rstd) * scale;
    factor = A(f);
    offset = A(shift - double(s.rest) * f);
  }
};

// gy act'(z), act(z) = z > 0 ? z : slope z.
template <class A>
VOXGRAD_HD A activation_gradient(A z, A gy, A slope) {
  return z > 0 ? gy : slope * gy;
}

// Running statistics of a batch norm, moved towards those of n elements: sum of squared deviations `deviation`.
template <class A>
VOXGRAD_HD void move_running(A& mean, A& variance, double momentum, double batch_mean, double deviation, double n) {
  const double keep = 1 - momentum, unbiased = deviation / (n > 1 ? n - 1 : 1);
  mean = A(keep * double(mean) + momentum * batch_mean);
  variance = A(keep * double(variance) + momentum * unbiased);
}

// sum of g xhat from the sums of g (x - mean) and of g.
template <class A>
VOXGRAD_HD double sum_of_xhat(const NormStatistic<A>& s, double product, double sum) {
  return double(s.rstd) * (product - double(s.rest) * sum);
}

// What gx has beside factor g: slope (x - mean) + constant, of gx = rstd (scale g - mg - xhat mx), with mg and mx the means over the n
// elements of a statistic of scale g and scale g xhat, here given as sums.
template <class A>
struct NormThrough {
  A slope, constant;
  VOXGRAD_HD NormThrough(const NormStatistic<A>& s, double sum_g, double sum_gx, double n) {
    const double r = double(s.rstd), k = -r * r * sum_gx / n;
    slope = A(k);
    constant = A(-r * sum_g / n - k * double(s.rest));
  }
};

}  // namespace voxgrad
#undef VOXGRAD_NORM_SQRT
