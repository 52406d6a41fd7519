// k-space of ISMRMRD files (Inati et al. 2017, ismrmrd.h): the group "dataset" has an XML header and one record per line of k-space, whose
// counters say where it lies.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

#include "io/formats/hdf5/hdf5_parts.h"
#include "io/formats/hdf5/ismrmrd_header.h"

namespace voxgrad {
namespace {

constexpr const char *kLines = "dataset/data", *kHeader = "dataset/xml";
constexpr double kMostUndersampled = 100;  // places of k-space per number in the file, at most
constexpr hsize_t kLinesAtOnce = 64;
// Flags are counted from 1. No part of the image are noise 19, navigators 23, phase corrections 24, feedback 26 and 28, dummies 27,
// corrections of surface coils 29 and phase stabilisation 30 and 31.
constexpr uint64_t flag(int n) { return uint64_t(1) << (n - 1); }
constexpr uint64_t kCalibration = flag(20), kBackwards = flag(22);
constexpr uint64_t kNoImage = flag(19) | flag(23) | flag(24) | flag(26) | flag(27) | flag(28) | flag(29) | flag(30) | flag(31);

// What is read of a record; the library finds members by their names.
struct IsmrmrdPlace {
  uint16_t step_1, step_2, slice, contrast, phase, repetition, set;
};
struct IsmrmrdLine {
  uint64_t flags;
  uint16_t samples, coils, discard_pre, discard_post, centre, space;
  IsmrmrdPlace at;
};
struct IsmrmrdRecord {
  IsmrmrdLine head;
  hvl_t data;  // floats: of each coil its samples, both parts side by side
};

Hdf5Handle record_of(size_t bytes) { return {H5Tcreate(H5T_COMPOUND, bytes), H5Tclose, kDamagedHdf5}; }
void add_member(hid_t to, const char* name, size_t at, hid_t type) { check(H5Tinsert(to, name, at, type) >= 0, kDamagedHdf5); }

Hdf5Handle type_of_line() {
  const Hdf5Handle place = record_of(sizeof(IsmrmrdPlace));
  const std::pair<const char*, size_t> counters[] = {
      {"kspace_encode_step_1", offsetof(IsmrmrdPlace, step_1)}, {"kspace_encode_step_2", offsetof(IsmrmrdPlace, step_2)},
      {"slice", offsetof(IsmrmrdPlace, slice)},                 {"contrast", offsetof(IsmrmrdPlace, contrast)},
      {"phase", offsetof(IsmrmrdPlace, phase)},                 {"repetition", offsetof(IsmrmrdPlace, repetition)},
      {"set", offsetof(IsmrmrdPlace, set)}};
  for (const auto& [name, at] : counters) add_member(place, name, at, H5T_NATIVE_UINT16);
  Hdf5Handle line = record_of(sizeof(IsmrmrdLine));
  add_member(line, "flags", offsetof(IsmrmrdLine, flags), H5T_NATIVE_UINT64);
  const std::pair<const char*, size_t> numbers[] = {
      {"number_of_samples", offsetof(IsmrmrdLine, samples)}, {"active_channels", offsetof(IsmrmrdLine, coils)},
      {"discard_pre", offsetof(IsmrmrdLine, discard_pre)},   {"discard_post", offsetof(IsmrmrdLine, discard_post)},
      {"center_sample", offsetof(IsmrmrdLine, centre)},      {"encoding_space_ref", offsetof(IsmrmrdLine, space)}};
  for (const auto& [name, at] : numbers) add_member(line, name, at, H5T_NATIVE_UINT16);
  add_member(line, "idx", offsetof(IsmrmrdLine, at), place);
  return line;
}

// Records first .. first + count - 1.
void read_records(hid_t dataset, hid_t type, hsize_t first, hsize_t count, void* into, hid_t transfer = H5P_DEFAULT) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose, kDamagedHdf5);
  const Hdf5Handle memory(H5Screate_simple(1, &count, nullptr), H5Sclose, kDamagedHdf5);
  check(H5Sselect_hyperslab(space, H5S_SELECT_SET, &first, nullptr, &count, nullptr) >= 0 &&
            H5Dread(dataset, type, memory, space, transfer, into) >= 0,
        "its lines of k-space are damaged");
}

// Which slice a line is of. Each repetition, set, phase and contrast has slices of its own.
using IsmrmrdSlice = std::array<uint16_t, 5>;
IsmrmrdSlice slice_of(const IsmrmrdPlace& p) { return {p.repetition, p.set, p.phase, p.contrast, p.slice}; }
struct IsmrmrdGrid {
  IsmrmrdEncoding encoding;
  int64_t coils = 0, records = 0;
  std::map<IsmrmrdSlice, int64_t> slices;
  bool uses(const IsmrmrdLine& l) const {
    return (l.flags & kNoImage) == 0 && l.space == 0 && (encoding.calibrated_within || (l.flags & kCalibration) == 0);
  }
  // Of a line: its column, and the plane that it lies in, those of each slice behind those of the one before.
  int64_t column(const IsmrmrdLine& l) const { return l.at.step_1 - encoding.centre + encoding.w / 2; }
  int64_t plane_in_slice(const IsmrmrdLine& l) const { return l.at.step_2 - encoding.centre_plane + encoding.d / 2; }
  int64_t plane(const IsmrmrdLine& l) const { return slices.at(slice_of(l.at)) * encoding.d + plane_in_slice(l); }
  int64_t planes() const { return int64_t(slices.size()) * encoding.d; }
  int64_t count() const { return planes() * coils * encoding.h * encoding.w; }
};

IsmrmrdGrid grid_of(hid_t dataset, const IsmrmrdEncoding& encoding) {
  IsmrmrdGrid g{.encoding = encoding, .records = extents_of(dataset).extent[0]};
  const Hdf5Handle line = type_of_line(), record = record_of(sizeof(IsmrmrdLine));
  add_member(record, "head", 0, line);
  std::vector<IsmrmrdLine> lines(kLinesAtOnce);
  for (hsize_t first = 0; first < hsize_t(g.records); first += kLinesAtOnce) {
    const hsize_t count = std::min<hsize_t>(kLinesAtOnce, hsize_t(g.records) - first);
    read_records(dataset, record, first, count, lines.data());
    for (hsize_t i = 0; i < count; ++i) {
      const IsmrmrdLine& l = lines[i];
      if (!g.uses(l)) continue;
      const int64_t column = g.column(l), plane = g.plane_in_slice(l);
      check(column >= 0 && column < encoding.w && plane >= 0 && plane < encoding.d, "its line ", l.at.step_1, " of the partition ",
            l.at.step_2, " lies beyond a matrix of ", encoding.w, " x ", encoding.d);
      if (g.coils == 0) g.coils = l.coils;
      check(l.coils == g.coils && l.coils >= 1, "its lines have ", l.coils, " and ", g.coils, " coils");
      check(int64_t(l.discard_pre) + l.discard_post <= l.samples, "a line of ", l.samples, " samples discards more");
      g.slices.emplace(slice_of(l.at), 0);
    }
  }
  check(!g.slices.empty(), "has no line of k-space");
  int64_t next = 0;
  for (auto& [key, place] : g.slices) place = next++;
  return g;
}

// kspace {planes, coils, h, w, 2}; counts {planes, w}
void add_line(const IsmrmrdGrid& g, const IsmrmrdRecord& r, std::vector<float>& kspace, std::vector<float>& counts) {
  const IsmrmrdLine& l = r.head;
  check(r.data.len == size_t(2) * l.samples * l.coils && l.coils == g.coils, "a line has ", r.data.len, " numbers in place of ", l.coils,
        " coils times ", l.samples, " samples");
  const int64_t h = g.encoding.h, w = g.encoding.w, column = g.column(l), plane = g.plane(l), way = l.flags & kBackwards ? -1 : 1;
  const auto* const numbers = static_cast<const float*>(r.data.p);
  for (int64_t c = 0; c < g.coils; ++c)
    for (int64_t s = l.discard_pre; s < l.samples - l.discard_post; ++s) {
      const int64_t row = way * (s - l.centre) + h / 2;
      if (row < 0 || row >= h) continue;
      float* const to = &kspace[size_t(2 * (((plane * g.coils + c) * h + row) * w + column))];
      const float* const from = numbers + 2 * (c * l.samples + s);
      to[0] += from[0];
      to[1] += from[1];
    }
  ++counts[size_t(plane * w + column)];
}

// Sums of lines that were measured several times become means.
void divide(const IsmrmrdGrid& g, std::vector<float>& kspace, const std::vector<float>& counts) {
  const int64_t h = g.encoding.h, w = g.encoding.w;
  for (int64_t i = 0; i < g.count(); ++i) {
    const float n = counts[size_t(i / (g.coils * h * w) * w + i % w)];
    if (n > 1) kspace[size_t(2 * i)] /= n, kspace[size_t(2 * i + 1)] /= n;
  }
}

}  // namespace

bool is_ismrmrd(hid_t file) {
  const auto has = [file](const char* name) { return H5Lexists(file, name, H5P_DEFAULT) > 0; };
  return has("dataset") && has(kLines) && has(kHeader);
}

void read_ismrmrd(hid_t file, uint64_t file_bytes, bool all, const Emit& emit) {
  const Hdf5Handle dataset = open_array(file, kLines, file_bytes);
  const IsmrmrdGrid g = grid_of(dataset, ismrmrd_encoding(ismrmrd_header_text(file, kHeader, file_bytes)));
  const double numbers_in_all = 2.0 * double(g.planes()) * double(g.coils) * double(g.encoding.h) * double(g.encoding.w);
  check(numbers_in_all * sizeof(float) <= kMostUndersampled * double(file_bytes), "its k-space of ", g.planes(), " planes, ",
        g.coils, " coils and ", g.encoding.h, " x ", g.encoding.w, " is more than a file of ", file_bytes, " bytes can hold");
  Hdf5Array a{.axes = 4, .extent = {g.planes(), g.coils, g.encoding.h, g.encoding.w}, .complex = 1, .planes = g.encoding.d};
  const int64_t matrix[] = {g.encoding.d, g.encoding.h, g.encoding.w};
  for (int k = 0; k < 3; ++k) a.spacing[k] = g.encoding.space.spacing(k, matrix[k]);
  emit(&a, sizeof a);
  if (!all) return;
  const Hdf5Handle line = type_of_line(), numbers(H5Tvlen_create(H5T_NATIVE_FLOAT), H5Tclose, kDamagedHdf5),
                   record = record_of(sizeof(IsmrmrdRecord)), transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, kDamagedHdf5);
  add_member(record, "head", offsetof(IsmrmrdRecord, head), line);
  add_member(record, "data", offsetof(IsmrmrdRecord, data), numbers);
  std::vector<float> kspace(size_t(2 * g.count())), counts(size_t(g.planes() * g.encoding.w));
  for (int64_t i = 0; i < g.records; ++i) {
    IsmrmrdRecord r = {};
    size_t left = file_bytes;
    check(H5Pset_vlen_mem_manager(transfer, take_within, &left, give_back, nullptr) >= 0, kDamagedHdf5);
    read_records(dataset, record, hsize_t(i), 1, &r, transfer);
    if (g.uses(r.head)) add_line(g, r, kspace, counts);
    std::free(r.data.p);
  }
  divide(g, kspace, counts);
  emit(kspace.data(), kspace.size() * sizeof(float));
}

}  // namespace voxgrad
