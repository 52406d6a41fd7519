#include <algorithm>

#include "core/config/json_values.h"
#include "core/error.h"
#include "infer/monai/monai.h"
#include "io/json_fields.h"

namespace voxgrad {
namespace {

constexpr double kUnbounded = 3e38;

// Transforms that change nothing of the values, in either place.
constexpr const char* kNeutral[] = {"LoadImaged", "EnsureChannelFirstd", "AddChanneld", "EnsureTyped", "ToTensord", "CastToTyped",
                                    "ToDeviced",  "Identityd",           "CopyItemsd"};

bool is_neutral(const std::string& name) {
  return std::any_of(std::begin(kNeutral), std::end(kNeutral), [&](const char* n) { return name == n; });
}

bool flag(const Json& t, const char* key, bool usual, const std::string& who) {
  return t.contains(key) && !t[key].is_null() ? flag_of(t[key], who + ": " + key) : usual;
}
double number(const Json& t, const char* key, const std::string& who) { return number_of(field(t, key, who), who + ": " + key); }
// Refuses arguments beside those that are read, and a value of those that must be what they are by default.
void check_arguments(const Json& t, const std::vector<std::string>& read, const Json& defaults, const std::string& who) {
  for (auto& [key, value] : t.items()) {
    if (key.starts_with('_') || key == "allow_missing_keys" || std::find(read.begin(), read.end(), key) != read.end()) continue;
    check(defaults.contains(key) && (value.is_null() || value == defaults[key]), who, ": its ", key, " is ", value.dump().substr(0, 60),
          ", which is not read");
  }
}

// The list in {"_target_": "Compose", "transforms": [..]}, or a list; what is disabled left out.
std::vector<Json> listed(const Json& j, const std::string& who) {
  const Json& all = j.is_array() ? j : field(j, "transforms", who);
  check(all.is_array() && (j.is_array() || target_of(j) == "Compose"), who, ": wanted a Compose of transforms");
  std::vector<Json> out;
  for (const Json& t : all)
    if (!flag(t, "_disabled_", false, who)) out.push_back(t);
  return out;
}

// "RAS" names where each axis of the array ends; arrays of MONAI are (x, y, z).
void set_orientation(ModelDescription& d, const std::string& codes, const std::string& who) {
  check(codes.size() == 3, who, ": axcodes is \"", codes, "\"");
  constexpr const char* kEnds[3] = {"SI", "AP", "RL"};  // of the canonical axes D, H, W: as they run, and the other way
  d.orientation = "canonical";
  for (size_t a = 0; a < 3; ++a) {
    int found = -1;
    for (int axis = 0; axis < 3; ++axis)
      for (int other = 0; other < 2; ++other)
        if (codes[a] == kEnds[axis][other]) {
          found = axis;
          d.flip_axes[a] = other == 1;
        }
    check(found >= 0, who, ": axcodes is \"", codes, "\"");
    d.axis_order[a] = found;
  }
  check(std::is_permutation(d.axis_order.begin(), d.axis_order.end(), std::array{0, 1, 2}.begin()), who, ": axcodes is \"", codes, "\"");
}

void set_spacing(ModelDescription& d, const Json& t, const std::string& who) {
  // How the grid is normalised on the way (align_corners) makes no difference.
  check_arguments(t, {"pixdim", "mode", "align_corners", "ensure_same_shape"},
                  {{"diagonal", false}, {"padding_mode", "border"}, {"scale_extent", false}, {"recompute_affine", false},
                   {"min_pixdim", nullptr}, {"max_pixdim", nullptr}, {"lazy", false}},
                  who);
  const Json& pixdim = field(t, "pixdim", who);
  check(!pixdim.is_array() || pixdim.size() == 3, who, ": pixdim is ", pixdim.dump().substr(0, 60), ", wanted three numbers");
  // What is not positive keeps the spacing of the file.
  for (size_t a = 0; a < 3; ++a) d.spacing[a] = std::max(0.0, number_of(pixdim.is_array() ? pixdim[a] : pixdim, who + ": pixdim"));
  const Json mode = t.value("mode", Json("bilinear"));
  check((mode.is_array() && !mode.empty() ? mode[0] : mode) == "bilinear", who, ": its mode is ", mode.dump().substr(0, 60),
        "; bilinear is read");
  d.resampling = "centres";
}

// A linear map of [a_min, a_max] to [b_min, b_max], clipped there.
Normalization range_of(const Json& t, const std::string& who) {
  check_arguments(t, {"a_min", "a_max", "b_min", "b_max", "clip"}, {}, who);
  const double a0 = number(t, "a_min", who), a1 = number(t, "a_max", who), b0 = number(t, "b_min", who), b1 = number(t, "b_max", who);
  check(a1 > a0 && b1 > b0, who, ": maps ", a0, " to ", a1, " onto ", b0, " to ", b1);
  const double scale = (a1 - a0) / (b1 - b0);
  const bool clip = flag(t, "clip", false, who);
  return {.kind = "ct", .mean = a0 - b0 * scale, .std = scale, .low = clip ? a0 : -kUnbounded, .high = clip ? a1 : kUnbounded};
}

void check_by_channel(const Json& t, size_t channels, const std::string& who) {
  check(channels == 1 || flag(t, "channel_wise", false, who), who, ": takes all ", channels, " channels as one, which is not read");
}

Normalization intensity_of(const Json& t, size_t channels, const std::string& who) {
  check_arguments(t, {"nonzero", "channel_wise"}, {{"subtrahend", nullptr}, {"divisor", nullptr}}, who);
  check_by_channel(t, channels, who);
  return {.kind = flag(t, "nonzero", false, who) ? "zscore_nonzero" : "zscore"};
}

Normalization percentiles_of(const Json& t, size_t channels, const std::string& who) {
  check_arguments(t, {"lower", "upper", "b_min", "b_max", "clip", "relative", "channel_wise"}, {}, who);
  check_by_channel(t, channels, who);
  check(number(t, "b_min", who) == 0 && number(t, "b_max", who) == 1 && flag(t, "clip", false, who) && !flag(t, "relative", false, who),
        who, ": 0 to 1 with clip is read");
  return {.kind = "quantiles", .low = number(t, "lower", who) / 100, .high = number(t, "upper", who) / 100};
}

}  // namespace

void add_preprocessing(ModelDescription& d, const Json& transforms, const std::string& who) {
  d.orientation = "file";
  d.axis_order = {2, 1, 0};
  d.spacing = {0, 0, 0};
  d.normalization.assign(d.channels.size(), {.kind = "none"});
  bool normalised = false, resampled = false;
  for (const Json& t : listed(transforms, who)) {
    const std::string name = target_of(t), what = who + ": " + name;
    const auto normalise = [&](const Normalization& n) {
      check(!normalised, what, ": is the second transform of intensities, one is read");
      normalised = true;
      d.normalization.assign(d.channels.size(), n);
      d.resample_first = resampled;
    };
    if (is_neutral(name)) continue;
    if (name == "Orientationd") {
      check(!resampled, what, ": stands behind Spacingd");
      check_arguments(t, {"axcodes"}, {{"as_closest_canonical", false}, {"labels", nullptr}, {"lazy", false}}, what);
      set_orientation(d, text_of(field(t, "axcodes", what), what), what);
    } else if (name == "Spacingd") {
      set_spacing(d, t, what);
      resampled = true;
    } else if (name == "ScaleIntensityRanged") {
      normalise(range_of(t, what));
    } else if (name == "NormalizeIntensityd") {
      normalise(intensity_of(t, d.channels.size(), what));
    } else if (name == "ScaleIntensityd") {
      check_arguments(t, {"channel_wise"}, {{"minv", 0.0}, {"maxv", 1.0}, {"factor", nullptr}}, what);
      check_by_channel(t, d.channels.size(), what);
      normalise({.kind = "rescale_to_0_1"});
    } else if (name == "ScaleIntensityRangePercentilesd") {
      normalise(percentiles_of(t, d.channels.size(), what));
    } else if (name == "CropForegroundd") {
      check(!normalised && !resampled, what, ": is read in front of what changes intensities or spacing");
      check_arguments(t, {"source_key", "allow_smaller", "mode", "start_coord_key", "end_coord_key"},
                      {{"select_fn", nullptr}, {"channel_indices", nullptr}, {"margin", 0}, {"k_divisible", 1}, {"lazy", false}}, what);
      d.crop = d.crop_positive = true;
    } else {
      fail(who, ": the transform \"", name, "\" is not read");
    }
  }
}

void add_postprocessing(ModelDescription& d, const Json& transforms, const std::string& who) {
  bool softmax = false, argmax = false, restored = false;
  for (const Json& t : listed(transforms, who)) {
    const std::string name = target_of(t), what = who + ": " + name;
    if (is_neutral(name)) continue;
    if (name == "Activationsd") {
      check(!flag(t, "sigmoid", false, what), what, ": outputs of a sigmoid overlap, which is not read");
      check_arguments(t, {"sigmoid", "softmax"}, {{"other", nullptr}}, what);
      check(!argmax, what, ": stands behind AsDiscreted");
      softmax = softmax || flag(t, "softmax", false, what);
    } else if (name == "AsDiscreted") {
      check_arguments(t, {"argmax"}, {{"to_onehot", nullptr}, {"threshold", nullptr}, {"rounding", nullptr}}, what);
      check(flag(t, "argmax", false, what), what, ": argmax is read");
      argmax = true;
    } else if (name == "Invertd") {
      const bool nearest = flag(t, "nearest_interp", true, what);
      check(t.value("post_func", Json()).is_null(), what, ": its post_func is not read");
      check(nearest || !argmax, what, ": interpolates labels");
      d.restoring = nearest ? "labels" : softmax ? "probabilities" : "outputs";
      restored = true;
    } else if (name == "SaveImaged") {
      const bool resamples = !restored && flag(t, "resample", false, what);
      check(!resamples || (argmax && t.value("mode", Json("nearest")) == "nearest" && !d.crop), what,
            ": resamples what is no mask, or lies in a box");
    } else {
      fail(who, ": the transform \"", name, "\" is not read");
    }
  }
  check(argmax, who, ": has no AsDiscreted with argmax, so it gives no mask");
  if (!restored) d.restoring = "labels";
}

void add_inferer(ModelDescription& d, const Json& j, const std::string& who) {
  const std::string name = target_of(j), what = who + ": " + name;
  check(name == "SlidingWindowInferer", who, ": the inferer is \"", name, "\"; SlidingWindowInferer is read");
  check_arguments(j, {"roi_size", "overlap", "mode", "sw_batch_size", "progress", "cache_roi_weight_map", "cpu_thresh", "buffer_steps",
                      "buffer_dim"},
                  {{"sigma_scale", 0.125}, {"padding_mode", "constant"}, {"cval", 0.0}, {"with_coord", false}}, what);
  const Json& roi = field(j, "roi_size", what);
  for (int a = 0; a < 3; ++a) {
    check(!roi.is_array() || roi.size() == 3, what, ": roi_size is ", roi.dump().substr(0, 60), ", wanted three integers");
    d.patch[a] = whole_of(roi.is_array() ? roi[size_t(a)] : roi, what + ": roi_size");
    check(d.patch[a] > 0 && d.patch[a] % d.traits.divisor[a] == 0, what, ": roi_size is ", roi.dump(), ", wanted multiples of ",
          d.traits.divisor, ", the strides of the network");
  }
  const Json overlap = j.value("overlap", Json(0.25));
  check(!overlap.is_array() || (overlap.size() == 3 && overlap[0] == overlap[1] && overlap[0] == overlap[2]), what, ": overlap is ",
        overlap.dump().substr(0, 60), ", wanted the same along all axes");
  d.overlap = number_of(overlap.is_array() ? overlap[0] : overlap, what + ": overlap");
  const Json mode = j.value("mode", Json("constant"));
  check(mode == "constant" || mode == "gaussian", what, ": its mode is ", mode.dump().substr(0, 60));
  d.tile_places = "stepped";
  d.tile_weights = mode == "gaussian" ? "floored" : "constant";
}

}  // namespace voxgrad
