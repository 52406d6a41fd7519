#include "io/formats/length_names.h"

#include "io/formats/text_fields.h"

namespace voxgrad {

NamedLength length_named(std::string_view name) {
  constexpr LengthUnit kMicron = LengthUnit::micrometre, kMm = LengthUnit::millimetre;
  const std::string unit = lower(trimmed(name));
  const auto begins = [&](std::string_view with) { return unit.starts_with(with); };
  // The sign of micro is written in Latin-1, as either letter of Unicode, or escaped.
  if (unit == "um" || unit == "\xb5m" || unit == "\xc2\xb5m" || unit == "\xce\xbcm" || unit == "\\u00b5m") return {1e-3, kMicron};
  if (begins("micron") || begins("micromet")) return {1e-3, kMicron};
  if (unit == "nm" || begins("nanomet")) return {1e-6, kMicron};
  if (unit == "mm" || begins("millimet")) return {1, kMm};
  if (unit == "cm" || begins("centimet")) return {10, kMm};
  if (unit == "dm" || begins("decimet")) return {100, kMm};
  if (unit == "m" || begins("meter") || begins("metre")) return {1e3, LengthUnit::metre};
  if (unit == "in" || begins("inch")) return {25.4, kMm};
  return {};
}

}  // namespace voxgrad
