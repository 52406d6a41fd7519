#include "data/preprocess.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "augment/spatial/extract_patch.h"
#include "core/autograd.h"
#include "data/pictures/colours.h"
#include "data/normalize.h"
#include "data/resample/resample_centres.h"
#include "data/resample/resample_nnunet.h"
#include "io/image.h"
#include "kernels/interpolate3d/interpolate3d.h"
#include "kernels/pad/pad.h"
#include "kernels/resample_labels/resample_labels.h"
#include "kernels/slice/slice.h"

namespace voxgrad {
namespace {

constexpr double kSameSpacing = 1e-3;  // mm, of MONAI's Spacing
constexpr double kMostMade = 0x1p31;  // after resampling, of a volume that had no more before

Shape with_channels(const Shape& s) { return s.rank == 4 ? s : Shape{s[0], s[1], s[2], 1}; }

int64_t make_finite(const Tensor& image, bool replace) {
  int64_t bad = 0;
  for (float& v : image.mutable_data<float>())
    if (!std::isfinite(v)) {
      ++bad;
      if (replace) v = 0;
    }
  return bad;
}

// nnunet and centres round halves to even, as Python does.
Int3 resampled_extents(Int3 extents, const Vec3& from, const Vec3& to, const std::string& resampling, const std::string& name) {
  Int3 out;
  double wanted[3], voxels = 1, before = 1;
  for (int a = 0; a < 3; ++a) {
    const size_t i = size_t(a);
    const double ratio = from[i] / to[i];
    if (resampling == "nnunet") wanted[a] = std::nearbyint(ratio * extents[a]);
    else if (resampling == "centres") wanted[a] = std::nearbyint((extents[a] - 1) * ratio + 1);
    else wanted[a] = std::round(extents[a] * from[i] / to[i]);
    wanted[a] = std::max(1.0, wanted[a]);
    voxels *= wanted[a], before *= extents[a];
  }
  check(voxels <= std::max(before, kMostMade) && *std::max_element(wanted, wanted + 3) < kMostMade, name, ": has voxels of ", from[0],
        " x ", from[1], " x ", from[2], " mm; at the network's ", to[0], " x ", to[1], " x ", to[2], " mm its ", extents,
        " voxels would become ", voxels, ", which is not possible; its spacing is wrong, or in ", "another unit");
  for (int a = 0; a < 3; ++a) out[a] = int(wanted[a]);
  return out;
}

Tensor resample(const Tensor& x, Int3 size) {
  return volume_size(x) == size ? x : apply_to_volume(trilinear_map(volume_size(x), size), x);
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

// At the spacing of the model.
Tensor resample_label(const Tensor& label, const Geometry& g) {
  const Int3 old = volume_size(label);
  if (old == g.working) return label;
  if (g.resampling == "linear") return resample_label(label, g.working);
  const NnunetResampling how{.from = g.file_spacing, .to = g.spacing};
  const SeparableMap map =
      g.resampling == "nnunet" ? nnunet_map(old, g.working, how) : centres_map(old, g.working, g.file_spacing, g.spacing);
  return resample_labels(label.reshape({1, old.d, old.h, old.w}), map).reshape({g.working.d, g.working.h, g.working.w});
}

// The axes of the network among those of the file.
Orientation network_axes(const Affine& affine, const ModelDescription& d) {
  const Orientation stored = d.orientation == "file" ? Orientation{} : orientation_of(affine);
  Orientation out;
  for (size_t a = 0; a < 3; ++a) {
    out.axis[a] = stored.axis[size_t(d.axis_order[a])];
    out.flip[a] = stored.flip[size_t(d.axis_order[a])] != d.flip_axes[a];
  }
  return out;
}

Tensor as_f32(const Tensor& t, const Tensor& source) {
  return t.dtype() == DType::f32 ? (t.shares_memory_with(source) ? t.clone() : t) : t.to(DType::f32);
}

// {D, H, W} or {D, H, W, C} of any dtype: the part `box` of it.
Tensor cropped(const Tensor& t, const Int3& begin, const Int3& size) {
  if (volume_size(t) == size) return t;
  const Tensor x = t.reshape({1, t.dim(0), t.dim(1), t.dim(2), t.shape().rank == 4 ? t.dim(3) : 1});
  const Tensor y = crop3d(x, begin, size);
  return t.shape().rank == 4 ? y.reshape({size.d, size.h, size.w, t.dim(3)}) : y.reshape({size.d, size.h, size.w});
}

// The reverse, among zeros.
Tensor uncropped(const Tensor& t, const Int3& begin, const Int3& size) {
  const Int3 part = volume_size(t);
  if (part == size) return t;
  const Tensor x = t.reshape({1, part.d, part.h, part.w, t.shape().rank == 4 ? t.dim(3) : 1});
  Int3 after;
  for (int a = 0; a < 3; ++a) after[a] = size[a] - begin[a] - part[a];
  const Tensor y = pad3d(x, begin, after);
  return t.shape().rank == 4 ? y.reshape({size.d, size.h, size.w, t.dim(3)}) : y.reshape({size.d, size.h, size.w});
}

}  // namespace

Tensor canonical_image(const Volume& v, Orientation* orientation) {
  const Orientation o = orientation_of(v.affine);
  if (orientation) *orientation = o;
  return as_f32(to_canonical(v.data.reshape(with_channels(v.data.shape())), o), v.data);
}

Tensor network_input(const Preprocessed& p, const ModelDescription& d) {
  if (d.previous_labels.empty()) return p.image;
  check(bool(p.previous), "preprocess: the mask of the first stage is missing");
  return with_previous_stage(p.image, p.previous, d.previous_labels);
}

namespace {

// Labels on the grid of an image, u8 {box}. declared: the known ones in words.
Tensor label_in_box(const Volume& v, const Geometry& g, const std::array<bool, 256>& known, const std::string& declared,
                    const std::string& name, OtherGrid other) {
  const Shape s = with_channels(v.data.shape());
  check(s[3] == 1, name, ": a label has one channel, not ", s[3], is_flat_picture(name) ? "; save it in grey or with a palette" : "");
  const Volume label = on_grid({v.data.reshape(s), v.affine}, name, file_grid(g), "its image", other);
  const Tensor turned = to_canonical(label.data, g.orientation);
  const Tensor moved = cropped(turned.reshape({g.canonical.d, g.canonical.h, g.canonical.w}), g.box_begin, g.box);
  Tensor out = Tensor::empty(moved.shape(), DType::u8);
  uint8_t* to = out.view().as<uint8_t>();
  on_any_dtype(moved.dtype(), [&]<class T>() {
    const T* from = moved.view().as<T>();
    for (int64_t i = 0; i < moved.count(); ++i) {
      const double value = double(from[i]);
      if (!(value >= 0 && value <= 255 && value == std::floor(value) && known[size_t(value)]))
        fail(name, ": the label ", value, " is none of the declared ", declared);
      to[i] = uint8_t(value);
    }
  });
  return out;
}

Tensor previous_in_box(const PreviousMask* previous, const ModelDescription& d, const Geometry& g, const std::string& name) {
  check(previous, name, ": the network is the second stage of a cascade, which sees the mask of the first one too: --previous-stage");
  std::array<bool, 256> known = {true};
  std::string declared = "0";
  for (int l : d.previous_labels) {
    known[size_t(l)] = true;
    declared += ", " + std::to_string(l);
  }
  return label_in_box(previous->mask, g, known, declared, previous->name, previous->other);
}

// As nnU-Net: voxels that neither image nor mask show are a label of their own, the lowest, while the mask is resampled.
Tensor resample_previous(const Tensor& mask, const std::vector<uint8_t>& seen, const Geometry& g) {
  if (g.working == g.box || g.resampling != "nnunet") return resample_label(mask, g);
  const Tensor coded = mask.clone();  // labels are 254 at the most
  const auto to = coded.mutable_data<uint8_t>();
  for (size_t i = 0; i < to.size(); ++i) to[i] = uint8_t(to[i] + seen[i]);
  const Tensor out = resample_label(coded, g);
  for (uint8_t& l : out.mutable_data<uint8_t>()) l = uint8_t(l - (l > 0));
  return out;
}

}  // namespace

Preprocessed preprocess(const Volume& v, const ModelDescription& d, const std::string& name, const PreprocessOptions& options) {
  Unrecorded quiet;
  Preprocessed out;
  Geometry& g = out.geometry;
  g.affine = v.affine;
  g.unit = v.unit;
  g.orientation = network_axes(v.affine, d);
  Tensor image = as_f32(to_canonical(v.data.reshape(with_channels(v.data.shape())), g.orientation), v.data);
  if (is_flat_picture(name)) image = with_colours(image, int64_t(d.channels.size()));
  check(image.dim(3) == int64_t(d.channels.size()), name, ": has ", image.dim(3), " channels, the network takes ", d.channels.size(),
        d.channels.size() != 1   ? ""
        : is_flat_picture(name) ? "; dataset.json names each colour of a picture as a channel"
                                : "; predict --volumes cases takes each volume of a 4-D file as a case");
  const int64_t bad = make_finite(image, d.nan == "zero");
  check(bad == 0 || d.nan == "zero", name, ": ", bad, " voxels are NaN or infinite; data.nan = \"zero\" takes them as 0");
  g.canonical = g.box = volume_size(image);
  if (d.crop) {
    std::tie(g.box_begin, g.box) = box_of_nonzero(image, d.crop_positive);
    image = cropped(image, g.box_begin, g.box);
  }
  const bool masked = options.with_inside && std::any_of(d.normalization.begin(), d.normalization.end(), [](auto& n) { return n.mask; });
  std::vector<uint8_t> seen;
  if (masked || !d.previous_labels.empty()) seen = foreground_of(image);
  if (masked) out.inside = Tensor::from(seen, {g.box.d, g.box.h, g.box.w});
  if (!d.previous_labels.empty()) {
    out.previous = previous_in_box(options.previous, d, g, name);
    const auto mask = out.previous.data<uint8_t>();
    for (size_t i = 0; i < seen.size(); ++i) seen[i] = seen[i] || mask[i];
  }
  if (!d.resample_first) out.intensity = normalize(image, d.normalization, seen);
  const Vec3 file = v.spacing();
  for (size_t a = 0; a < 3; ++a) {
    g.file_spacing[a] = file[size_t(g.orientation.axis[a])];
    const bool as_it_is = d.spacing[a] == 0 || (d.resampling == "centres" && std::abs(d.spacing[a] - g.file_spacing[a]) <= kSameSpacing);
    g.spacing[a] = as_it_is ? g.file_spacing[a] : d.spacing[a];
  }
  g.resampling = d.resampling;
  g.working = resampled_extents(g.box, g.file_spacing, g.spacing, g.resampling, name);
  if (g.resampling == "nnunet") image = resample_nnunet(image, g.working, {.from = g.file_spacing, .to = g.spacing, .order = 3});
  else if (g.resampling == "centres") image = resample_centres(image, g.working, g.file_spacing, g.spacing);
  else image = resample(image, g.working);
  if (d.resample_first) out.intensity = normalize(image, d.normalization);
  if (masked) out.inside = resample_label(out.inside, g);
  if (out.previous) out.previous = resample_previous(out.previous, seen, g);
  out.image = image;
  return out;
}

Grid file_grid(const Geometry& g) {
  Grid out{.affine = g.affine};
  for (int a = 0; a < 3; ++a) out.size[g.orientation.axis[size_t(a)]] = g.canonical[a];
  return out;
}

Tensor preprocess_label(const Volume& v, const Geometry& g, int classes, const std::string& name, OtherGrid other,
                        const LabelMap& map) {
  return resample_label(label_in_box(v, g, known_values(map, classes), known_values_text(map, classes), name, other), g);
}

SeparableMap to_file_spacing(const Geometry& g) {
  if (g.resampling == "nnunet") return nnunet_map(g.working, g.box, {.from = g.spacing, .to = g.file_spacing});
  if (g.resampling == "centres") return centres_map(g.working, g.box, g.spacing, g.file_spacing);
  return trilinear_map(g.working, g.box);
}

Tensor at_file_spacing(const Tensor& x, const Geometry& g) {
  if (g.working == g.box) return x;
  const Unrecorded quiet;
  return apply_to_volume(to_file_spacing(g), x);
}

Tensor nearest_at_file_spacing(const Tensor& labels, const Geometry& g) {
  if (g.working == g.box) return labels;
  const SeparableMap map = to_file_spacing(g);
  std::array<std::vector<int64_t>, 3> from;
  for (size_t a = 0; a < 3; ++a)
    for (const std::vector<Tap>& taps : map.axis[a].rows) {
      Tap best = taps.at(0);
      for (const Tap& t : taps)
        if (t.weight > best.weight || (t.weight == best.weight && t.index % 2 == 0)) best = t;
      from[a].push_back(best.index);
    }
  const Tensor out = Tensor::empty({g.box.d, g.box.h, g.box.w}, DType::u8);
  const uint8_t* x = labels.view().as<uint8_t>();
  uint8_t* y = out.view().as<uint8_t>();
  for (int64_t d : from[0])
    for (int64_t h : from[1])
      for (int64_t w : from[2]) *y++ = x[(d * g.working.h + h) * g.working.w + w];
  return out;
}

Volume in_file_axes(const Tensor& x, const Geometry& g) {
  const Tensor whole = volume_size(x) == g.box ? uncropped(x, g.box_begin, g.canonical) : x;
  return {from_canonical(whole.reshape(with_channels(whole.shape())), g.orientation), g.affine, g.unit};
}

}  // namespace voxgrad
