#pragma once
// A DICOM file (PS3.10): its elements, whatever it is of.
#include <filesystem>
#include <memory>

#include "io/formats/dicom/data_set.h"

namespace voxgrad::dicom {

namespace fs = std::filesystem;

namespace tag {
constexpr uint32_t transfer_syntax = 0x00020010, media_class = 0x00020002;
constexpr uint32_t image_type = 0x00080008, sop_class = 0x00080016, sop_instance = 0x00080018, modality = 0x00080060;
constexpr uint32_t series_description = 0x0008103e, frame_type = 0x00089007;
constexpr uint32_t slice_thickness = 0x00180050, between_slices = 0x00180088;
constexpr uint32_t patient_id = 0x00100020;
constexpr uint32_t study_instance = 0x0020000d, series_instance = 0x0020000e, series_number = 0x00200011, instance_number = 0x00200013;
constexpr uint32_t position = 0x00200032, orientation = 0x00200037, frame_of_reference = 0x00200052;
constexpr uint32_t samples = 0x00280002, photometric = 0x00280004, planar = 0x00280006, frames = 0x00280008, rows = 0x00280010;
constexpr uint32_t columns = 0x00280011, pixel_spacing = 0x00280030, bits_allocated = 0x00280100, bits_stored = 0x00280101;
constexpr uint32_t high_bit = 0x00280102, is_signed = 0x00280103, intercept = 0x00281052, slope = 0x00281053;
constexpr uint32_t modality_table = 0x00283000, table_descriptor = 0x00283002, table_data = 0x00283006;
constexpr uint32_t shared_groups = 0x52009229, frame_groups = 0x52009230;
constexpr uint32_t float_pixels = 0x7fe00008, double_pixels = 0x7fe00009, pixels = 0x7fe00010;
}  // namespace tag

struct DicomFile {
  fs::path path;
  std::unique_ptr<Source> source;
  std::unique_ptr<void, void (*)(void*)> memory{nullptr, nullptr};  // what holds the bytes
  DataSet meta, data;                                               // group 0002, the others
  std::string syntax;                                               // its transfer syntax

  std::string who() const { return source->name; }
  std::string sop_class() const;
  // Voxels of any of the three elements; null: an object without.
  const Element* pixels() const;
};

// A file that says that it is DICOM, or does not and has the elements of one. Gzip and a deflated data set are inflated.
DicomFile open_dicom(const fs::path&);

// What an object is, in words, by its SOP class: "a radiotherapy structure set (RTSTRUCT)".
std::string kind_of(const DicomFile&);
// Why the voxels of an object are not read and what to do; nothing to say about an image.
[[noreturn]] void refuse_without_pixels(const DicomFile&);

}  // namespace voxgrad::dicom
