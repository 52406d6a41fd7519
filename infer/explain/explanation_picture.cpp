#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "infer/explain/explain.h"

namespace voxgrad {
namespace {

constexpr Color kDark{18, 20, 24}, kLight{235, 236, 240};
constexpr int kCell = 256, kEdge = 12, kTitle = 34, kSlices = 3;

// Even distances, the nearest of them moved to the slice with the largest sum of |map|.
std::vector<int64_t> shown_slices(const Tensor& map) {
  const int64_t depth = map.dim(0), area = map.dim(1) * map.dim(2);
  std::vector<int64_t> out;
  for (int i = 0; i < kSlices; ++i) {
    const int64_t d = int64_t((i + 0.5) / kSlices * double(depth));
    if (out.empty() || out.back() != d) out.push_back(d);
  }
  int64_t strongest = 0;
  double most = -1;
  for (int64_t d = 0; d < depth; ++d) {
    double sum = 0;
    for (int64_t i = 0; i < area; ++i) sum += std::abs(map.view().as<float>()[d * area + i]);
    if (sum > most) most = sum, strongest = d;
  }
  *std::min_element(out.begin(), out.end(), [&](int64_t a, int64_t b) { return std::abs(a - strongest) < std::abs(b - strongest); }) =
      strongest;
  std::reverse(out.begin(), out.end());  // from the head down
  return out;
}

}  // namespace

Picture explanation_picture(const Volume& image, const Tensor& map, const std::string& title, std::optional<Window> given) {
  const Shape& s = image.data.shape();
  check(s.rank == 4 && map.shape() == Shape({s[0], s[1], s[2]}) && map.dtype() == DType::f32 && s.count() > 0,
        "explanation_picture: the map is ", map, ", the image ", image.data);
  const Window window = given ? *given : window_of(image.data);
  const Tensor grey = image.data.to(DType::f32);
  const float *g = grey.view().as<float>(), *m = map.view().as<float>();
  const Vec3 mm = image.spacing();
  const double height_mm = double(s[1]) * mm[1], width_mm = double(s[2]) * mm[2], scale = kCell / std::max(height_mm, width_mm);
  const int height = std::max(1, int(std::lround(height_mm * scale))), width = std::max(1, int(std::lround(width_mm * scale)));
  double largest = 0;
  for (int64_t i = 0; i < map.count(); ++i) largest = std::max(largest, double(std::abs(m[i])));
  const std::vector<int64_t> slices = shown_slices(map);
  Picture p(std::max(3 * kEdge + 2 * width, 2 * kEdge + text_size(title)[0]), kTitle + int(slices.size()) * (height + kEdge), kDark);
  draw_text(p, kEdge, kEdge, title, kLight);
  for (size_t row = 0; row < slices.size(); ++row)
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        // Anterior up, the patient's right at the left.
        const int64_t h = s[1] - 1 - std::min<int64_t>(s[1] - 1, int64_t((y + 0.5) * double(s[1]) / height));
        const int64_t w = s[2] - 1 - std::min<int64_t>(s[2] - 1, int64_t((x + 0.5) * double(s[2]) / width));
        const int64_t voxel = (slices[row] * s[1] + h) * s[2] + w;
        const double level = std::clamp((g[voxel * s[3]] - window.low) / (window.high - window.low), 0.0, 1.0);
        const auto shade = uint8_t(std::isfinite(level) ? std::lround(255 * level) : 0);
        const int top = kTitle + int(row) * (height + kEdge) + y;
        p.set(kEdge + x, top, {shade, shade, shade});
        p.set(2 * kEdge + width + x, top, {shade, shade, shade});
        const double heat = largest > 0 ? m[voxel] / largest : 0;
        p.blend(2 * kEdge + width + x, top, heat > 0 ? Color{255, 40, 20} : Color{40, 110, 255}, 0.85 * std::abs(heat));
      }
  return p;
}

}  // namespace voxgrad
