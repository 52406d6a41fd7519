#include "augment/phantom/phantom_canvas.h"

#include "augment/blur/blur.h"
#include "augment/noise/noise.h"

namespace voxgrad::phantom {

float Ellipsoid::operator()(Vec3 x) const {
  Vec3 p = x - centre;
  if (tilt != 0) {
    const float c = std::cos(tilt), s = std::sin(tilt);
    p = {p.d, c * p.h + s * p.w, c * p.w - s * p.h};
  }
  const Vec3 q = {p.d / half.d, p.h / half.h, p.w / half.w}, g = {q.d / half.d, q.h / half.h, q.w / half.w};
  const float r = length(q);
  return r < 1e-3f ? -std::min({half.d, half.h, half.w}) : r * (r - 1) / length(g);
}

float Capsule::operator()(Vec3 x) const {
  const Vec3 axis = to - from, p = x - from;
  const float t = std::clamp(dot(p, axis) / dot(axis, axis), 0.f, 1.f);
  return length(p - t * axis) - radius;
}

Canvas::Canvas(Int3 size, const View& view, float deformation, const Tissue& background, Rng rng) : size_(size), view_(view) {
  const double voxels = std::cbrt(double(size.d) * size.h * size.w),
               extent = 2 * std::cbrt(double(view.half.d) * view.half.h * view.half.w);
  per_voxel_ = float(voxels / extent);
  const float centre[3] = {view.centre.d, view.centre.h, view.centre.w}, half[3] = {view.half.d, view.half.h, view.half.w};
  const auto waves = [&](double width) { return Double3{size.d / width, size.h / width, size.w / width}; };
  textures_[0] = smooth_noise(size, waves(4), rng.split());
  textures_[1] = smooth_noise(size, waves(1.5), rng.split());
  float largest = 0;
  for (int a = 0; a < 3; ++a) {
    places_[a] = smooth_noise(size, {3, 3, 3}, rng.split());
    float* p = places_[a].view().as<float>();
    const int64_t plane = int64_t(size.h) * size.w;
    for (int64_t i = 0; i < places_[a].count(); ++i) {
      const int64_t at = a == 0 ? i / plane : a == 1 ? i / size.w % size.h : i % size.w;
      const float moved = deformation * p[i];
      largest = std::max(largest, std::abs(moved));
      p[i] = centre[a] + half[a] * ((2 * float(at) + 1) / float(size[a]) - 1) + moved;
    }
    place_[a] = p;
  }
  slack_ = largest;
  coarse_ = textures_[0].view().as<float>();
  fine_ = textures_[1].view().as<float>();
  image_ = Tensor::empty({size.d, size.h, size.w, 1});
  label_ = Tensor::zeros({size.d, size.h, size.w}, DType::u8);
  pixels_ = image_.view().as<float>();
  labels_ = label_.view().as<uint8_t>();
  for (int64_t i = 0; i < label_.count(); ++i) pixels_[i] = background.mean + background.coarse * coarse_[i] + background.fine * fine_[i];
}

Canvas::Box Canvas::box_of(const Region& r) const {
  const Vec3 middle = r.centre - view_.centre;
  const float centre[3] = {middle.d, middle.h, middle.w}, half[3] = {r.half.d, r.half.h, r.half.w};
  const float shown[3] = {view_.half.d, view_.half.h, view_.half.w};
  Box box;
  for (int a = 0; a < 3; ++a) {
    const float reach = half[a] + slack_ + 1 / per_voxel_;
    const auto index = [&](float place) {
      return std::clamp<int64_t>(int64_t(std::floor((place / shown[a] + 1) * 0.5f * float(size_[a]))), 0, size_[a]);
    };
    box.begin[a] = index(centre[a] - reach);
    box.end[a] = std::min<int64_t>(index(centre[a] + reach) + 1, size_[a]);
  }
  return box;
}

void take_image(const Tensor& image, const Imaging& o, Rng rng) {
  const Int3 size = volume_size(image);
  const int64_t n = image.count();
  float* x = image.view().as<float>();
  if (o.bias > 0) {
    const Tensor field = smooth_noise(size, {2, 2, 2}, rng.split());
    const float* b = field.view().as<float>();
    parallel_for(n, 1 << 14, [&](int64_t i) { x[i] *= std::exp(float(o.bias) * b[i]); });
  }
  gaussian_blur(image, 0, o.blur);
  if (o.rician) {
    const Tensor imaginary = Tensor::zeros(image.shape());
    add_gaussian_noise(image, o.noise, rng.split());
    add_gaussian_noise(imaginary, o.noise, rng.split());
    const float* y = imaginary.view().as<float>();
    parallel_for(n, 1 << 14, [&](int64_t i) { x[i] = std::sqrt(x[i] * x[i] + y[i] * y[i]); });
  } else {
    add_gaussian_noise(image, o.noise, rng.split());
  }
  parallel_for(n, 1 << 14, [&](int64_t i) { x[i] = float(o.scale) * x[i] + float(o.shift); });
}

}  // namespace voxgrad::phantom
