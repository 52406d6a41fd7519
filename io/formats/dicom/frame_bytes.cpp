#include "io/formats/dicom/frame_bytes.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "io/formats/dicom/element_writer.h"

namespace voxgrad::dicom {
namespace {
using Span = std::span<const std::byte>;
constexpr std::string_view kJpegs = "1.2.840.10008.1.2.4.";
constexpr const char* kJpeg2000 = "1.2.840.10008.1.2.4.90";

// Codes of images start with "start of image" or "start of codestream".
bool starts_image(Span s) { return s.size() >= 2 && s[0] == std::byte(0xff) && (s[1] == std::byte(0xd8) || s[1] == std::byte(0x4f)); }

// Parts by frame: one each, or by the offset table, or by where a code starts.
std::vector<std::vector<Span>> parts_of(const DicomFile& f, int64_t frames) {
  std::vector<Span> all = fragments(*f.source, *f.pixels());
  check(!all.empty(), f.who(), ": is malformed: its compressed voxels have no parts");
  const Span table = all[0];
  all.erase(all.begin());
  std::vector<std::vector<Span>> out(static_cast<size_t>(frames));
  check(all.size() >= out.size(), f.who(), ": is cut off or malformed: it announces ", frames, " frames but holds ", all.size(),
        " compressed parts");
  if (frames == 1) return {all};
  if (all.size() == out.size()) {
    for (size_t k = 0; k < out.size(); ++k) out[k] = {all[k]};
    return out;
  }
  std::vector<const std::byte*> starts;
  for (size_t k = 0; k < out.size() && table.size() >= 4 * out.size(); ++k) {
    const uint64_t offset = unsigned_at(table.data() + 4 * k, 4, false);
    starts.push_back(all[0].data() + std::min<uint64_t>(offset, f.source->bytes.size()));
  }
  size_t k = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const bool next = starts.empty() ? starts_image(all[i]) : k + 1 < out.size() && all[i].data() >= starts[k + 1];
    if (i > 0 && next) ++k;
    check(k < out.size(), f.who(), ": is malformed: its compressed parts begin more than ", frames, " frames");
    out[k].push_back(all[i]);
  }
  check(k + 1 == out.size(), f.who(), ": is malformed: its ", all.size(), " compressed parts begin ", k + 1, " frames, wanted ", frames);
  return out;
}

// JPEG 2000 of 1-bit samples as one of 8 bits, whose shift of signs makes 127 of 0 and 128 of 1: the value is bit 7 (ISO 15444-1, A.5.1).
void widen_one_bit(std::vector<std::byte>& code) {
  constexpr size_t kDepth = 42;  // of the only component: depth - 1
  if (code.size() > kDepth && code[1] == std::byte(0x4f) && code[kDepth] == std::byte(0)) code[kDepth] = std::byte(7);
}

std::vector<std::byte> inflate_frame(Span from, uint64_t bytes, const std::string& who) {
  std::vector<std::byte> out(bytes);
  z_stream z{};
  check(inflateInit2(&z, -15) == Z_OK, who, ": no memory to inflate it");
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data()));
  z.avail_in = uInt(from.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = uInt(bytes);
  inflate(&z, Z_FINISH);
  const bool whole = z.avail_out == 0;
  inflateEnd(&z);
  check(whole, who, ": its deflated voxels are cut off or corrupt");
  return out;
}
}  // namespace

Coding coding_of(const PixelFormat& p, const DicomFile& f) {
  const std::string& s = p.syntax;
  if (!f.pixels()->undefined) {
    check(!s.starts_with(kJpegs) && s != "1.2.840.10008.1.2.5", f.who(), ": announces compressed voxels (", s,
          ") but they are not in parts");
    return Coding::plain;
  }
  if (s == "1.2.840.10008.1.2.5") return Coding::rle;
  if (s == "1.2.840.10008.1.2.8.1") return Coding::deflated;
  if (s == "1.2.840.10008.1.2.1.98") return Coding::parts;
  check(s.starts_with(kJpegs), f.who(), ": its voxels are in the transfer syntax ", s,
        ", which is not read; convert it, for example with dcmconv");
  return Coding::library;
}

FrameReader::FrameReader(const DicomFile& f, const PixelFormat& format) : file_(f), format_(format), coding_(coding_of(format, f)) {
  if (coding_ != Coding::plain) parts_ = parts_of(f, format.frames);
}

std::vector<std::byte> FrameReader::part(int64_t k) const {
  std::vector<std::byte> out;
  for (const Span s : parts_[size_t(k)]) out.insert(out.end(), s.begin(), s.end());
  return out;
}

FrameBytes FrameReader::frame(int64_t k) {
  const PixelFormat& p = format_;
  const auto voxels = uint64_t(p.rows) * uint64_t(p.columns);
  const bool halved = p.photometric == "YBR_FULL_422";
  const uint64_t bits = voxels * uint64_t(p.samples) * uint64_t(p.allocated) / (halved ? 3 : 1) * (halved ? 2 : 1);
  FrameBytes out{.by_plane = p.by_plane, .big = p.big, .allocated = p.allocated};
  if (coding_ == Coding::plain) {
    const Element& e = *file_.pixels();
    const uint64_t first = bits * uint64_t(k);
    check((first + bits + 7) / 8 <= e.value.size(), file_.who(), ": is cut off: its voxels need ", (first + bits + 7) / 8,
          " bytes, it holds ", e.value.size());
    out.bytes = e.value.subspan(first / 8, (first % 8 + bits + 7) / 8);
    out.bit = first % 8;
    // In words of 16 bits, big-endian, single bytes stand the other way round.
    if (p.big && p.allocated <= 8 && e.is("OW")) {
      scratch_.resize(e.value.size() - e.value.size() % 2);
      for (size_t i = 0; i + 1 < e.value.size(); i += 2) scratch_[i] = e.value[i + 1], scratch_[i + 1] = e.value[i];
      check(first / 8 + out.bytes.size() <= scratch_.size(), file_.who(), ": is cut off: its voxels have an odd number of bytes");
      out.bytes = Span(scratch_).subspan(first / 8, out.bytes.size());
    }
    return out;
  }
  out.big = false;
  std::vector<std::byte> joined = part(k);
  const uint64_t wanted = (bits + 7) / 8;
  if (coding_ == Coding::deflated) {
    scratch_ = inflate_frame(joined, wanted, file_.who());
  } else if (coding_ == Coding::rle) {
    const bool packed = p.allocated == 1;
    scratch_ = decode_rle(joined, packed ? wanted : voxels, int(p.samples), packed ? 1 : p.allocated / 8, file_.who());
    out.by_plane = false;
  } else {
    scratch_ = std::move(joined);
  }
  check(scratch_.size() >= wanted, file_.who(), ": is cut off: a frame needs ", wanted, " bytes, it has ", scratch_.size());
  out.bytes = scratch_;
  return out;
}

std::string FrameReader::coded_file(int64_t k) const {
  const PixelFormat& p = format_;
  std::vector<std::byte> code = part(k);
  if (p.is_widened()) widen_one_bit(code);
  const int allocated = std::max(p.allocated, 8), stored = allocated == 8 ? 8 : p.stored;  // GDCM gives up on fewer than 8
  Elements e;
  e.text(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7"), e.text(0x00080018, "UI", "2.25.1");
  e.number(0x00280002, int(p.samples));
  e.text(0x00280004, "CS", p.photometric.empty() || p.has_palette() ? "MONOCHROME2" : p.photometric);
  if (p.samples > 1) e.number(0x00280006, p.by_plane);
  e.number(0x00280010, int(p.rows)), e.number(0x00280011, int(p.columns));
  e.number(0x00280100, allocated), e.number(0x00280101, stored);
  e.number(0x00280102, allocated == 8 ? 7 : p.high), e.number(0x00280103, p.is_signed);
  e.coded_pixels(std::string(reinterpret_cast<const char*>(code.data()), code.size()));
  // High-throughput JPEG 2000 is told by its code.
  const std::string syntax = p.syntax.starts_with("1.2.840.10008.1.2.4.20") ? kJpeg2000 : p.syntax;
  return dicom_file_of("1.2.840.10008.5.1.4.1.1.7", "2.25.1", syntax, e);
}

std::vector<std::byte> decode_rle(Span code, uint64_t pixels, int samples, int bytes, const std::string& who) {
  constexpr size_t kHeader = 64;
  const auto segments = uint64_t(samples) * uint64_t(bytes);
  check(code.size() >= kHeader && unsigned_at(code.data(), 4, false) == segments, who,
        ": its run lengths are malformed: ", code.size() < kHeader ? 0 : unsigned_at(code.data(), 4, false), " segments, wanted ",
        segments);
  std::vector<std::byte> out(pixels * segments);
  for (uint64_t s = 0; s < segments; ++s) {
    size_t at = unsigned_at(code.data() + 4 + 4 * s, 4, false);
    check(at >= kHeader && at <= code.size(), who, ": its run lengths are malformed: a segment begins at byte ", at, " of ", code.size());
    // Sample s / bytes, byte s % bytes from the most significant one.
    std::byte* to = out.data() + s / uint64_t(bytes) * uint64_t(bytes) + (uint64_t(bytes) - 1 - s % uint64_t(bytes));
    uint64_t done = 0;
    while (done < pixels && at < code.size()) {
      const int n = int(int8_t(code[at++]));
      const uint64_t run = n >= 0 ? uint64_t(n) + 1 : n == -128 ? 0 : uint64_t(1 - n);
      for (uint64_t i = 0; i < run && done < pixels && at < code.size(); ++i, ++done) to[done * segments] = code[n >= 0 ? at++ : at];
      if (n < 0 && n != -128) ++at;
    }
    check(done == pixels, who, ": its run lengths are cut off: ", done, " of ", pixels, " voxels of a segment are there");
  }
  return out;
}

#ifndef VOXGRAD_WITH_ITK
std::vector<std::vector<std::byte>> decode_frames(const std::vector<CodedFrame>& frames) {
  fail(frames.at(0).who, ": its voxels are compressed by JPEG or one of its kin; this build of voxgrad has no ITK, which decodes them");
}
#endif

}  // namespace voxgrad::dicom
