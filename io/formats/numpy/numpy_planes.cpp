#include "io/numpy_planes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "io/formats/formats.h"
#include "io/formats/numpy/npy.h"
#include "io/zip.h"

namespace voxgrad {
namespace fs = std::filesystem;

struct NumpyPlanes::State {
  std::string who;
  Npy array;
  std::optional<Affine> affine;
  std::optional<ZipStream> packed;
  std::unique_ptr<ByteSource> plain;
  int64_t next = 0;

  void read(void* to, uint64_t bytes) {
    if (packed) packed->read(to, bytes);
    else plain->read(to, bytes);
  }
};

NumpyPlanes::NumpyPlanes(const fs::path& path, const std::string& array) : state_(new State{.who = path.string()}) {
  State& s = *state_;
  if (is_zip(path)) {
    NpyInArchive found = open_npy_in_archive(path, array);
    s.array = std::move(found.array);
    s.affine = found.affine;
    s.packed.emplace(path, found.entry);
    std::vector<std::byte> head(s.array.begin);
    s.packed->read(head.data(), head.size());
  } else {
    s.plain = std::make_unique<ByteSource>(path, ByteSource::Coding::plain);
    s.array = open_npy(*s.plain);
    s.plain->seek(s.array.begin, false);
    s.plain->expect(s.array.layout.bytes(), "the elements of the array");
  }
  check(!s.array.complex, s.who, ": its array is of complex numbers");
  check(!s.array.fortran, s.who, ": its array is in Fortran's order, in which channels do not lie one after the other");
}
NumpyPlanes::~NumpyPlanes() = default;
NumpyPlanes::NumpyPlanes(NumpyPlanes&&) noexcept = default;

int64_t NumpyPlanes::channels() const { return state_->array.layout.channels; }
Int3 NumpyPlanes::size() const {
  const auto& s = state_->array.layout.size;
  return {int(s[0]), int(s[1]), int(s[2])};
}
const std::optional<Affine>& NumpyPlanes::affine() const { return state_->affine; }

Tensor NumpyPlanes::next() {
  State& s = *state_;
  check(s.next++ < channels(), s.who, ": has ", channels(), " channels, one more is wanted");
  VoxelLayout one = s.array.layout;
  one.channels = 1, one.planar = false;
  std::vector<std::byte> bytes(one.bytes());
  s.read(bytes.data(), bytes.size());
  return convert_voxels(bytes, one, s.who).to(DType::f32).reshape({one.size[0], one.size[1], one.size[2]});
}

NumpyPlanesWriter::NumpyPlanesWriter(const fs::path& path, const std::string& array, const Shape& shape, const Affine& affine)
    : path_(path), array_(array), shape_(shape), affine_(affine) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const std::string temporary = (folder / (".values." + path.filename().string())).string();
  file_ = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file_ < 0) {  // a file system without nameless files
    file_ = open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    unlink(temporary.c_str());
  }
  check(file_ >= 0 && ftruncate(file_, off_t(shape.count() * int64_t(sizeof(float)))) == 0, "cannot write ", path.string(), ": ",
        std::strerror(errno));
}
NumpyPlanesWriter::~NumpyPlanesWriter() {
  if (file_ >= 0) close(file_);
}

void NumpyPlanesWriter::put(int64_t channel, const Int3& begin, const Tensor& values) {
  const Int3 size = {int(values.dim(0)), int(values.dim(1)), int(values.dim(2))};
  for (int a = 0; a < 3; ++a)
    check(begin[a] >= 0 && begin[a] + size[a] <= shape_[a + 1], path_.string(), ": a box ", values, " does not fit at ", begin);
  // Runs that are in one piece in the file as well.
  const bool rows = size.w == shape_[3], planes = rows && size.h == shape_[2];
  const int64_t run = planes ? values.count() : rows ? int64_t(size.h) * size.w : size.w;
  const float* from = values.view().as<float>();
  for (int64_t at = 0; at < values.count(); at += run) {
    const int64_t line = at / size.w, d = begin.d + line / size.h, h = begin.h + line % size.h;
    const int64_t place = ((channel * shape_[1] + d) * shape_[2] + h) * shape_[3] + begin.w;
    const char* data = reinterpret_cast<const char*>(from + at);
    for (int64_t left = run * int64_t(sizeof(float)), offset = place * int64_t(sizeof(float)); left > 0;) {
      const ssize_t n = pwrite(file_, data, size_t(std::min<int64_t>(left, 1 << 30)), off_t(offset));
      if (n < 0 && errno == EINTR) continue;
      check(n > 0, "cannot write ", path_.string(), ": ", std::strerror(errno));
      data += n, offset += n, left -= n;
    }
  }
}

void NumpyPlanesWriter::fill(int64_t channel, float value) {
  const Tensor plane = Tensor::full({1, shape_[2], shape_[3]}, value);
  for (int d = 0; d < shape_[1]; ++d) put(channel, {d, 0, 0}, plane);
}

void NumpyPlanesWriter::commit() {
  constexpr int kFast = 1;
  constexpr size_t kPiece = size_t(4) << 20;
  ZipWriter zip(path_, kFast);
  const auto as_bytes = [](const auto& of) { return std::as_bytes(std::span(of)); };
  zip.begin(array_ + ".npy");
  zip.write(as_bytes(npy_header(shape_, Stored::f32)));
  std::vector<std::byte> piece(kPiece);
  for (uint64_t at = 0, end = uint64_t(shape_.count()) * sizeof(float); at < end;) {
    const ssize_t n = pread(file_, piece.data(), size_t(std::min<uint64_t>(kPiece, end - at)), off_t(at));
    if (n < 0 && errno == EINTR) continue;
    check(n > 0, "cannot write ", path_.string(), ": its values cannot be read back: ", std::strerror(errno));
    zip.write(std::span(piece).first(size_t(n)));
    at += uint64_t(n);
  }
  zip.begin("affine.npy");
  zip.write(as_bytes(npy_header({4, 4}, Stored::f64)));
  zip.write(as_bytes(affine_.m));
  zip.commit();
  close(file_);
  file_ = -1;
}

}  // namespace voxgrad
