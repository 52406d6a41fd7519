#pragma once
// What the elements of a DICOM object say of its planes: of a single image its own elements, of a multi-frame object those of the frame's
// functional groups, else the shared ones, else its own (PS3.3 C.7.6.16).
#include <array>
#include <compare>

#include "io/formats/dicom/dicom_file.h"
#include "io/volume.h"

namespace voxgrad::dicom {

// By what planes at one place can differ, the most telling first.
enum class Key { segment, component, echo, inversion, flip, b_value, direction, temporal_index, time, phase, acquisition, dimension };
constexpr size_t kKeys = 12;

struct KeyValue {
  std::vector<double> numbers = {};
  std::string text = {};
  auto operator<=>(const KeyValue&) const = default;
  bool is_said() const { return !numbers.empty() || !text.empty(); }
};
// Of a channel, for people: "b 1000", "echo 4.6 ms".
std::string describe(Key, const KeyValue&);

struct Plane {
  int64_t frame = 0;  // in its file, from 0
  int tile = -1;      // in a mosaic; -1: the whole frame
  bool placed = false;
  Vec3 position = {}, row = {1, 0, 0}, column = {0, 1, 0};  // LPS+ mm; directions along a row and down a column
  std::array<double, 2> spacing = {1, 1};                   // between rows and between columns, mm
  double thickness = 0, between = 0;                        // mm; 0: not said
  double slope = 1, intercept = 0;
  std::string stack = {};  // of a multi-frame object with several
  std::array<KeyValue, kKeys> keys = {};
  std::array<KeyValue, 3> order = {};  // last resorts: times of acquisition and content, instance number
};

struct PixelFormat {
  int64_t rows = 1, columns = 1, samples = 1, frames = 1;
  int allocated = 8, stored = 8, high = 7;
  bool is_signed = false, is_float = false, by_plane = false;
  std::string photometric = {}, syntax = {};
  bool big = false;
  // 1-bit JPEG 2000 is decoded as 8 bits, of which bit 7 is the value.
  bool is_widened() const {
    return allocated == 1 && (syntax.starts_with("1.2.840.10008.1.2.4.9") || syntax.starts_with("1.2.840.10008.1.2.4.20"));
  }
  bool has_palette() const { return photometric == "PALETTE COLOR"; }
  friend bool operator==(const PixelFormat&, const PixelFormat&) = default;
};

enum class ObjectKind { image, segmentation };

// A file with voxels.
struct Object {
  fs::path path = {};
  ObjectKind kind = ObjectKind::image;
  std::string instance = {}, series = {}, description = {}, modality = {}, number = {};
  PixelFormat format = {};
  int64_t rows = 1, columns = 1;  // of a plane: those of a tile in a mosaic
  int tiles_per_row = 0;
  // Look-up tables, empty where there is none: of stored values to those meant (Modality LUT), and of colours.
  struct Table {
    double first = 0;
    int bits = 0;  // that hold each value
    std::vector<double> values = {};
    double operator()(double v) const;
  };
  Table modality_table = {};
  std::array<Table, 3> palette = {};
  std::vector<Plane> planes = {};
  std::string warning = {};
};

// Refuses what is no image in space: video, tiles of a slide, a syntax that nothing here decodes.
PixelFormat pixel_format(const DicomFile&);
Object describe_object(const DicomFile&);
// Splits the plane of a mosaic (Siemens: the slices of a volume side by side in one image) into its slices. False: it is none.
bool split_mosaic(const DicomFile&, Object&);
Vec3 cross(const Vec3&, const Vec3&);
Vec3 unit(const Vec3&);

}  // namespace voxgrad::dicom
