#include "io/zip.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/formats/byte_source.h"
#include "io/formats/gzip.h"
#include "io/zip_format.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr uint64_t kEndSize = 22, kLongestComment = 65535, kCentralSize = 46;
constexpr uint64_t kMostBytes = 0xfffffffe;  // without 64-bit sizes
static_assert(std::endian::native == std::endian::little);

template <class T>
T at(std::span<const std::byte> bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

std::vector<std::byte> range(ByteSource& source, uint64_t offset, uint64_t bytes, const char* what) {
  check(offset <= source.file_size() && bytes <= source.file_size() - offset, source.name(), ": the archive is damaged: ", what,
        " would end behind the file");
  std::vector<std::byte> out(bytes);
  source.seek(offset, false);
  source.read(out.data(), bytes);
  return out;
}

struct Directory {
  uint64_t offset, bytes, entries;
};

Directory directory_of(ByteSource& source) {
  const std::string& who = source.name();
  const uint64_t tail = std::min(source.file_size(), kEndSize + kLongestComment), begin = source.file_size() - tail;
  const auto bytes = range(source, begin, tail, "its end");
  uint64_t end = tail;
  for (uint64_t i = tail; i-- > 0 && end == tail;)
    if (i + kEndSize <= tail && at<uint32_t>(bytes, i) == zip::kEnd) end = i;
  check(end < tail, who, ": is no zip archive, or its end is missing");
  const std::span<const std::byte> e = std::span(bytes).subspan(end);
  check(at<uint16_t>(e, 4) == 0 && at<uint16_t>(e, 6) == 0, who, ": is one part of a zip archive of several");
  Directory d{.offset = at<uint32_t>(e, 16), .bytes = at<uint32_t>(e, 12), .entries = at<uint16_t>(e, 10)};
  if (begin + end >= 20) {
    const auto locator = range(source, begin + end - 20, 20, "its end");
    if (at<uint32_t>(locator, 0) == zip::kLocator64) {
      const auto wide = range(source, at<uint64_t>(locator, 8), 56, "its 64-bit end");
      check(at<uint32_t>(wide, 0) == zip::kEnd64, who, ": the archive is damaged: its 64-bit end is not where it says");
      d = {.offset = at<uint64_t>(wide, 48), .bytes = at<uint64_t>(wide, 40), .entries = at<uint64_t>(wide, 32)};
    }
  }
  return d;
}

// 64-bit sizes from the extra field, for those that are all ones.
void widen(ZipEntry& e, std::span<const std::byte> extra) {
  for (size_t i = 0; i + 4 <= extra.size();) {
    const auto id = at<uint16_t>(extra, i), length = at<uint16_t>(extra, i + 2);
    size_t next = i + 4;
    i += 4 + size_t(length);
    if (id != zip::kExtra64 || i > extra.size()) continue;
    for (uint64_t* value : {&e.size, &e.packed, &e.offset}) {
      if (*value != 0xffffffff || next + 8 > i) continue;
      *value = at<uint64_t>(extra, next);
      next += 8;
    }
  }
}

}  // namespace

bool is_zip(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  uint32_t magic = 0;
  return source.read_some(&magic, 4) == 4 && (magic == zip::kLocal || magic == zip::kEnd);
}

std::vector<ZipEntry> zip_entries(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  const std::string& who = source.name();
  const Directory d = directory_of(source);
  const auto bytes = range(source, d.offset, d.bytes, "its directory");
  check(d.entries <= d.bytes / kCentralSize, who, ": the archive is damaged: its directory is too short for ", d.entries, " files");
  std::vector<ZipEntry> out;
  size_t i = 0;
  for (uint64_t n = 0; n < d.entries; ++n) {
    const auto rest = std::span(bytes).subspan(i);
    check(rest.size() >= kCentralSize && at<uint32_t>(rest, 0) == zip::kCentral, who, ": the archive is damaged: its directory is broken");
    const size_t name = at<uint16_t>(rest, 28), extra = at<uint16_t>(rest, 30), comment = at<uint16_t>(rest, 32);
    check(rest.size() >= kCentralSize + name + extra + comment, who, ": the archive is damaged: its directory is broken");
    ZipEntry e{.name = std::string(reinterpret_cast<const char*>(rest.data()) + kCentralSize, name),
               .offset = at<uint32_t>(rest, 42),
               .packed = at<uint32_t>(rest, 20),
               .size = at<uint32_t>(rest, 24),
               .checksum = at<uint32_t>(rest, 16)};
    widen(e, rest.subspan(kCentralSize + name, extra));
    const auto method = at<uint16_t>(rest, 10);
    check((at<uint16_t>(rest, 8) & 1) == 0, who, ": its file ", e.name, " is encrypted");
    check(method == zip::kStored || method == zip::kDeflated, who, ": its file ", e.name, " is packed by method ", method,
          "; stored and deflated ones are read");
    e.deflated = method == zip::kDeflated;
    check(e.offset <= source.file_size() && e.packed <= source.file_size() - e.offset, who, ": its file ",
          e.name, " would end behind the archive");
    check(e.deflated ? e.size / kMostInflation <= e.packed : e.size == e.packed, who, ": its file ", e.name, " announces ", e.size,
          " bytes, packed in ", e.packed, ", which is not possible");
    out.push_back(std::move(e));
    i += kCentralSize + name + extra + comment;
  }
  return out;
}

std::vector<std::byte> zip_bytes(const fs::path& path, const ZipEntry& e, uint64_t most) {
  ZipStream stream(path, e);
  std::vector<std::byte> out(std::min(most, e.size));
  stream.read(out.data(), out.size());
  return out;
}

void write_zip(const fs::path& path, const std::vector<ZipFile>& files) {
  AtomicFile out(path);
  std::string directory;
  uint64_t written = 0;
  const auto put = [](std::string& to, auto... values) { (to.append(reinterpret_cast<const char*>(&values), sizeof values), ...); };
  constexpr uint16_t kVersion = 20, kNone = 0, kDate = 0x21;  // 1980-01-01: the same bytes whenever it is written
  for (const ZipFile& f : files) {
    uint64_t size = 0;
    uLong checksum = crc32_z(0, nullptr, 0);
    for (auto& piece : f.pieces) {
      size += piece.size();
      checksum = crc32_z(checksum, reinterpret_cast<const Bytef*>(piece.data()), piece.size());
    }
    check(written + size + directory.size() < kMostBytes, "cannot write ", path.string(), ": an archive of 4 GB or more");
    const auto common = [&](std::string& to) {
      put(to, kVersion, kNone, zip::kStored, kNone, kDate, uint32_t(checksum), uint32_t(size), uint32_t(size), uint16_t(f.name.size()));
    };
    std::string local;
    put(local, zip::kLocal);
    common(local);
    put(local, kNone);
    local += f.name;
    put(directory, zip::kCentral, kVersion);
    common(directory);
    put(directory, kNone, kNone, kNone, kNone, uint32_t(0), uint32_t(written));
    directory += f.name;
    out.write(local);
    for (auto& piece : f.pieces) out.write(piece.data(), piece.size());
    written += local.size() + size;
  }
  std::string end;
  put(end, zip::kEnd, kNone, kNone, uint16_t(files.size()), uint16_t(files.size()), uint32_t(directory.size()), uint32_t(written), kNone);
  out.write(directory);
  out.write(end);
  out.commit();
}

}  // namespace voxgrad
