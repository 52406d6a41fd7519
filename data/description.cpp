#include "data/description.h"

#include <algorithm>
#include <cmath>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/json_file.h"
#include "models/model_registry.h"

namespace voxgrad {
namespace {

constexpr int kFormat = 1;  // of the description; a reader refuses later ones

constexpr const char* kNormalizations[] = {"zscore",     "ct",         "none",      "rescale_to_0_1",
                                           "rgb_to_0_1", "hounsfield", "quantiles", "zscore_nonzero"};
constexpr double kMostVoxels = 0x1p31;  // of a patch

Int3 patch_from(const Json& v) {
  double voxels = 1;
  for (auto& extent : v) voxels *= extent.is_number_integer() && extent.get<int64_t>() > 0 ? extent.get<double>() : NAN;
  check(v.is_array() && v.size() == 3 && voxels <= kMostVoxels, "model description: the patch ", v.dump(), " is not possible");
  return {v[0].get<int>(), v[1].get<int>(), v[2].get<int>()};
}

void check_word(const char* key, const std::string& word, std::initializer_list<const char*> possible) {
  std::string all;
  for (const char* p : possible) {
    if (word == p) return;
    all += (all.empty() ? "" : ", ") + std::string(p);
  }
  fail("model description: ", key, " is \"", word, "\", wanted one of ", all);
}

void validate(const ModelDescription& d) {
  const size_t previous = d.previous_labels.size();
  check(int(d.channels.size() + previous) == d.traits.in_channels && d.normalization.size() == d.channels.size(),
        "model description: the network takes ", d.traits.in_channels, " channels, ", d.channels.size(), " are named and ",
        d.normalization.size(), " normalised", previous ? ", and labels of the previous stage are " + std::to_string(previous) : "");
  for (size_t i = 0; i < previous; ++i)
    check(d.previous_labels[i] > (i ? d.previous_labels[i - 1] : 0) && d.previous_labels[i] < 255,
          "model description: previous_labels has ", d.previous_labels[i], ", wanted values from 1 to 254, ascending");
  check(d.labels.size() <= 256, "model description: ", d.labels.size(), " labels, 256 is the most");
  check(int(d.labels.size()) == d.traits.out_channels, "model description: the network has ", d.traits.out_channels, " classes, ",
        d.labels.size(), " labels are named");
  for (double s : d.spacing) check(s == 0 || (s > 1e-6 && s < 1e6), "model description: the spacing ", s, " mm is not possible");
  check(d.overlap >= 0 && d.overlap <= 0.9, "model description: the overlap ", d.overlap, " is not in [0, 0.9]");
  for (auto& n : d.normalization)
    check(std::find(std::begin(kNormalizations), std::end(kNormalizations), n.kind) != std::end(kNormalizations),
          "model description: the normalisation \"", n.kind, "\" is unknown");
  check(d.nan == "refuse" || d.nan == "zero", "model description: nan is \"", d.nan, "\", refuse or zero is wanted");
  check_word("orientation", d.orientation, {"canonical", "file"});
  check_word("resampling", d.resampling, {"linear", "nnunet", "centres"});
  check(std::is_permutation(d.axis_order.begin(), d.axis_order.end(), std::array{0, 1, 2}.begin()),
        "model description: the axis_order is no order of the axes 0, 1, 2");
  check(d.crop || !d.crop_positive, "model description: crop_positive is true, crop is not");
  check_word("tile_places", d.tile_places, {"spread", "stepped"});
  check_word("tile_weights", d.tile_weights, {"gaussian", "constant", "floored"});
  check_word("restoring", d.restoring, {"outputs", "probabilities", "labels"});
  activation_dtype(d);
}

}  // namespace

DType activation_dtype(const ModelDescription& d) {
  check(d.dtype == "f32" || d.dtype == "bf16", "model description: the dtype \"", d.dtype, "\" is neither f32 nor bf16");
  return d.dtype == "bf16" ? DType::bf16 : DType::f32;
}

Json to_json(const ModelDescription& d) {
  Json normalization = Json::array();
  for (auto& n : d.normalization) {
    Json entry{{"kind", n.kind}};
    if (n.kind == "ct") entry.update({{"low", n.low}, {"high", n.high}, {"mean", n.mean}, {"std", n.std}});
    if (n.kind == "quantiles") entry.update({{"low", n.low}, {"high", n.high}});
    if (n.mask) entry["mask"] = true;
    normalization.push_back(entry);
  }
  Json out = {{"format", kFormat}};
  // Of segmentation nothing is said, as files of before there were other tasks do.
  if (!d.task.empty()) out["task"] = parse_json(d.task, "the task");
  out.update({{"network", parse_json(d.network, "the network")},
              {"patch", {d.patch.d, d.patch.h, d.patch.w}},
              {"spacing_mm", d.spacing},
              {"channels", d.channels},
              {"labels", d.labels},
              {"normalization", normalization},
              {"nan", d.nan},
              {"overlap", d.overlap},
              {"mirror", d.mirror},
              {"dtype", d.dtype}});
  // Said where it is not what this program trains.
  const ModelDescription usual;
  if (d.orientation != usual.orientation) out["orientation"] = d.orientation;
  if (d.axis_order != usual.axis_order) out["axis_order"] = d.axis_order;
  if (d.crop) out["crop"] = true;
  if (d.crop_positive) out["crop_positive"] = true;
  if (d.resampling != usual.resampling) out["resampling"] = d.resampling;
  if (d.flip_axes != usual.flip_axes) out["flip_axes"] = d.flip_axes;
  if (d.resample_first) out["resample_first"] = true;
  if (d.mirror_axes != usual.mirror_axes) out["mirror_axes"] = d.mirror_axes;
  if (!d.previous_labels.empty()) out["previous_labels"] = d.previous_labels;
  if (d.tile_places != usual.tile_places) out["tile_places"] = d.tile_places;
  if (d.tile_weights != usual.tile_weights) out["tile_weights"] = d.tile_weights;
  if (d.restoring != usual.restoring) out["restoring"] = d.restoring;
  return out;
}

ModelDescription description_from_json(const Json& j) {
  ModelDescription d;
  try {
    const int format = j.at("format").get<int>();
    check(format == kFormat, "model description: format ", format, ", this version reads ", kFormat);
    d.network = j.at("network").dump();
    d.traits = network_traits(j.at("network"));
    if (j.contains("task")) d.task = j["task"].dump();
    d.patch = patch_from(j.at("patch"));
    d.spacing = j.at("spacing_mm").get<std::array<double, 3>>();
    d.channels = j.at("channels").get<std::vector<std::string>>();
    d.labels = j.at("labels").get<std::vector<std::string>>();
    for (auto& n : j.at("normalization"))
      d.normalization.push_back({n.at("kind").get<std::string>(), n.value("mean", 0.0), n.value("std", 1.0), n.value("low", 0.0),
                                 n.value("high", 0.0), n.value("mask", false)});
    d.nan = j.at("nan").get<std::string>();
    d.overlap = j.at("overlap").get<double>();
    d.mirror = j.at("mirror").get<bool>();
    d.dtype = j.at("dtype").get<std::string>();
    d.orientation = j.value("orientation", d.orientation);
    d.axis_order = j.value("axis_order", d.axis_order);
    d.crop = j.value("crop", false);
    d.crop_positive = j.value("crop_positive", false);
    d.resampling = j.value("resampling", d.resampling);
    d.flip_axes = j.value("flip_axes", d.flip_axes);
    d.resample_first = j.value("resample_first", false);
    d.mirror_axes = j.value("mirror_axes", d.mirror_axes);
    d.previous_labels = j.value("previous_labels", d.previous_labels);
    d.tile_places = j.value("tile_places", d.tile_places);
    d.tile_weights = j.value("tile_weights", d.tile_weights);
    d.restoring = j.value("restoring", d.restoring);
  } catch (const nlohmann::json::exception& e) { fail("model description: ", json_reason(e)); }
  validate(d);
  return d;
}

}  // namespace voxgrad
