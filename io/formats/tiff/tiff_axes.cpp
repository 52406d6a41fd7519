#include "io/formats/tiff/tiff_axes.h"

#include <charconv>
#include <cmath>
#include <optional>

#include "io/formats/length_names.h"
#include "io/formats/text_fields.h"

namespace voxgrad {
namespace {

struct Described {
  const char* by;
  int64_t channels = 1, slices = 1, times = 1;
  std::string order = "CZT";  // the fastest first
};

template <class T>
T number_or(std::string_view text, T otherwise) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end != text.data() ? value : otherwise;
}

// mm, and how the unit is kept; 0: none that is known.
double millimetres_of(std::string_view name, LengthUnit& kept) {
  const NamedLength unit = length_named(name);
  if (unit.kept != LengthUnit::millimetre) kept = unit.kept;
  return unit.mm;
}

// The value of a line "name=value".
std::string_view line_value(std::string_view text, const std::string& name) {
  size_t at = text.find("\n" + name + "=");
  if (at == text.npos) return {};
  at += name.size() + 2;
  return trimmed(text.substr(at, text.find('\n', at) - at));
}

void read_imagej(std::string_view text, const TiffPage& page, Described& d, TiffAxes& out) {
  d = {.by = "ImageJ"};
  const int64_t images = number_or<int64_t>(line_value(text, "images"), 1);
  d.channels = number_or<int64_t>(line_value(text, "channels"), 1), d.times = number_or<int64_t>(line_value(text, "frames"), 1);
  d.slices = number_or<int64_t>(line_value(text, "slices"), 1);
  if (d.channels == 1 && d.times == 1 && d.slices == 1) d.slices = images;
  const double mm = millimetres_of(line_value(text, "unit"), out.unit);
  for (int a = 0; a < 2; ++a)
    if (page.resolution[a] > 0) out.step[a] = mm / page.resolution[a];
  out.step[2] = mm * std::abs(number_or<double>(line_value(text, "spacing"), 0));
}

// The value of an attribute of an element of XML, without the quotes.
std::string_view attribute(std::string_view element, const std::string& name) {
  for (const char quote : {'"', '\''}) {
    size_t at = element.find(" " + name + "=" + quote);
    if (at == element.npos) continue;
    at += name.size() + 3;
    return element.substr(at, element.find(quote, at) - at);
  }
  return {};
}

void read_ome(std::string_view text, const TiffPage& page, Described& d, TiffAxes& out) {
  size_t at = text.find("<Pixels ");
  if (at == text.npos) at = text.find(":Pixels ");
  if (at == text.npos) return;
  d = {.by = "OME"};
  const std::string_view pixels = text.substr(at, text.find('>', at) - at);
  d.channels = number_or<int64_t>(attribute(pixels, "SizeC"), 1), d.slices = number_or<int64_t>(attribute(pixels, "SizeZ"), 1);
  d.times = number_or<int64_t>(attribute(pixels, "SizeT"), 1);
  if (page.samples > 1 && d.channels % page.samples == 0) d.channels /= page.samples;
  if (const auto order = attribute(pixels, "DimensionOrder"); order.size() == 5) d.order = order.substr(2);
  const char* names[] = {"PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ"};
  for (int a = 0; a < 3; ++a) {
    const auto unit = attribute(pixels, std::string(names[a]) + "Unit");
    const auto size = attribute(pixels, names[a]);
    if (!size.empty()) out.step[a] = millimetres_of(unit.empty() ? "um" : unit, out.unit) * number_or<double>(size, 0);
  }
}

// Leading axes of an array of more axes than those of its pages: the last of them are slices.
void read_shape(std::string_view text, int64_t pages, Described& d) {
  d = {.by = "tifffile", .slices = pages, .order = "ZCT"};
  const size_t at = text.find('['), end = text.find(']');
  if (at == text.npos || end == text.npos || end < at) return;
  std::string list(text.substr(at + 1, end - at - 1));
  std::replace(list.begin(), list.end(), ',', ' ');
  std::vector<int64_t> leading;
  int64_t product = 1;
  for (const std::string_view word : words(list)) {
    const auto n = number_or<int64_t>(word, 0);
    if (n < 1 || product >= pages) break;
    product *= n;
    leading.push_back(n);
  }
  if (leading.size() > 1 && product == pages) d.slices = leading.back(), d.channels = pages / leading.back();
}

}  // namespace

TiffAxes tiff_axes(const std::vector<TiffPage>& pages, const std::string& who) {
  const TiffPage& first = pages[0];
  const std::string_view text = first.description;
  const auto count = int64_t(pages.size());
  Described d{.by = "", .slices = count};
  TiffAxes out;
  for (int a = 0; a < 2; ++a)
    if (first.unit_mm > 0 && first.resolution[a] > 0) out.step[a] = first.unit_mm / first.resolution[a];
  if (text.starts_with("ImageJ=")) read_imagej(text, first, d, out);
  else if (text.find("<OME") != text.npos || text.find(":OME ") != text.npos) read_ome(text, first, d, out);
  else if (text.starts_with("{\"shape\":")) read_shape(text, count, d);
  const bool possible = d.channels >= 1 && d.slices >= 1 && d.times >= 1 && d.channels <= count && d.slices <= count && d.times <= count;
  check(possible && d.channels * d.slices * d.times == count, who, ": ", d.by, " says that it has ", d.channels, " channels, ", d.slices,
        " slices and ", d.times, " time points, but it has ", count, " pages; save it again as one TIFF file with a page for each");
  if (d.slices == 1 && d.channels == 1 && d.times > 1) {
    out.warning = std::string("its pages are time points, as ") + d.by + " says; they are taken as slices";
    std::swap(d.slices, d.times);
    for (char& axis : d.order) axis = axis == 'Z' ? 'T' : axis == 'T' ? 'Z' : axis;
  }
  check(d.channels == 1 || d.times == 1, who, ": has ", d.channels, " channels at ", d.times,
        " times; save one of the times, or one channel, alone");
  check(first.samples == 1 || d.channels * d.times == 1, who, ": has ", d.channels * d.times,
        " coloured images in one place; save one alone");
  out.slices = d.slices, out.channels = d.channels * d.times;
  for (int64_t page = 0; page < count; ++page) {
    int64_t rest = page, channel = 0, slice = 0;
    for (const char axis : d.order) {
      const int64_t n = axis == 'Z' ? d.slices : axis == 'C' ? d.channels : d.times;
      (axis == 'Z' ? slice : channel) += rest % n;  // of channels and times one has one value
      rest /= n;
    }
    out.slice.push_back(slice), out.channel.push_back(channel);
  }
  for (double& mm : out.step)
    if (!(std::isfinite(mm) && mm > 0)) mm = 0;
  if (out.step[0] == 0 && out.step[1] == 0) out.unit = LengthUnit::millimetre;
  return out;
}

}  // namespace voxgrad
