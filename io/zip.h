#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace voxgrad {

// A file in a zip archive (APPNOTE.TXT of PKWARE; with its 64-bit sizes).
struct ZipEntry {
  std::string name;
  uint64_t offset = 0;  // of its local header
  uint64_t packed = 0, size = 0;
  uint32_t checksum = 0;  // CRC-32 of its bytes
  bool deflated = false;
};

bool is_zip(const std::filesystem::path&);
// Every entry lies within the file and announces no more bytes than deflate can make of it. Encrypted entries, other methods and archives
// in several parts are refused.
std::vector<ZipEntry> zip_entries(const std::filesystem::path&);
// Its bytes, or the first `most` of them; whole ones are held against the checksum.
std::vector<std::byte> zip_bytes(const std::filesystem::path&, const ZipEntry&, uint64_t most = UINT64_MAX);

// An archive of these files, stored as they are; below 4 GB each and together.
struct ZipFile {
  std::string name;
  std::vector<std::span<const std::byte>> pieces;
};
void write_zip(const std::filesystem::path&, const std::vector<ZipFile>&);

}  // namespace voxgrad
