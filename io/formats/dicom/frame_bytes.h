#pragma once
#include "io/formats/dicom/planes.h"

namespace voxgrad::dicom {

// How the voxels of a file are kept: plainly, or in parts that only a library decodes (JPEG and its kin).
enum class Coding { plain, parts, rle, deflated, library };
// Fails for a transfer syntax that is not read.
Coding coding_of(const PixelFormat&, const DicomFile&);

// One frame as its bytes stand in a file without compression: `format` afterwards says how (by_plane, big). Plain frames are not copied
// where they begin at a byte: 1-bit voxels come packed, the first in bit `bit`.
struct FrameBytes {
  std::span<const std::byte> bytes;
  size_t bit = 0;
  bool by_plane = false, big = false;
  int allocated = 8;
};
class FrameReader {
 public:
  FrameReader(const DicomFile&, const PixelFormat&);
  Coding coding() const { return coding_; }
  // Valid until the next call. Not for Coding::library.
  FrameBytes frame(int64_t k);
  // A file of its own with one frame and nothing but what a decoder needs, for Coding::library.
  std::string coded_file(int64_t k) const;

 private:
  std::vector<std::byte> part(int64_t k) const;  // the joined parts of a frame
  const DicomFile& file_;
  PixelFormat format_;
  Coding coding_;
  std::vector<std::vector<std::span<const std::byte>>> parts_;  // by frame
  std::vector<std::byte> scratch_;
};

// What the library decodes: each as interleaved samples in the machine's order, of `bytes` bytes. One error names `who`.
struct CodedFrame {
  std::string who, file;
  uint64_t bytes = 0;
};
std::vector<std::vector<std::byte>> decode_frames(const std::vector<CodedFrame>&);

// PackBits of DICOM (PS3.5 annex G): segments of one byte of one sample each, most significant first.
std::vector<std::byte> decode_rle(std::span<const std::byte>, uint64_t pixels, int samples, int bytes, const std::string& who);

}  // namespace voxgrad::dicom
