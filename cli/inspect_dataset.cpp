#include <algorithm>
#include <map>
#include <sstream>

#include "cli/inspect.h"
#include "data/case_store.h"
#include "io/grid.h"
#include "io/image.h"

namespace voxgrad {
namespace {

// "12 .. 40 (median 20)".
std::string range_of(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  std::ostringstream o;
  o << v.front();
  if (v.back() > v.front()) o << " .. " << v.back() << " (median " << v[v.size() / 2] << ")";
  return o.str();
}

template <class Count>
std::string counts_of(const std::map<std::string, Count>& counts) {
  std::ostringstream o;
  for (const auto& [what, n] : counts) o << (o.tellp() > 0 ? ", " : "") << what << " (" << n << ")";
  return o.str();
}

VolumeHeader header_of(const DatasetCase& c) {
  if (!c.stack) return read_header(c.images[0]);
  const Volume v = read_case_image(c);
  return {.format = "NumPy", .stored = name_of(v.data.dtype()), .shape = v.data.shape(), .dtype = v.data.dtype(), .affine = v.affine};
}

// A line for each channel and label that lies on another grid than the first channel.
std::string odd_grids(const DatasetCase& c, const VolumeHeader& image) {
  std::string out;
  std::vector<std::filesystem::path> files(c.images.begin() + 1, c.images.end());
  if (!c.label.empty()) files.push_back(c.label);
  const Grid first = grid_of(image.shape, image.affine);
  for (auto& file : files) {
    const VolumeHeader h = read_header(file);
    const Grid grid = grid_of(h.shape, h.affine);
    const GridComparison compared = compare_grids(first, grid);
    if (compared.same()) continue;
    out += "  " + c.id + "  " + grid_difference(compared, first, c.images[0].filename(), grid, file.filename()) + "\n";
  }
  return out;
}

}  // namespace

std::string describe_dataset(const std::filesystem::path& folder) {
  const Dataset d = read_dataset(folder);
  std::ostringstream o;
  o << "data set       " << d.name << "\nchannels       ";
  for (size_t i = 0; i < d.channel_names.size(); ++i) o << (i ? ", " : "") << d.channel_names[i];
  o << "\nlabels         " << (d.labels.empty() ? "none" : "");
  for (size_t i = 0; i < d.labels.size() && d.label_map.regions.empty(); ++i) o << (i ? ", " : "") << i << " " << d.labels[i];
  o << describe_regions(d.label_map);
  o << "\ncases          " << d.cases.size() << " for training, " << d.tests.size() << " for testing\n";

  std::map<std::string, int64_t> classes;
  for (const DatasetCase& c : d.cases)
    if (c.targets.contains("class")) ++classes[c.targets.at("class")];
  if (d.split) o << "split          " << d.split->training.size() << " train, " << d.split->validation.size() << " validate\n";
  if (!classes.empty()) o << "classes        " << counts_of(classes) << "\n";
  for (auto& line : d.warnings) o << "warning        " << line << "\n";

  std::array<std::vector<double>, 3> extents, spacings;
  std::map<std::string, int64_t> orientations, dtypes;
  std::string odd;
  for (const DatasetCase& c : d.cases) {
    const VolumeHeader image = header_of(c);
    const Vec3 mm = image.affine.spacing();
    for (size_t a = 0; a < 3; ++a) {
      extents[a].push_back(double(image.shape[int(a)]));
      spacings[a].push_back(mm[a]);
    }
    ++orientations[orientation_code(image.affine)];
    ++dtypes[image.stored];
    odd += odd_grids(c, image);
  }
  const char axis[] = "DHW";
  for (size_t a = 0; a < 3 && !d.cases.empty(); ++a)
    o << "axis " << axis[a] << "         " << range_of(extents[a]) << " voxels, " << range_of(spacings[a]) << " mm\n";
  o << "orientation    " << counts_of(orientations) << "\nimages         " << counts_of(dtypes) << "\n";
  if (!odd.empty())
    o << "files on another grid than the first channel of their case; training refuses them, or brings them to it with --resample\n" << odd;
  return o.str();
}

}  // namespace voxgrad
