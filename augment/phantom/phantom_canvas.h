#pragma once
#include <algorithm>
#include <cmath>

#include "augment/phantom/phantom.h"
#include "augment/phantom/smooth_noise.h"
#include "core/device/parallel.h"

// How phantoms are drawn. A scene is laid out around 0 with lengths of about 1, D towards superior, H towards anterior, W towards
// right; a View says which box of it the volume shows.
namespace voxgrad::phantom {

struct Vec3 {
  float d = 0, h = 0, w = 0;
  friend Vec3 operator-(Vec3 a, Vec3 b) { return {a.d - b.d, a.h - b.h, a.w - b.w}; }
  friend Vec3 operator+(Vec3 a, Vec3 b) { return {a.d + b.d, a.h + b.h, a.w + b.w}; }
  friend Vec3 operator*(float s, Vec3 a) { return {s * a.d, s * a.h, s * a.w}; }
};
inline float dot(Vec3 a, Vec3 b) { return a.d * b.d + a.h * b.h + a.w * b.w; }
inline float length(Vec3 a) { return std::sqrt(dot(a, a)); }

// Signed distances, negative inside: exact for capsules and (outside the edges) boxes, first order for ellipsoids.
struct Ellipsoid {
  Vec3 centre, half;
  float tilt = 0;  // radians, in the plane of H and W
  float operator()(Vec3 x) const;
};
struct Capsule {
  Vec3 from, to;
  float radius;
  float operator()(Vec3 x) const;
};

// What a tissue looks like: its mean and the amplitudes of texture about 6 and about 2 voxels wide.
struct Tissue {
  float mean, coarse = 0, fine = 0;
};

struct Region {
  Vec3 centre = {0, 0, 0}, half = {1, 1, 1};
};
inline Region region_of(const Ellipsoid& e) {
  const float reach = e.tilt == 0 ? 0 : std::max(e.half.h, e.half.w);
  return {e.centre, {e.half.d, std::max(e.half.h, reach), std::max(e.half.w, reach)}};
}
inline Region region_of(const Capsule& c) {
  const auto half = [&](float a, float b) { return 0.5f * std::abs(a - b) + c.radius; };
  return {0.5f * (c.from + c.to), {half(c.from.d, c.to.d), half(c.from.h, c.to.h), half(c.from.w, c.to.w)}};
}

struct View {
  Vec3 centre = {0, 0, 0}, half = {1, 1, 1};
};

inline constexpr int kKeepLabel = -1;

inline constexpr int kNone = 0;  // the label of what has no class

// An image and its label, painted back to front in a space that a smooth random field deforms.
class Canvas {
 public:
  // `deformation`: standard deviation of the displacement, which varies over a third of the view.
  Canvas(Int3 size, const View&, float deformation, const Tissue& background, Rng);

  // Paints the tissue where distance(x, i) < 0, x the deformed place and i the number of a voxel in `region`; voxels within half a
  // voxel of the surface are mixtures. The label is that of whatever fills most of a voxel.
  template <class Distance>
  void paint(const Region& region, const Tissue& tissue, int label, const Distance& distance) {
    const Box box = box_of(region);
    parallel_for(box.end[0] - box.begin[0], 1, [&](int64_t slice) {
      for (int64_t h = box.begin[1]; h < box.end[1]; ++h) {
        int64_t i = ((box.begin[0] + slice) * size_.h + h) * size_.w + box.begin[2];
        for (int64_t w = box.begin[2]; w < box.end[2]; ++w, ++i) {
          const float part = 0.5f - distance(place(i), i) * per_voxel_;
          if (part > 0) put(i, tissue, label, std::min(part, 1.f));
        }
      }
    });
  }
  template <class Shape>
  void paint(const Shape& shape, const Tissue& tissue, int label) {
    paint(region_of(shape), tissue, label, [&](Vec3 x, int64_t) { return shape(x); });
  }

  // Noise with so many features across the view, for surfaces that are not smooth.
  Tensor noise(double features, Rng rng) const { return smooth_noise(size_, {features, features, features}, rng); }
  float voxel() const { return 1 / per_voxel_; }
  const Tensor& image() const { return image_; }
  const Tensor& label() const { return label_; }

 private:
  struct Box {
    int64_t begin[3], end[3];
  };
  Box box_of(const Region&) const;
  Vec3 place(int64_t i) const { return {place_[0][i], place_[1][i], place_[2][i]}; }
  void put(int64_t i, const Tissue& t, int label, float part) {
    const float value = t.mean + t.coarse * coarse_[i] + t.fine * fine_[i];
    pixels_[i] += part * (value - pixels_[i]);
    if (part >= 0.5f && label != kKeepLabel) labels_[i] = uint8_t(label);
  }

  Int3 size_;
  View view_;
  float per_voxel_, slack_;
  Tensor places_[3], textures_[2], image_, label_;
  const float *place_[3], *coarse_, *fine_;
  float* pixels_;
  uint8_t* labels_;
};

// Random numbers of anatomy.
class Draw {
 public:
  explicit Draw(Rng rng) : rng_(rng) {}
  float between(double low, double high) { return float(rng_.uniform(low, high)); }
  float about(double value, double part) { return float(value * rng_.uniform(1 - part, 1 + part)); }
  Vec3 near(Vec3 v, double distance) {
    return v + Vec3{between(-distance, distance), between(-distance, distance), between(-distance, distance)};
  }
  Vec3 scaled(Vec3 v, double part) { return {about(v.d, part), about(v.h, part), about(v.w, part)}; }
  int64_t below(int64_t n) { return rng_.below(n); }
  Rng split() { return rng_.split(); }

 private:
  Rng rng_;
};

// A smooth maximum of -d and so on: the union of two bodies grown together over `radius`.
inline float merge(float a, float b, float radius) {
  const float t = std::clamp(0.5f + 0.5f * (b - a) / radius, 0.f, 1.f);
  return b + t * (a - b) - radius * t * (1 - t);
}

// What a scanner makes of a painted image, in place.
struct Imaging {
  double bias = 0;              // standard deviation of the logarithm of a field that multiplies the image
  Double3 blur = {0, 0, 0};     // voxels
  double noise = 0;             // standard deviation, in units of the image
  bool rician = false;          // magnitude of a complex signal, as in MR; else Gaussian
  double scale = 1, shift = 0;  // last: scale x + shift
};
void take_image(const Tensor& image, const Imaging&, Rng);

void paint_head(Canvas&, Draw&);
void paint_abdomen(Canvas&, Draw&);
void paint_shapes(Canvas&, Draw&);

}  // namespace voxgrad::phantom
