#include "core/print.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace voxgrad {
namespace {

// A NaN has no sign.
double printed(double v) { return std::isnan(v) ? double(NAN) : v; }

// Element i of host memory as text.
std::string text_of(const Tensor& host, int64_t i, int digits) {
  std::ostringstream o;
  o.precision(digits);
  on_any_dtype(host.dtype(), [&]<class T>() {
    const T v = host.view().as<T>()[i];
    if constexpr (std::is_integral_v<T>) o << int64_t(v);
    else o << printed(double(v));
  });
  return o.str();
}

struct Printer {
  const Tensor& host;
  const PrintOptions& options;
  bool all;
  size_t width = 0;  // of the widest element

  // Calls f(index along the axis, or -1 for what is left out).
  template <class F>
  void along(int64_t extent, F&& f) const {
    const bool whole = all || extent <= 2 * options.edge;
    for (int64_t i = 0; i < (whole ? extent : options.edge); ++i) f(i);
    if (whole) return;
    f(-1);
    for (int64_t i = extent - options.edge; i < extent; ++i) f(i);
  }

  void measure(int axis, int64_t first) {
    if (axis == host.shape().rank) {
      width = std::max(width, text_of(host, first, options.digits).size());
      return;
    }
    along(host.dim(axis), [&](int64_t i) {
      if (i >= 0) measure(axis + 1, first * host.dim(axis) + i);
    });
  }

  void print(std::ostream& o, int axis, int64_t first) const {
    if (axis == host.shape().rank) {
      const std::string s = text_of(host, first, options.digits);
      o << std::string(width - s.size(), ' ') << s;
      return;
    }
    const bool last = axis + 1 == host.shape().rank;
    o << '[';
    along(host.dim(axis), [&](int64_t i) {
      if (i != 0) o << ',' << (last ? " " : '\n' + std::string(size_t(axis + 1), ' '));
      if (i < 0) o << "...";
      else print(o, axis + 1, first * host.dim(axis) + i);
    });
    o << ']';
  }
};

}  // namespace

std::string to_string(const Tensor& t, const PrintOptions& options) {
  check(options.edge > 0 && options.digits > 0, "to_string: an edge of ", options.edge, " and ", options.digits,
        " digits, both must be positive");
  std::ostringstream o;
  if (!t) {
    o << t;
    return o.str();
  }
  const Tensor host = t.detach().to(Device{});
  Printer p{host, options, t.count() <= options.most};
  p.measure(0, 0);
  p.print(o, 0, 0);
  return o.str();
}

std::string describe(const Tensor& t, const PrintOptions& options) {
  std::ostringstream o;
  o << t.info();
  if (!t || t.count() == 0) return o.str();
  double low = INFINITY, high = -INFINITY, sum = 0;
  int64_t nan = 0;
  const std::vector<double> values = t.values();
  for (double v : values) {
    if (std::isnan(v)) {
      ++nan;
      continue;
    }
    low = std::min(low, v);
    high = std::max(high, v);
    sum += v;
  }
  const int64_t numbers = t.count() - nan;
  o.precision(options.digits);
  if (numbers > 0) o << ": min " << low << ", max " << high << ", mean " << printed(sum / double(numbers)) << ", ";
  else o << ": ";
  if (nan > 0) o << nan;
  else o << "no";
  o << " NaN\n" << to_string(t, options);
  return o.str();
}

}  // namespace voxgrad
