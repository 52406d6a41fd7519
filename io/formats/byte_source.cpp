#include "io/formats/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>

#include "core/error.h"
#include "io/formats/gzip.h"

namespace voxgrad {
namespace {
constexpr size_t kBuffer = 256 << 10, kLongestLine = 1 << 20;
constexpr int kAutoDetect = 15 + 32;  // inflateInit2: gzip or zlib
}  // namespace

ByteSource::ByteSource(const std::filesystem::path& path, Coding coding) : name_(path.string()) {
  struct stat status;
  check(stat(name_.c_str(), &status) == 0, name_, ": ", std::strerror(errno));
  check(S_ISREG(status.st_mode), name_, ": is not a file");
  file_ = open(name_.c_str(), O_RDONLY | O_CLOEXEC);
  check(file_ >= 0, name_, ": ", std::strerror(errno));
  file_size_ = uint64_t(status.st_size);
  if (coding == Coding::plain) return;
  unsigned char magic[2];
  if (file_size_ >= 2 && pread(file_, magic, 2, 0) == 2 && magic[0] == 0x1f && magic[1] == 0x8b) seek(0, true);
}

ByteSource::~ByteSource() {
  if (inflater_) inflateEnd(inflater_.get());
  if (file_ >= 0) close(file_);
}

void ByteSource::seek(uint64_t offset, bool compressed) {
  check(offset <= file_size_, name_, ": its data should start at byte ", offset, ", but the file has ", file_size_, " bytes");
  position_ = offset;
  if (inflater_) inflateEnd(inflater_.get());
  inflater_.reset();
  if (!compressed) return;
  inflater_ = std::make_unique<z_stream>();
  std::memset(inflater_.get(), 0, sizeof(z_stream));
  check(inflateInit2(inflater_.get(), kAutoDetect) == Z_OK, name_, ": no memory to inflate it");
  buffer_.resize(kBuffer);
  ended_ = false;
}

uint64_t ByteSource::read_file(void* to, uint64_t bytes) {
  uint64_t done = 0;
  while (done < bytes) {
    const ssize_t got = pread(file_, static_cast<char*>(to) + done, std::min<uint64_t>(bytes - done, 1 << 30), off_t(position_));
    if (got < 0 && errno == EINTR) continue;
    check(got >= 0, name_, ": ", std::strerror(errno));
    if (got == 0) break;
    done += uint64_t(got), position_ += uint64_t(got);
  }
  return done;
}

bool ByteSource::refill() {
  inflater_->avail_in = uInt(read_file(buffer_.data(), buffer_.size()));
  inflater_->next_in = buffer_.data();
  return inflater_->avail_in > 0;
}

uint64_t ByteSource::at_most() const {
  const uint64_t left = file_size_ - std::min(position_, file_size_);
  if (!inflater_) return left;
  const uint64_t deflated = left + inflater_->avail_in;
  // What one call of inflate may still hold back is less than its window.
  return deflated > std::numeric_limits<uint64_t>::max() / kMostInflation - 1 ? deflated : deflated * kMostInflation + (32 << 10);
}

void ByteSource::expect(uint64_t wanted, const std::string& what) const {
  const uint64_t most = at_most();
  check(wanted <= most, name_, ": the header announces ", what, " of ", wanted, " bytes, but the file has ", file_size_, " bytes",
        inflater_ ? ", compressed" : "", ", which can hold no more than ", most, "; it is truncated or its header is wrong");
}

uint64_t ByteSource::read_some(void* to, uint64_t bytes) {
  if (!inflater_) return read_file(to, bytes);
  z_stream& z = *inflater_;
  uint64_t done = 0;
  while (done < bytes) {
    if (z.avail_in == 0 && !refill()) {
      check(ended_, name_, ": the compressed data is truncated");
      break;
    }
    if (ended_) {  // another gzip member may follow; anything else after the end is not ours
      if (z.avail_in < 2 || z.next_in[0] != 0x1f || z.next_in[1] != 0x8b) break;
      check(inflateReset(&z) == Z_OK, name_, ": cannot inflate it");
      ended_ = false;
    }
    const uint64_t piece = std::min<uint64_t>(bytes - done, 1 << 30);
    z.next_out = static_cast<Bytef*>(to) + done, z.avail_out = uInt(piece);
    const int status = inflate(&z, Z_NO_FLUSH);
    done += piece - z.avail_out;
    check(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR, name_, ": the compressed data is corrupt (",
          z.msg ? z.msg : "zlib cannot read it", ")");
    ended_ = status == Z_STREAM_END;
  }
  return done;
}

void ByteSource::read(void* to, uint64_t bytes) {
  const uint64_t got = read_some(to, bytes);
  check(got == bytes, name_, ": ends too early: ", bytes - got, " of ", bytes, " bytes are missing");
}

void ByteSource::skip(uint64_t bytes) {
  if (!inflater_) {
    check(bytes <= file_size_ - position_, name_, ": ends too early: its data should start after byte ", file_size_);
    position_ += bytes;
    return;
  }
  char scratch[4096];
  for (; bytes > 0; bytes -= std::min<uint64_t>(bytes, sizeof scratch)) read(scratch, std::min<uint64_t>(bytes, sizeof scratch));
}

bool ByteSource::read_line(std::string& line) {
  line.clear();
  char piece[512];
  for (;;) {
    const uint64_t got = read_some(piece, inflater_ ? 1 : sizeof piece);
    const char* end = static_cast<const char*>(std::memchr(piece, '\n', got));
    line.append(piece, end ? size_t(end - piece) : got);
    if (end) {
      position_ -= got - uint64_t(end - piece) - 1;
      if (line.ends_with('\r')) line.pop_back();
      return true;
    }
    if (got == 0) return !line.empty();
    check(line.size() <= kLongestLine, name_, ": a line of its header has no end");
  }
}

void ByteSource::finish() {
  if (!inflater_) return;
  std::vector<char> rest(64 << 10);
  while (read_some(rest.data(), rest.size()) > 0) {}
}

}  // namespace voxgrad
