#include "io/formats/dicom/dicom_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/formats/byte_source.h"
#include "io/formats/formats.h"

namespace voxgrad {

bool is_dicom(const std::filesystem::path& path) {
  ByteSource source(path);
  unsigned char b[132] = {};
  const uint64_t got = source.read_some(b, sizeof b);
  if (got == sizeof b && std::memcmp(b + 128, "DICM", 4) == 0) return true;
  // Without the preamble: the first element belongs to group 0002 or 0008, little-endian.
  return got >= 16 && (b[0] == 2 || b[0] == 8) && b[1] == 0 && b[3] == 0 && (b[2] <= 0x18 || b[2] == 0x60);
}

namespace dicom {
namespace {
using Buffer = std::vector<std::byte>;
constexpr uint64_t kMostRatio = 1032;  // of deflate

void hold(DicomFile& f, Buffer bytes) {
  auto* kept = new Buffer(std::move(bytes));
  f.memory = {kept, [](void* p) { delete static_cast<Buffer*>(p); }};
  f.source->bytes = *kept;
}

void map(DicomFile& f, uint64_t size) {
  const int file = open(f.path.c_str(), O_RDONLY | O_CLOEXEC);
  check(file >= 0, f.who(), ": cannot be opened: ", std::strerror(errno));
  struct Mapped {
    void* at;
    size_t size;
  };
  void* at = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  const int error = errno;
  close(file);
  check(at != MAP_FAILED, f.who(), ": cannot be read: ", std::strerror(error));
  f.memory = {new Mapped{at, size_t(size)}, [](void* p) {
                auto* m = static_cast<Mapped*>(p);
                munmap(m->at, m->size);
                delete m;
              }};
  f.source->bytes = {static_cast<const std::byte*>(at), size_t(size)};
}

// Everything behind `begin` is one raw deflate stream (PS3.5 A.5).
void inflate_data_set(DicomFile& f, size_t begin) {
  const auto all = f.source->bytes;
  z_stream z{};
  check(inflateInit2(&z, -15) == Z_OK, f.who(), ": no memory to inflate it");
  const std::unique_ptr<z_stream, void (*)(z_stream*)> guard(&z, [](z_stream* p) { inflateEnd(p); });
  z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(all.data() + begin));
  z.avail_in = uInt(std::min<size_t>(all.size() - begin, 0xffffffff));
  Buffer out;
  int state = Z_OK;
  while (state == Z_OK) {
    const size_t done = out.size();
    out.resize(done + (1 << 18));
    z.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    z.avail_out = 1 << 18;
    state = inflate(&z, Z_NO_FLUSH);
    out.resize(out.size() - z.avail_out);
    if (state == Z_BUF_ERROR || (state == Z_OK && z.avail_in == 0 && z.avail_out > 0)) break;
  }
  check(state == Z_STREAM_END, f.who(), ": its deflated data set is cut off or corrupt");
  hold(f, std::move(out));
}

// A writer that says one encoding and uses the other is believed by its bytes.
Encoding encoding_at(const DicomFile& f, size_t at, Encoding said) {
  const auto bytes = f.source->bytes;
  if (said == Encoding::explicit_big || bytes.size() - at < 8) return said;
  return is_vr(reinterpret_cast<const char*>(bytes.data() + at + 4)) ? Encoding::explicit_little : Encoding::implicit_little;
}

// Elements of group 0002, which are explicit little-endian whatever follows. Returns where the others begin.
size_t read_meta(DicomFile& f, size_t at) {
  const auto bytes = f.source->bytes;
  size_t end = at;
  while (bytes.size() - end >= 8 && unsigned_at(bytes.data() + end, 2, false) == 2) {
    const bool longer = std::memcmp(bytes.data() + end + 4, "OB", 2) == 0 || std::memcmp(bytes.data() + end + 4, "UN", 2) == 0;
    if (longer && bytes.size() - end < 12) break;
    const uint64_t length = longer ? 12 + unsigned_at(bytes.data() + end + 8, 4, false) : 8 + unsigned_at(bytes.data() + end + 6, 2, false);
    check(length <= bytes.size() - end, f.who(), ": is cut off or malformed: its DICOM meta information does not end");
    end += length;
  }
  f.meta = DataSet(*f.source, at, end, Encoding::explicit_little);
  return end;
}
}  // namespace

std::string DicomFile::sop_class() const {
  const std::string own = data.text(tag::sop_class);
  return own.empty() ? meta.text(tag::media_class) : own;
}

const Element* DicomFile::pixels() const {
  for (const uint32_t t : {tag::pixels, tag::float_pixels, tag::double_pixels})
    if (const Element* e = data.find(t)) return e;
  return nullptr;
}

DicomFile open_dicom(const fs::path& path) {
  DicomFile f{.path = path, .source = std::make_unique<Source>()};
  f.source->name = path.string();
  {
    ByteSource source(path);
    check(source.file_size() > 0, f.who(), ": is empty");
    if (source.is_compressed()) {
      Buffer all;
      for (uint64_t got = 1; got > 0;) {
        const size_t done = all.size();
        check(done / kMostRatio <= source.file_size(), f.who(), ": inflates to more than gzip can hold");
        all.resize(done + (1 << 20));
        got = source.read_some(all.data() + done, 1 << 20);
        all.resize(done + got);
      }
      hold(f, std::move(all));
    } else {
      map(f, source.file_size());
    }
  }
  const auto bytes = f.source->bytes;
  const bool marked = bytes.size() >= 132 && std::memcmp(bytes.data() + 128, "DICM", 4) == 0;
  const bool bare = !marked && bytes.size() >= 8 && unsigned_at(bytes.data(), 2, false) <= 8;
  check(marked || bare, f.who(), ": is no DICOM file");
  const size_t begin = read_meta(f, marked ? 132 : 0);
  f.syntax = f.meta.text(tag::transfer_syntax);
  if (f.syntax == "1.2.840.10008.1.2.1.99") {
    f.meta = DataSet();  // it points into what is replaced
    inflate_data_set(f, begin);
    f.data = DataSet(*f.source, 0, f.source->bytes.size(), encoding_at(f, 0, Encoding::explicit_little));
    return f;
  }
  const Encoding said = f.syntax == "1.2.840.10008.1.2.2"                     ? Encoding::explicit_big
                        : f.syntax.empty() || f.syntax == "1.2.840.10008.1.2" ? Encoding::implicit_little
                                                                              : Encoding::explicit_little;
  f.data = DataSet(*f.source, begin, bytes.size(), encoding_at(f, begin, said));
  return f;
}

}  // namespace dicom
}  // namespace voxgrad
