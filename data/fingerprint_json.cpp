#include <cmath>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/fingerprint.h"

namespace voxgrad {
namespace {

constexpr double kMostExtent = 1e6;  // voxels along an axis

const Json& list_at(const Json& j, const char* key, const std::string& who) {
  check(j.contains(key) && j[key].is_array() && !j[key].empty(), who, ": has no list \"", key, "\" of the cases");
  return j[key];
}

std::array<double, 3> triple(const Json& j, const char* key, double most, const std::string& who) {
  check(j.is_array() && (j.size() == 3 || j.size() == 2), who, ": an entry of ", key, " is ", j.dump().substr(0, 60),
        ", wanted three numbers");
  std::array<double, 3> out = {1, 1, 1};
  for (size_t i = 0; i < j.size(); ++i) {
    const double v = j[i].is_number() ? j[i].get<double>() : NAN;
    check(v > 0 && v <= most, who, ": an entry of ", key, " is ", j.dump().substr(0, 60), ", wanted numbers above 0");
    out[3 - j.size() + i] = v;
  }
  return out;
}

double number_or(const Json& j, const char* key, double otherwise) {
  return j.contains(key) && j[key].is_number() ? j[key].get<double>() : otherwise;
}

void read_intensities(const Json& all, const std::string& who, Fingerprint& out) {
  check(all.is_object(), who, ": foreground_intensity_properties_per_channel is no object");
  for (size_t c = 0; c < all.size(); ++c) {
    const std::string name = std::to_string(c);
    check(all.contains(name) && all[name].is_object(), who, ": foreground_intensity_properties_per_channel has no channel ", name);
    const Json& p = all[name];
    out.foreground.push_back({.mean = number_or(p, "mean", 0),
                              .std = number_or(p, "std", 1),
                              .low = number_or(p, "percentile_00_5", 0),
                              .high = number_or(p, "percentile_99_5", 0)});
    out.spread.push_back({number_or(p, "min", 0), number_or(p, "median", 0), number_or(p, "max", 0)});
  }
}

}  // namespace

Fingerprint fingerprint_from_json(const Json& j, const std::string& who) {
  check(j.is_object(), who, ": is no object, wanted a dataset_fingerprint.json");
  Fingerprint out;
  for (const Json& s : list_at(j, "spacings", who)) out.spacings.push_back(triple(s, "spacings", 1e6, who));
  for (const Json& s : list_at(j, "shapes_after_crop", who)) {
    const std::array<double, 3> e = triple(s, "shapes_after_crop", kMostExtent, who);
    for (double v : e) check(v == std::floor(v), who, ": an entry of shapes_after_crop is ", s.dump().substr(0, 60), ", wanted integers");
    out.cropped.push_back({int(e[0]), int(e[1]), int(e[2])});
  }
  check(out.spacings.size() == out.cropped.size(), who, ": has ", out.spacings.size(), " spacings and ", out.cropped.size(),
        " shapes_after_crop");
  out.extents = out.cropped;
  out.relative_size = number_or(j, "median_relative_size_after_cropping", 1);
  if (j.contains("foreground_intensity_properties_per_channel"))
    read_intensities(j["foreground_intensity_properties_per_channel"], who, out);
  return out;
}

Json to_json(const Fingerprint& print) {
  Json channels = Json::object(), extents = Json::array();
  for (size_t c = 0; c < print.foreground.size(); ++c) {
    const Normalization& n = print.foreground[c];
    const Fingerprint::Spread s = c < print.spread.size() ? print.spread[c] : Fingerprint::Spread{};
    channels[std::to_string(c)] = {{"max", s.max},         {"mean", n.mean},           {"median", s.median}, {"min", s.min},
                                   {"percentile_00_5", n.low}, {"percentile_99_5", n.high}, {"std", n.std}};
  }
  for (const Int3& e : print.cropped) extents.push_back({e.d, e.h, e.w});
  return {{"foreground_intensity_properties_per_channel", channels},
          {"median_relative_size_after_cropping", print.relative_size},
          {"shapes_after_crop", extents},
          {"spacings", print.spacings}};
}

}  // namespace voxgrad
