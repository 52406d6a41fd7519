#include "io/formats/hdf5/ismrmrd_header.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "io/formats/hdf5/hdf5_parts.h"

namespace voxgrad {
namespace {

constexpr size_t kLongestHeader = 16 << 20;
constexpr double kLargestField = 1e4, kSmallestField = 1e-3;  // mm
constexpr size_t kLongestQuote = 40;                          // characters of a header in an error

std::string without_comments(std::string text) {
  for (size_t begin = 0; (begin = text.find("<!--", begin)) != text.npos;) {
    const size_t end = text.find("-->", begin + 4);
    check(end != text.npos, "a comment of its ISMRMRD header has no end");
    text.erase(begin, end + 3 - begin);
  }
  return text;
}

// What lies within the first element of this name; empty where there is none.
std::string_view element(std::string_view xml, const std::string& name) {
  size_t begin = xml.find("<" + name);
  const auto goes_on = [&] { return begin + name.size() + 1 < xml.size() && !std::strchr(" \t\r\n>", xml[begin + name.size() + 1]); };
  while (begin != xml.npos && goes_on()) begin = xml.find("<" + name, begin + 1);
  if (begin == xml.npos || (begin = xml.find('>', begin)) == xml.npos) return {};
  const size_t end = xml.find("</" + name + ">", begin);
  return end == xml.npos ? std::string_view() : xml.substr(begin + 1, end - begin - 1);
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n"), end = text.find_last_not_of(" \t\r\n");
  return begin == text.npos ? std::string_view() : text.substr(begin, end + 1 - begin);
}
int64_t number_in(std::string_view text, int64_t otherwise) {
  const std::string_view t = trimmed(text);
  int64_t n = otherwise;
  std::from_chars(t.data(), t.data() + t.size(), n);
  return n;
}

double length_in(std::string_view text) {
  const std::string_view t = trimmed(text);
  double mm = NAN;
  const auto [end, error] = std::from_chars(t.data(), t.data() + t.size(), mm);
  const bool whole = error == std::errc() && end == t.data() + t.size();
  check(whole && mm >= kSmallestField && mm <= kLargestField, "its ISMRMRD header has a field of view of \"",
        std::string(t.substr(0, kLongestQuote)), "\", ", kSmallestField, " to ", kLargestField, " mm are wanted");
  return mm;
}

}  // namespace

std::string ismrmrd_header_text(hid_t file, const char* name, uint64_t file_bytes) {
  const Hdf5Handle dataset = open_array(file, name, file_bytes), type(H5Dget_type(dataset), H5Tclose, kDamagedHdf5),
                   space(H5Dget_space(dataset), H5Sclose, kDamagedHdf5), transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, kDamagedHdf5);
  check(H5Sget_simple_extent_npoints(space) == 1 && H5Tget_class(type) == H5T_STRING, "its ISMRMRD header is no text");
  if (H5Tis_variable_str(type) <= 0) {
    std::string out(std::min(H5Tget_size(type), kLongestHeader + 1), '\0');
    check(out.size() <= kLongestHeader && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out.data()) >= 0,
          "its ISMRMRD header is damaged");
    return without_comments(out.substr(0, out.find('\0')));
  }
  size_t left = std::min<uint64_t>(file_bytes, kLongestHeader);
  char* text = nullptr;
  check(H5Pset_vlen_mem_manager(transfer, take_within, &left, give_back, nullptr) >= 0, kDamagedHdf5);
  check(H5Dread(dataset, type, H5S_ALL, H5S_ALL, transfer, &text) >= 0, "its ISMRMRD header is damaged");
  const std::string out = text ? text : "";
  std::free(text);
  return without_comments(out);
}

IsmrmrdSpace ismrmrd_space(std::string_view xml, const char* kind) {
  const std::string_view space = element(element(xml, "encoding"), kind), matrix = element(space, "matrixSize"),
                         field = element(space, "fieldOfView_mm");
  IsmrmrdSpace out{.matrix = {number_in(element(matrix, "z"), 1), number_in(element(matrix, "x"), 0), number_in(element(matrix, "y"), 0)}};
  const char* const axes[] = {"z", "x", "y"};
  for (int a = 0; a < 3 && !field.empty(); ++a) out.field[a] = length_in(element(field, axes[a]));
  return out;
}

IsmrmrdEncoding ismrmrd_encoding(std::string_view xml) {
  const std::string_view encoding = element(xml, "encoding");
  IsmrmrdEncoding out{.space = ismrmrd_space(xml, "encodedSpace")};
  out.d = out.space.matrix[0], out.h = out.space.matrix[1], out.w = out.space.matrix[2];
  for (int64_t n : {out.d, out.h, out.w})
    check(n >= 1 && n <= UINT16_MAX, "its ISMRMRD header has a matrix of ", out.h, " x ", out.w, " x ", out.d);
  const std::string_view trajectory = element(encoding, "trajectory"), limits = element(encoding, "encodingLimits");
  check(trajectory == "cartesian", "its trajectory is \"", std::string(trajectory.substr(0, kLongestQuote)),
        "\"; cartesian ones are read");
  out.centre = number_in(element(element(limits, "kspace_encoding_step_1"), "center"), out.w / 2);
  out.centre_plane = number_in(element(element(limits, "kspace_encoding_step_2"), "center"), out.d / 2);
  const std::string_view calibration = element(element(encoding, "parallelImaging"), "calibrationMode");
  out.calibrated_within = calibration == "embedded" || calibration == "interleaved";
  return out;
}

}  // namespace voxgrad
