// What tells planes at one place apart: time, b-value, echo, magnitude or phase, and their like.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "io/formats/dicom/frame_fields.h"
#include "io/formats/text_fields.h"

namespace voxgrad::dicom {
namespace {
KeyValue of(const std::optional<double>& v) { return v ? KeyValue{{*v}} : KeyValue{}; }

std::optional<double> first_of(const FrameFields& f, std::initializer_list<std::pair<uint32_t, const char*>> tags) {
  for (const auto& [tag, vr] : tags)
    if (const auto v = f.number(tag, vr)) return v;
  return std::nullopt;
}

std::optional<double> b_value(const FrameFields& f) {
  if (const auto v = f.number(0x00189087, "FD")) return v;
  if (const auto v = f.private_number("SIEMENS MR HEADER", 0x0019000c, "IS")) return v;
  if (const auto v = f.private_number("GEMS_PARM_01", 0x00430039, "IS")) return std::fmod(*v, 1e9);
  return f.private_number("Philips Imaging DD 001", 0x20010003, "FL");
}

std::vector<double> direction(const FrameFields& f) {
  if (auto v = f.numbers(0x00189089, "FD"); v.size() == 3) return v;
  if (auto v = f.private_numbers("SIEMENS MR HEADER", 0x0019000e, "FD"); v.size() == 3) return v;
  std::vector<double> out;
  for (const uint32_t tag : {0x200500b0u, 0x200500b1u, 0x200500b2u})
    if (const auto v = f.private_number("Philips MR Imaging DD 001", tag, "FL")) out.push_back(*v);
  for (const uint32_t tag : {0x001900bbu, 0x001900bcu, 0x001900bdu})
    if (const auto v = f.private_number("GEMS_ACQU_01", tag, "DS"); v && out.size() < 3) out.push_back(*v);
  return out.size() == 3 ? out : std::vector<double>();
}

// The part of an image's type that says which of several reconstructions it is; magnitude first, then phase.
std::string component(const FrameFields& f) {
  if (const std::string named = f.text(0x00089208); !named.empty() && named != "MIXED") return lower(named);
  std::string type = f.text(tag::frame_type);
  if (type.empty()) type = f.text(tag::image_type);
  std::string rest;
  for (size_t i = 0, part = 0; i <= type.size() && part < 16; ++part) {
    const size_t end = std::min(type.find('\\', i), type.size());
    const std::string word(trimmed(std::string_view(type).substr(i, end - i)));
    if (part >= 2 && !word.empty()) rest += (rest.empty() ? "" : " ") + word;
    i = end + 1;
  }
  const std::string first = rest.substr(0, rest.find(' '));
  if (first == "M") return "magnitude";
  if (first == "P") return "phase";
  if (first == "R") return "real";
  if (first == "I") return "imaginary";
  return lower(rest);
}

// Seconds of a day, or of a date and a time, for their order alone.
KeyValue moment(const FrameFields& f, uint32_t date_time, uint32_t date, uint32_t time) {
  std::string text = f.text(date_time);
  if (text.empty()) text = f.text(time).empty() ? "" : f.text(date) + f.text(time);
  return text.empty() ? KeyValue{} : KeyValue{.text = text};
}

std::string shown(double v, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text, "%.6g%s", v, unit);
  return text;
}
}  // namespace

void read_keys(const FrameFields& f, const DataSet& own, Plane& p) {
  const auto at = [&](Key k) -> KeyValue& { return p.keys[size_t(k)]; };
  at(Key::segment) = of(f.number(0x0062000b, "US"));
  at(Key::component) = {.text = component(f)};
  at(Key::echo) = of(first_of(f, {{0x00189082, "FD"}, {0x00180081, "DS"}, {0x00180086, "IS"}}));
  at(Key::inversion) = of(first_of(f, {{0x00189079, "FD"}, {0x00180082, "DS"}}));
  at(Key::flip) = of(f.number(0x00181314, "DS"));
  at(Key::b_value) = of(b_value(f));
  at(Key::direction) = {.numbers = direction(f)};
  at(Key::temporal_index) = of(first_of(f, {{0x00209128, "UL"}, {0x00200100, "IS"}}));
  at(Key::time) = of(first_of(f, {{0x0020930d, "FD"}, {0x00541300, "DS"}, {0x00181060, "DS"}, {0x00209153, "FD"}}));
  at(Key::phase) = of(first_of(f, {{0x00209241, "FL"}, {0x00189245, "FL"}}));
  at(Key::acquisition) = of(f.number(0x00200012, "IS"));
  p.order[0] = moment(f, 0x00189074, 0x00080022, 0x00080032);
  if (!p.order[0].is_said()) p.order[0] = moment(f, 0x0008002a, 0x00080022, 0x00080032);
  p.order[1] = moment(f, 0x00080033, 0x00080023, 0x00080033);
  p.order[2] = of(own.number(tag::instance_number, "IS"));
}

std::string describe(Key k, const KeyValue& v) {
  if (!v.is_said()) return k == Key::direction ? "no direction" : "";
  const double n = v.numbers.empty() ? 0 : v.numbers[0];
  switch (k) {
    case Key::segment: return "segment " + shown(n, "");
    case Key::component: return v.text;
    case Key::echo: return "echo " + shown(n, " ms");
    case Key::inversion: return "inversion " + shown(n, " ms");
    case Key::flip: return "flip angle " + shown(n, "");
    case Key::b_value: return "b " + shown(n, "");
    case Key::direction: return "direction (" + shown(v.numbers[0], ", ") + shown(v.numbers[1], ", ") + shown(v.numbers[2], ")");
    case Key::temporal_index: return "time point " + shown(n, "");
    case Key::time: return "time " + shown(n, "");
    case Key::phase: return "phase " + shown(n, " %");
    case Key::acquisition: return "acquisition " + shown(n, "");
    default: break;
  }
  std::string text = "dimension";
  for (double d : v.numbers) text += shown(d, "").insert(0, " ");
  return text;
}

}  // namespace voxgrad::dicom
