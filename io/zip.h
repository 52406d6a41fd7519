#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
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

// The bytes of an entry in their order.
class ZipStream {
 public:
  ZipStream(const std::filesystem::path&, const ZipEntry&);
  ~ZipStream();
  ZipStream(ZipStream&&) noexcept;
  // Exactly so many, or an Error. With the last one all of them are held against the checksum.
  void read(void* to, uint64_t bytes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// An archive of any size, deflated, whose files are written one after the other in pieces. It appears complete under its name or not at
// all.
class ZipWriter {
 public:
  explicit ZipWriter(const std::filesystem::path&, int level = 5);
  ~ZipWriter();
  void begin(const std::string& name);
  void write(std::span<const std::byte>);
  void commit();

 private:
  struct State;
  void end();
  std::unique_ptr<State> state_;
};

}  // namespace voxgrad
