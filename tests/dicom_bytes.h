#pragma once
#include <map>
#include <string>
#include <vector>

#include "io/formats/dicom/element_writer.h"

namespace voxgrad {

// A DICOM data set for tests, whose elements may be given in any order and replaced.
class DicomBytes {
 public:
  DicomBytes& text(uint32_t tag, const char* vr, const std::string& value) {
    return put(tag, [&](dicom::Elements& e) { e.text(tag, vr, value); });
  }
  DicomBytes& whole(uint32_t tag, int value) {
    return put(tag, [&](dicom::Elements& e) { e.number(tag, value); });
  }
  DicomBytes& numbers(uint32_t tag, const char* vr, std::initializer_list<uint32_t> values) {
    return put(tag, [&](dicom::Elements& e) { e.numbers(tag, vr, values); });
  }
  DicomBytes& real(uint32_t tag, double value) {  // FD
    return put(tag, [&](dicom::Elements& e) { e.bytes(tag, "FD", &value, sizeof value); });
  }
  DicomBytes& bytes(uint32_t tag, const char* vr, const std::string& value) {
    return put(tag, [&](dicom::Elements& e) { e.bytes(tag, vr, value.data(), value.size()); });
  }
  DicomBytes& sequence(uint32_t tag, const std::vector<DicomBytes>& items) {
    std::vector<std::string> contents;
    for (const DicomBytes& i : items) contents.push_back(i.str());
    return put(tag, [&](dicom::Elements& e) { e.sequence(tag, contents); });
  }
  DicomBytes& erase(uint32_t tag) {
    elements_.erase(tag);
    return *this;
  }
  DicomBytes& pixels(const std::vector<int>& values) {  // of 16 bits
    std::string b;
    for (const int v : values) b += {char(v & 255), char(v >> 8 & 255)};
    return bytes(0x7fe00010, "OW", b);
  }
  std::string str() const {
    std::string out;
    for (const auto& [tag, element] : elements_) out += element;
    return out;
  }
  std::string file(const std::string& syntax = "1.2.840.10008.1.2.1") const {
    dicom::Elements none;
    return dicom::dicom_file_of("1.2", "1.2.3", syntax, none) + str();
  }

 private:
  template <class Write>
  DicomBytes& put(uint32_t tag, Write&& write) {
    dicom::Elements e;
    write(e);
    elements_[tag] = e.str();
    return *this;
  }
  std::map<uint32_t, std::string> elements_;
};

// An image of 2 x 3 voxels (rows x columns), 16 bits, without a place: values first, first + 1 ..
inline DicomBytes small_image(int first, const std::string& series = "1.2.3", const char* sop_class = "1.2.840.10008.5.1.4.1.1.4") {
  DicomBytes d;
  d.text(0x00080016, "UI", sop_class).text(0x00080060, "CS", "MR").text(0x0020000e, "UI", series);
  d.whole(0x00280002, 1).text(0x00280004, "CS", "MONOCHROME2").whole(0x00280010, 2).whole(0x00280011, 3);
  d.whole(0x00280100, 16).whole(0x00280101, 16).whole(0x00280102, 15).whole(0x00280103, 1).text(0x00280030, "DS", "2\\3");
  return d.pixels({first, first + 1, first + 2, first + 3, first + 4, first + 5});
}
// The same, axial at z mm.
inline DicomBytes slice_at(double z, int first, const std::string& series = "1.2.3") {
  DicomBytes d = small_image(first, series);
  static int instance = 0;
  d.text(0x00080018, "UI", "1.9." + std::to_string(++instance)).text(0x00180050, "DS", "5");
  return d.text(0x00200032, "DS", dicom::decimals({-10, -20, z})).text(0x00200037, "DS", "1\\0\\0\\0\\1\\0");
}

// A multi-frame object whose frames lie at z mm each; `more(k, item)` adds to the groups of frame k. Values 100 k ..
template <class More>
DicomBytes multi_frame(const std::vector<double>& z, More&& more) {
  DicomBytes d = small_image(0, "1.2.4", "1.2.840.10008.5.1.4.1.1.4.1");
  d.erase(0x00280030).text(0x00280008, "IS", std::to_string(z.size()));
  DicomBytes orientation, measures, shared;
  orientation.text(0x00200037, "DS", "1\\0\\0\\0\\1\\0");
  measures.text(0x00180050, "DS", "5").text(0x00280030, "DS", "2\\3");
  shared.sequence(0x00209116, {orientation}).sequence(0x00289110, {measures});
  std::vector<DicomBytes> frames;
  std::vector<int> values;
  for (size_t k = 0; k < z.size(); ++k) {
    DicomBytes position, item;
    position.text(0x00200032, "DS", dicom::decimals({-10, -20, z[k]}));
    item.sequence(0x00209113, {position});
    more(k, item);
    frames.push_back(item);
    for (int i = 0; i < 6; ++i) values.push_back(int(100 * k) + i);
  }
  return d.sequence(0x52009229, {shared}).sequence(0x52009230, frames).pixels(values);
}

}  // namespace voxgrad
