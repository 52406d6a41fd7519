#include <algorithm>
#include <cmath>
#include <iomanip>
#include <map>
#include <sstream>
#include <vector>

#include "cli/inspect.h"
#include "io/image.h"

namespace voxgrad {
namespace {

constexpr size_t kMostLabels = 256;

// The finite values of channel `c` of {D, H, W, C}.
std::vector<float> finite_values(const Tensor& t, int64_t c) {
  const int64_t channels = t.dim(3);
  std::vector<float> out;
  out.reserve(size_t(t.count() / channels));
  on_any_dtype(t.dtype(), [&]<class T>() {
    const T* p = t.view().as<T>();
    for (int64_t i = c; i < t.count(); i += channels)
      if (std::isfinite(float(p[i]))) out.push_back(float(p[i]));
  });
  return out;
}

void describe_values(std::ostream& o, const Tensor& t, int64_t c, const std::string& name) {
  std::vector<float> v = finite_values(t, c);
  const int64_t voxels = t.count() / t.dim(3), missing = voxels - int64_t(v.size());
  o << (t.dim(3) > 1 ? "channel " + std::to_string(c) : std::string("values")) << (name.empty() ? "" : ", " + name) << "\n";
  if (missing) o << "  not finite     " << missing << " of " << voxels << " voxels\n";
  if (v.empty()) return;
  double sum = 0, squares = 0;
  for (float x : v) sum += x;
  const double mean = sum / double(v.size());
  for (float x : v) squares += (x - mean) * (x - mean);
  const auto [low, high] = std::minmax_element(v.begin(), v.end());
  o << "  min .. max     " << *low << " .. " << *high << "\n";
  o << "  mean, std      " << mean << ", " << std::sqrt(squares / double(v.size())) << "\n  percentiles   ";
  for (double percent : {0.5, 5.0, 50.0, 95.0, 99.5}) {
    const auto at = v.begin() + int64_t(std::llround(percent / 100 * double(v.size() - 1)));
    std::nth_element(v.begin(), at, v.end());
    o << " " << percent << "%: " << *at << "  ";
  }
  o << "\n";
}

void describe_labels(std::ostream& o, const Volume& v) {
  std::map<double, int64_t> counts;
  on_any_dtype(v.data.dtype(), [&]<class T>() {
    const T* p = v.data.view().as<T>();
    for (int64_t i = 0; i < v.data.count() && counts.size() <= kMostLabels;) {
      const int64_t first = i;
      while (i < v.data.count() && p[i] == p[first]) ++i;
      counts[double(p[first])] += i - first;
    }
  });
  if (counts.size() > kMostLabels) return;
  const Vec3 mm = v.spacing();
  o << "value      voxels      share    volume\n";
  for (const auto& [value, count] : counts)
    o << std::setw(5) << value << std::setw(12) << count << std::setw(10) << std::fixed << std::setprecision(3)
      << 100 * double(count) / double(v.data.count()) << "%" << std::setw(10) << std::setprecision(2)
      << double(count) * mm[0] * mm[1] * mm[2] / 1000 << " ml\n"
      << std::defaultfloat << std::setprecision(6);
}

}  // namespace

std::string describe_volume(const std::filesystem::path& file, const std::string& series) {
  const VolumeHeader header = read_header(file, {.series = series});
  std::ostringstream o;
  const Shape& s = header.shape;
  const Vec3 mm = header.affine.spacing(), origin = header.affine.origin();
  o << "format         " << header.format << ", " << header.stored
    << (header.stored == name_of(header.dtype) ? "" : std::string(", read as ") + name_of(header.dtype)) << "\nshape          " << s[0]
    << " x " << s[1] << " x " << s[2] << " voxels (D x H x W), " << s[3] << (s[3] == 1 ? " channel" : " channels") << "\nspacing        "
    << mm[0] << " x " << mm[1] << " x " << mm[2] << " mm"
    << "\nextent         " << double(s[0]) * mm[0] << " x " << double(s[1]) * mm[1] << " x " << double(s[2]) * mm[2] << " mm"
    << "\norientation    " << orientation_code(header.affine) << " (axes W, H, D), origin " << origin[0] << ", " << origin[1] << ", "
    << origin[2] << " mm (RAS+)"
    << "\nmemory         " << double(s.count()) * double(size_of(header.dtype)) / 1e6 << " MB\n";
  if (!header.warning.empty()) o << "warning        " << header.warning << "\n";
  const Volume v = read_volume(file, {.series = series});
  for (int64_t c = 0; c < s[3]; ++c) describe_values(o, v.data, c, size_t(c) < header.channels.size() ? header.channels[size_t(c)] : "");
  if (!is_floating(v.data.dtype()) && s[3] == 1) describe_labels(o, v);
  return o.str();
}

}  // namespace voxgrad
