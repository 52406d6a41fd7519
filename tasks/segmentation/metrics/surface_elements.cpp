#include "tasks/segmentation/metrics/surface_elements.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "core/device/parallel.h"

namespace voxgrad {
namespace {

constexpr int kCodes = 256;

struct Triangle {
  double d, h, w;  // area projected along each axis, in units of a voxel's face
};
using Triangles = std::vector<Triangle>;

// What differs from these by mirroring, by the order of the axes, or by taking inside for outside has the same triangles.
struct Shape8 {
  std::vector<int> corners;  // 4 d + 2 h + w
  Triangles triangles;
};

std::vector<Shape8> shapes() {
  const double e = 0.125, q = 0.25, t = 0.375, f = 0.5;
  const Triangle corner = {e, e, e}, two = {q, q, q};
  return {{{7}, {corner}},
          {{6, 7}, {{q, q, 0}, {q, q, 0}}},
          {{5, 6}, {corner, corner}},
          {{0, 7}, {corner, corner}},
          {{5, 6, 7}, {{f, 0, 0}, two, corner}},
          {{3, 5, 6}, {corner, corner, corner}},
          {{3, 4, 7}, {{0, q, q}, {0, q, q}, corner}},
          {{4, 5, 6, 7}, {{f, 0, 0}, {f, 0, 0}}},
          {{3, 5, 6, 7}, {corner, corner, two, two}},
          {{3, 4, 6, 7}, {{0, q, q}, {q, 0, q}, corner, {t, t, t}}},
          {{3, 4, 5, 6}, {corner, corner, two, {f, 0, 0}}},
          {{2, 3, 4, 5}, {{q, q, 0}, {q, q, 0}, {q, q, 0}, {q, q, 0}}},
          {{1, 2, 4, 7}, {corner, corner, corner, corner}}};
}

std::array<Triangles, kCodes> all_triangles() {
  constexpr int kOrders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  std::array<Triangles, kCodes> out;
  for (const Shape8& s : shapes())
    for (const auto& order : kOrders)
      for (int mirror = 0; mirror < 8; ++mirror) {
        int code = 0;
        for (int c : s.corners) {
          int moved = 0;
          for (int a = 0; a < 3; ++a) moved |= ((c >> (2 - order[a])) & 1) << (2 - a);
          code |= 1 << (moved ^ mirror);
        }
        Triangles turned;
        for (const Triangle& t : s.triangles) {
          const double v[3] = {t.d, t.h, t.w};
          turned.push_back({v[order[0]], v[order[1]], v[order[2]]});
        }
        out[size_t(code)] = out[size_t(kCodes - 1 - code)] = turned;
      }
  return out;
}

std::array<double, kCodes> areas_of(const Spacing& s) {
  static const std::array<Triangles, kCodes> triangles = all_triangles();
  std::array<double, kCodes> out{};
  for (size_t code = 0; code < kCodes; ++code)
    for (const Triangle& t : triangles[code]) {
      const double d = t.d * s[1] * s[2], h = t.h * s[0] * s[2], w = t.w * s[0] * s[1];
      out[code] += std::sqrt(d * d + h * h + w * w);
    }
  return out;
}

// Of the corners of voxels: u8 {D + 1, H + 1, W + 1}.
Tensor codes_of(const Tensor& mask) {
  const int64_t depth = mask.dim(0), height = mask.dim(1), width = mask.dim(2);
  const Tensor out = Tensor::zeros({depth + 1, height + 1, width + 1}, DType::u8);
  const uint8_t* m = mask.view().as<uint8_t>();
  uint8_t* y = out.view().as<uint8_t>();
  parallel_for(depth + 1, std::max<int64_t>(1, (1 << 15) / (height * width + 1)), [&](int64_t d) {
    for (int a = 0; a < 2; ++a) {
      if (d - 1 + a < 0 || d - 1 + a >= depth) continue;
      for (int64_t h = 0; h < height; ++h) {
        const uint8_t* row = m + ((d - 1 + a) * height + h) * width;
        for (int64_t w = 0; w < width; ++w)
          if (row[w])
            for (int b = 0; b < 2; ++b)
              for (int c = 0; c < 2; ++c) y[(d * (height + 1) + h + 1 - b) * (width + 1) + w + 1 - c] |= uint8_t(1 << (4 * a + 2 * b + c));
      }
    }
  });
  return out;
}

Tensor border_of(const Tensor& codes) {
  const Tensor out = Tensor::empty(codes.shape(), DType::u8);
  const uint8_t* c = codes.view().as<uint8_t>();
  uint8_t* y = out.view().as<uint8_t>();
  for (int64_t i = 0; i < codes.count(); ++i) y[i] = c[i] != 0 && c[i] != kCodes - 1;
  return out;
}

std::vector<SurfaceElements::Element> elements_of(const Tensor& codes, const Tensor& border, const Tensor& distance,
                                                  const std::array<double, kCodes>& areas) {
  std::vector<SurfaceElements::Element> out;
  const uint8_t *c = codes.view().as<uint8_t>(), *b = border.view().as<uint8_t>();
  const float* y = distance.view().as<float>();
  for (int64_t i = 0; i < codes.count(); ++i)
    if (b[i]) out.push_back({y[i], float(areas[c[i]])});
  return out;
}

}  // namespace

double element_area(int corners, const Spacing& spacing) { return areas_of(spacing)[size_t(corners)]; }

SurfaceElements surface_elements(const Tensor& prediction, const Tensor& reference, const Spacing& spacing) {
  check(prediction.shape() == reference.shape() && prediction.shape().rank == 3, "surface_elements: masks ", prediction, " and ", reference,
        ", of one shape {D, H, W} are wanted");
  if (prediction.count() == 0) return {};
  const std::array<double, kCodes> areas = areas_of(spacing);
  const Tensor p = codes_of(prediction), r = codes_of(reference), of_p = border_of(p), of_r = border_of(r);
  return {elements_of(p, of_p, distance_transform(of_r, spacing), areas), elements_of(r, of_r, distance_transform(of_p, spacing), areas)};
}

double surface_dice(const SurfaceElements& s, double tolerance_mm) {
  double near = 0, all = 0;
  for (const auto* surface : {&s.reference, &s.prediction})
    for (const auto& e : *surface) {
      all += e.area_mm2;
      if (double(e.distance_mm) <= tolerance_mm * (1 + 1e-6)) near += e.area_mm2;  // distances are rounded to f32
    }
  return all > 0 ? near / all : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace voxgrad
