#include "data/preprocess.h"

#include <algorithm>
#include <cmath>

#include "augment/spatial/extract_patch.h"
#include "core/autograd.h"
#include "core/device/parallel.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "kernels/pad/pad.h"

namespace voxgrad {
namespace {

constexpr int64_t kChunk = 1 << 15;
constexpr double kMostVoxels = 0x1p31;  // after resampling, of a volume that had no more before

Shape with_channels(const Shape& s) { return s.rank == 4 ? s : Shape{s[0], s[1], s[2], 1}; }

// Mean and standard deviation of one channel, in f64 over chunks in fixed order.
std::array<double, 2> mean_and_std(const float* x, int64_t voxels, int64_t channels, int64_t c) {
  const auto sum_of = [&](auto f) {
    std::vector<double> part(size_t(chunk_count(voxels, kChunk)));
    parallel_chunks(voxels, kChunk, [&](int64_t i, int64_t begin, int64_t end) {
      double s = 0;
      for (int64_t v = begin; v < end; ++v) s += f(double(x[v * channels + c]));
      part[size_t(i)] = s;
    });
    double s = 0;
    for (double p : part) s += p;
    return s;
  };
  const double mean = sum_of([](double v) { return v; }) / double(voxels);
  const double variance = sum_of([mean](double v) { return (v - mean) * (v - mean); }) / double(voxels);
  return {mean, std::sqrt(variance)};
}

// nnU-Net's ZScoreNormalization and CTNormalization.
std::vector<Standardization> normalize(const Tensor& image, const std::vector<Normalization>& how) {
  std::vector<Standardization> done;
  float* x = image.view().as<float>();
  const int64_t channels = image.dim(3), voxels = image.count() / std::max<int64_t>(1, channels);
  for (int64_t c = 0; c < channels; ++c) {
    const Normalization& n = how[size_t(c)];
    done.push_back({});
    if (n.kind == "none") continue;
    const bool ct = n.kind == "ct";
    const auto [mean, std] = ct ? std::array{n.mean, n.std} : mean_and_std(x, voxels, channels, c);
    const float low = ct ? float(n.low) : -INFINITY, high = ct ? float(n.high) : INFINITY;
    const float shift = float(mean), scale = float(1 / std::max(std, 1e-8));
    done.back() = {shift, scale};
    parallel_for(voxels, kChunk, [&](int64_t v) {
      float& value = x[v * channels + c];
      value = (std::min(std::max(value, low), high) - shift) * scale;
    });
  }
  return done;
}

int64_t make_finite(const Tensor& image, bool replace) {
  int64_t bad = 0;
  for (float& v : image.mutable_data<float>())
    if (!std::isfinite(v)) {
      ++bad;
      if (replace) v = 0;
    }
  return bad;
}

Int3 resampled_extents(Int3 extents, const Vec3& from, const Vec3& to, const std::string& name) {
  Int3 out;
  double wanted[3], voxels = 1, before = 1;
  for (int a = 0; a < 3; ++a) {
    wanted[a] = std::max(1.0, std::round(extents[a] * from[size_t(a)] / to[size_t(a)]));
    voxels *= wanted[a], before *= extents[a];
  }
  check(voxels <= std::max(before, kMostVoxels) && *std::max_element(wanted, wanted + 3) < kMostVoxels, name, ": has voxels of ", from[0],
        " x ", from[1], " x ", from[2], " mm; at the network's ", to[0], " x ", to[1], " x ", to[2], " mm its ", extents,
        " voxels would become ", voxels, ", which is not possible; its spacing is wrong, or in ", "another unit");
  for (int a = 0; a < 3; ++a) out[a] = int(wanted[a]);
  return out;
}

Tensor resample(const Tensor& x, Int3 size) {
  if (volume_size(x) == size) return x;
  const Tensor batch = x.reshape({1, x.dim(0), x.dim(1), x.dim(2), x.dim(3)});
  return interpolate3d(batch, size, {.mode = Interpolation::trilinear}).reshape({size.d, size.h, size.w, x.dim(3)});
}

// The label with the largest trilinear weight, on the same grid as `resample`. Beyond the border the outermost voxels go on, as the image's
// do: a patch has background there, so the label gets a rim of one voxel first, which is as far as its samples reach.
Tensor resample_label(const Tensor& label, Int3 size) {
  const Int3 old = volume_size(label);
  if (old == size) return label;
  const Int3 rim = {1, 1, 1}, wide = {old.d + 2, old.h + 2, old.w + 2};
  const Tensor padded = pad3d(label.reshape({1, old.d, old.h, old.w, 1}), rim, rim, {.mode = PadMode::edge});
  PatchPose pose;
  for (int a = 0; a < 3; ++a) {
    pose.centre[size_t(a)] = (wide[a] - 1) / 2.0;
    pose.matrix[size_t(a)][size_t(a)] = double(old[a]) / size[a];
  }
  const Sample sample = sample_of(Tensor::zeros({wide.d, wide.h, wide.w, 1}), padded.reshape({wide.d, wide.h, wide.w}));
  return extract_patch(sample, pose, size).at("label");
}

}  // namespace

Tensor canonical_image(const Volume& v, Orientation* orientation) {
  const Orientation o = orientation_of(v.affine);
  if (orientation) *orientation = o;
  const Tensor moved = to_canonical(v.data.reshape(with_channels(v.data.shape())), o);
  return moved.dtype() == DType::f32 ? (moved.shares_memory_with(v.data) ? moved.clone() : moved) : moved.to(DType::f32);
}

Preprocessed preprocess(const Volume& v, const ModelDescription& d, const std::string& name) {
  Unrecorded quiet;
  Preprocessed out;
  Geometry& g = out.geometry;
  g.affine = v.affine;
  g.unit = v.unit;
  const Tensor image = canonical_image(v, &g.orientation);
  check(image.dim(3) == int64_t(d.channels.size()), name, ": has ", image.dim(3), " channels, the network takes ", d.channels.size(),
        d.channels.size() == 1 ? "; --volumes cases takes each of a 4-D file as a case" : "");
  const int64_t bad = make_finite(image, d.nan == "zero");
  check(bad == 0 || d.nan == "zero", name, ": ", bad, " voxels are NaN or infinite; data.nan = \"zero\" takes them as 0");
  out.intensity = normalize(image, d.normalization);
  g.canonical = volume_size(image);
  const Vec3 file = to_canonical(Volume{v.data.reshape(with_channels(v.data.shape())), v.affine}).spacing();
  g.working = resampled_extents(g.canonical, file, d.spacing, name);
  out.image = resample(image, g.working);
  return out;
}

Grid file_grid(const Geometry& g) {
  Grid out{.affine = g.affine};
  for (int a = 0; a < 3; ++a) out.size[g.orientation.axis[size_t(a)]] = g.canonical[a];
  return out;
}

Tensor preprocess_label(const Volume& v, const Geometry& g, int classes, const std::string& name, OtherGrid other) {
  const Shape s = with_channels(v.data.shape());
  check(s[3] == 1, name, ": a label has one channel, not ", s[3]);
  const Volume label = on_grid({v.data.reshape(s), v.affine}, name, file_grid(g), "its image", other);
  const Tensor turned = to_canonical(label.data, g.orientation);
  const Tensor moved = turned.reshape({g.canonical.d, g.canonical.h, g.canonical.w});
  Tensor out = Tensor::empty(moved.shape(), DType::u8);
  uint8_t* to = out.view().as<uint8_t>();
  on_any_dtype(moved.dtype(), [&]<class T>() {
    const T* from = moved.view().as<T>();
    for (int64_t i = 0; i < moved.count(); ++i) {
      const double value = double(from[i]);
      check(value >= 0 && value < classes && value == std::floor(value), name, ": the label ", value,
            " is none of the declared classes 0 to ", classes - 1);
      to[i] = uint8_t(value);
    }
  });
  return resample_label(out, g.working);
}

Tensor at_file_spacing(const Tensor& x, const Geometry& g) { return resample(x, g.canonical); }

Volume in_file_axes(const Tensor& x, const Geometry& g) {
  return {from_canonical(x.reshape(with_channels(x.shape())), g.orientation), g.affine, g.unit};
}

}  // namespace voxgrad
