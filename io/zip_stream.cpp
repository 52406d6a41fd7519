// Entries of a zip archive read and written in pieces; sizes are of 64 bits.
#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/formats/byte_source.h"
#include "io/formats/gzip.h"
#include "io/zip.h"
#include "io/zip_format.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr uint64_t kLocalSize = 30;
constexpr uint16_t kVersion64 = 45, kNone = 0, kDate = 0x21;  // 1980-01-01: the same bytes at any time
constexpr uint32_t kWide = 0xffffffff;  // the number is in the extra field

void put(std::string& to, auto... values) { (to.append(reinterpret_cast<const char*>(&values), sizeof values), ...); }
}  // namespace

struct ZipStream::State {
  ByteSource source;
  ZipEntry entry;
  uint64_t left = 0, packed = 0;  // bytes
  uint32_t checksum = 0;
  z_stream z = {};
  bool inflating = false;
  std::vector<std::byte> buffer;

  State(const fs::path& path, const ZipEntry& e) : source(path, ByteSource::Coding::plain), entry(e), left(e.size), packed(e.packed) {
    unsigned char head[kLocalSize];
    source.seek(e.offset, false);
    source.read(head, sizeof head);
    uint32_t magic;
    uint16_t name, extra;
    std::memcpy(&magic, head, 4), std::memcpy(&name, head + 26, 2), std::memcpy(&extra, head + 28, 2);
    check(magic == zip::kLocal, source.name(), ": the archive is damaged: ", e.name, " is not where it says");
    source.skip(uint64_t(name) + extra);
    check(e.packed <= source.file_size() - std::min(source.position(), source.file_size()), source.name(), ": its file ", e.name,
          " would end behind the archive");
    if (!e.deflated) return;
    check(inflateInit2(&z, -15) == Z_OK, source.name(), ": no memory to inflate it");
    inflating = true;
    buffer.resize(64 << 10);
  }
  ~State() {
    if (inflating) inflateEnd(&z);
  }

  void inflate_to(unsigned char* to, uint64_t bytes) {
    for (uint64_t done = 0; done < bytes;) {
      if (z.avail_in == 0) {
        const uint64_t n = std::min<uint64_t>(packed, buffer.size());
        check(n > 0, source.name(), ": the compressed data is truncated");
        source.read(buffer.data(), n);
        packed -= n;
        z.next_in = reinterpret_cast<Bytef*>(buffer.data()), z.avail_in = uInt(n);
      }
      const uint64_t piece = std::min<uint64_t>(bytes - done, 1 << 30);
      z.next_out = to + done, z.avail_out = uInt(piece);
      const int status = inflate(&z, Z_NO_FLUSH);
      done += piece - z.avail_out;
      check(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR, source.name(), ": the compressed data is corrupt");
      check(status != Z_STREAM_END || done == bytes, source.name(), ": the compressed data is truncated");
    }
  }
};

ZipStream::ZipStream(const fs::path& path, const ZipEntry& e) : state_(new State(path, e)) {}
ZipStream::~ZipStream() = default;
ZipStream::ZipStream(ZipStream&&) noexcept = default;

void ZipStream::read(void* to, uint64_t bytes) {
  State& s = *state_;
  check(bytes <= s.left, s.source.name(), ": ", s.entry.name, " has ", s.left, " bytes left, wanted ", bytes);
  if (s.entry.deflated) s.inflate_to(static_cast<unsigned char*>(to), bytes);
  else s.source.read(to, bytes);
  s.left -= bytes;
  s.checksum = uint32_t(crc32_z(s.checksum, static_cast<const Bytef*>(to), bytes));
  check(s.left > 0 || s.checksum == s.entry.checksum, s.source.name(), ": the bytes of ", s.entry.name, " do not have their checksum");
}

struct ZipWriter::State {
  AtomicFile file;
  fs::path path;
  int level;
  std::string directory, name;
  uint64_t written = 0, entries = 0, begin = 0, data = 0;
  std::unique_ptr<Deflater> deflater;

  void emit(const void* bytes, size_t n) {
    file.write(bytes, n);
    written += n;
  }
};

ZipWriter::ZipWriter(const fs::path& path, int level) : state_(new State{.file = AtomicFile(path), .path = path, .level = level}) {}
ZipWriter::~ZipWriter() = default;

void ZipWriter::begin(const std::string& name) {
  if (state_->deflater) end();
  State& s = *state_;
  s.name = name, s.begin = s.written;
  std::string local;
  put(local, zip::kLocal, kVersion64, kNone, zip::kDeflated, kNone, kDate, uint32_t(0), kWide, kWide, uint16_t(name.size()), uint16_t(20));
  local += name;
  put(local, zip::kExtra64, uint16_t(16), uint64_t(0), uint64_t(0));
  s.emit(local.data(), local.size());
  s.data = s.written;
  s.deflater = std::make_unique<Deflater>([&s](const void* data, size_t n) { s.emit(data, n); }, s.level);
}

void ZipWriter::write(std::span<const std::byte> bytes) { state_->deflater->write(bytes); }

// Checksum and sizes are known now and written where they belong.
void ZipWriter::end() {
  State& s = *state_;
  s.deflater->finish();
  const uint64_t size = s.deflater->bytes(), packed = s.written - s.data;
  const uint32_t checksum = s.deflater->checksum();
  s.deflater.reset();
  const int file = open(s.file.temporary().c_str(), O_WRONLY | O_CLOEXEC);
  check(file >= 0, "cannot write ", s.path.string(), ": its temporary file is gone");
  const uint64_t sizes[2] = {size, packed};
  const bool done = pwrite(file, &checksum, 4, off_t(s.begin + 14)) == 4 && pwrite(file, sizes, 16, off_t(s.data - 16)) == 16;
  close(file);
  check(done, "cannot write ", s.path.string(), ": ", std::strerror(errno));
  put(s.directory, zip::kCentral, kVersion64, kVersion64, kNone, zip::kDeflated, kNone, kDate, checksum, kWide, kWide,
      uint16_t(s.name.size()), uint16_t(28), kNone, kNone, kNone, uint32_t(0), kWide);
  s.directory += s.name;
  put(s.directory, zip::kExtra64, uint16_t(24), size, packed, s.begin);
  ++s.entries;
}

void ZipWriter::commit() {
  if (state_->deflater) end();
  State& s = *state_;
  std::string tail;
  put(tail, zip::kEnd64, uint64_t(44), kVersion64, kVersion64, uint32_t(0), uint32_t(0), s.entries, s.entries, uint64_t(s.directory.size()),
      s.written);
  put(tail, zip::kLocator64, uint32_t(0), uint64_t(s.written + s.directory.size()), uint32_t(1));
  put(tail, zip::kEnd, kNone, kNone, uint16_t(0xffff), uint16_t(0xffff), kWide, kWide, kNone);
  s.file.write(s.directory);
  s.file.write(tail);
  s.file.commit();
}

}  // namespace voxgrad
