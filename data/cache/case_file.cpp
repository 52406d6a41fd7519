#include "data/cache/case_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/config/json_values.h"
#include "core/error.h"
#include "data/cache/geometry_json.h"
#include "io/json_fields.h"
#include "io/json_file.h"

namespace voxgrad {

struct CaseFile::Mapping {
  const std::byte* data = nullptr;
  size_t size = 0;

  Mapping(const std::filesystem::path& path, const std::string& who) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    check(file >= 0, who, ": cannot be opened: ", std::strerror(errno));
    struct stat about;
    const bool regular = fstat(file, &about) == 0 && S_ISREG(about.st_mode);
    size = regular ? size_t(about.st_size) : 0;
    const bool enough = size >= kAlignment + sizeof(CaseFileEnd);
    void* at = enough ? mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0) : nullptr;
    const int error = errno;
    close(file);
    check(enough, who, ": has ", size, " bytes, too few for a case; it is truncated or no case of a cache");
    check(at != MAP_FAILED, who, ": cannot be read: ", std::strerror(error));
    data = static_cast<const std::byte*>(at);
  }
  ~Mapping() {
    if (data) munmap(const_cast<std::byte*>(data), size);
  }
  Mapping(const Mapping&) = delete;
};

namespace {

constexpr int64_t kMostHeader = 64 << 20;
constexpr int64_t kMostExtent = 1 << 24;

DType dtype_from(const Json& j, const std::string& who) {
  const std::string name = text_of(j, who);
  for (int t = 0; t <= int(DType::i64); ++t)
    if (name == name_of(DType(t))) return DType(t);
  fail(who, ": the dtype \"", name, "\" is unknown");
}

DataKind kind_from(const Json& j, const std::string& who) {
  const std::string name = text_of(j, who);
  for (int k = 0; k <= int(DataKind::values); ++k)
    if (name == name_of(DataKind(k))) return DataKind(k);
  fail(who, ": the kind \"", name, "\" is unknown");
}

// At most so many bytes, which the file has.
Shape shape_from(const Json& j, DType dtype, int64_t most, const std::string& who) {
  const bool ranked = j.is_array() && !j.empty() && j.size() < size_t(Shape::kMaxRank);
  check(ranked, who, ": the shape ", j.dump().substr(0, 60), " is not possible");
  Shape s;
  int64_t bytes = int64_t(size_of(dtype));
  for (const Json& extent : j) {
    const int64_t n = whole_of(extent, who + ": an extent");
    check(n >= 0 && n <= kMostExtent && !__builtin_mul_overflow(bytes, n, &bytes), who, ": the shape ", j.dump(), " is not possible");
    s.dims[s.rank++] = n;
  }
  check(bytes <= most, who, ": the shape ", j.dump(), " of ", name_of(dtype), " takes ", bytes, " bytes, the file has ", most);
  return s;
}

// What a field must be like (augment/sample.h), but for its memory.
bool fits(const StoredField& f, bool first, Int3 size) {
  const Shape& s = f.shape;
  const bool dense = s.rank >= 3 && Int3{int(s.dims[0]), int(s.dims[1]), int(s.dims[2])} == size;
  switch (f.kind) {
    case DataKind::image: return dense && s.rank == 4 && f.dtype == DType::f32 && s.count() > 0;
    case DataKind::labels: return !first && dense && s.rank == 3 && f.dtype == DType::u8;
    case DataKind::vectors: return !first && dense && s.rank == 4 && f.dtype == DType::f32 && s.dims[3] % 3 == 0;
    case DataKind::points: return !first && s.rank == 2 && f.dtype == DType::f32 && s.dims[1] >= 3;
    case DataKind::boxes: return !first && s.rank == 2 && f.dtype == DType::f32 && s.dims[1] >= 6;
    case DataKind::values: return !first && (f.dtype == DType::f32 || f.dtype == DType::i32);
  }
  return false;
}

}  // namespace

CaseFile::CaseFile(const std::filesystem::path& path)
    : who_(path.string()), mapping_(std::make_shared<const Mapping>(path, who_)) {
  const std::byte* const data = mapping_->data;
  const uint64_t size = mapping_->size, body = size - sizeof(CaseFileEnd);
  CaseFileEnd end;
  std::memcpy(&end, data + body, sizeof end);
  check(std::memcmp(data, kBegin, 8) == 0, who_, ": is no case of a cache");
  uint32_t version;
  std::memcpy(&version, data + 8, 4);
  check(version == kVersion, who_, ": its form is ", version, ", this version reads ", kVersion);
  check(std::memcmp(end.end, kEnd, 8) == 0, who_, ": is truncated");
  const bool in_order = end.index >= kAlignment && end.index <= end.header && end.header <= body && end.index % kAlignment == 0 &&
                        body - end.header <= kMostHeader;
  check(in_order, who_, ": its index at ", end.index, " and its header at ", end.header, " do not lie in its ", size, " bytes");
  const auto* first = reinterpret_cast<const CasePiece*>(data + end.index);
  index_ = {first, size_t(end.header - end.index) / sizeof(CasePiece)};
  const std::string_view header(reinterpret_cast<const char*>(data + end.header), body - end.header);
  check(checksum_of(header.data(), header.size()) == end.header_checksum, who_, ": its header does not have its checksum");
  read_header(parse_json(header, who_));
  check(checksum_of(index_.data(), used_ * sizeof(CasePiece)) == end.index_checksum, who_, ": its index does not have its checksum");
  checked_ = std::make_unique<std::atomic<bool>[]>(used_);
  for (size_t i = 0; i < used_; ++i) checked_[i] = false;
  for (const PlaceList& list : places_) {
    const auto bytes = piece(list.piece, list.count * int64_t(sizeof(int64_t)));
    const auto* voxel = reinterpret_cast<const int64_t*>(bytes.data());
    for (int64_t i = 0; i < list.count; ++i)
      check(voxel[i] >= 0 && voxel[i] < voxels_in(grid_.size), who_, ": the place ", voxel[i], " is no voxel of ", grid_.size);
  }
}
CaseFile::~CaseFile() = default;

void CaseFile::read_header(const Json& j) {
  id_ = text_of(field(j, "id", who_), who_ + ": id");
  key_ = json_text(field(j, "key", who_));
  geometry_ = geometry_from_json(field(j, "geometry", who_), who_ + ": geometry");
  const Json& fields = field(j, "fields", who_);
  check(fields.is_array() && !fields.empty(), who_, ": has no fields");
  for (const Json& f : fields) read_field(f);
  read_places(field(j, "places", who_));
}

void CaseFile::read_field(const Json& j) {
  const std::string who = who_ + ": field " + std::to_string(fields_.size());
  StoredField f{.name = text_of(field(j, "name", who), who), .kind = kind_from(field(j, "kind", who), who)};
  f.dtype = dtype_from(field(j, "dtype", who), who);
  const DType stored = dtype_from(field(j, "stored", who), who);
  f.shape = shape_from(field(j, "shape", who), stored, int64_t(mapping_->size), who);
  const bool first = fields_.empty();
  if (first && f.shape.rank == 4) grid_.size = {int(f.shape[0]), int(f.shape[1]), int(f.shape[2])};
  check(fits(f, first, grid_.size), who, ": the field \"", f.name, "\" ", name_of(f.dtype), " ", f.shape, " is no ", name_of(f.kind));
  const bool narrowed = f.kind == DataKind::image && (stored == DType::f16 || stored == DType::bf16);
  check(stored == f.dtype || narrowed, who, ": the field \"", f.name, "\" cannot be stored as ", name_of(stored));
  const size_t count = is_dense(f.kind) ? size_t(grid_.count()) : 1;
  check(count <= index_.size() - used_, who, ": has ", count, " pieces, of which the index lacks some");
  fields_.push_back(f);
  pieces_.push_back({stored, used_, count});
  used_ += count;
}

void CaseFile::read_places(const Json& j) {
  check(j.is_array(), who_, ": has no list of places");
  int last = -1;
  for (const Json& p : j) {
    PlaceList list{.label = whole_of(field(p, "label", who_), who_ + ": a label"), .piece = used_};
    const bool ended = !places_.empty() && places_.back().label == kAnnotated;
    check(!ended && (list.label > last || list.label == kAnnotated), who_, ": places of the label ", list.label, " behind those of ", last);
    const Json& count = field(p, "count", who_);
    check(count.is_number_unsigned() && count.get<uint64_t>() > 0 && count.get<uint64_t>() <= mapping_->size / sizeof(int64_t), who_, ": ",
          count.dump().substr(0, 40), " places of the label ", list.label);
    list.count = count.get<int64_t>();
    check(used_ < index_.size(), who_, ": the index lacks the places of the label ", list.label);
    places_.push_back(list);
    last = list.label;
    ++used_;
  }
}

std::span<const std::byte> CaseFile::piece(size_t number, int64_t bytes) const {
  const CasePiece& p = index_[number];
  const bool inside = p.offset % kAlignment == 0 && p.offset <= mapping_->size && uint64_t(bytes) <= mapping_->size - p.offset;
  check(inside, who_, ": piece ", number, " of ", bytes, " bytes at ", p.offset, " does not lie in its ", mapping_->size, " bytes");
  const std::byte* const data = mapping_->data + p.offset;
  if (!checked_[number].load(std::memory_order_relaxed)) {
    check(checksum_of(data, size_t(bytes)) == p.checksum, who_, ": piece ", number,
          " does not have its checksum; remove the file and it is made again");
    checked_[number].store(true, std::memory_order_relaxed);
  }
  return {data, size_t(bytes)};
}

ForegroundIndex CaseFile::places() const {
  ForegroundIndex out{.classes = {}, .size = grid_.size};
  for (const PlaceList& list : places_) {
    const auto bytes = piece(list.piece, list.count * int64_t(sizeof(int64_t)));
    VoxelList voxels({reinterpret_cast<const int64_t*>(bytes.data()), size_t(list.count)}, mapping_);
    if (list.label == kAnnotated) out.annotated = std::move(voxels);
    else out.classes.push_back({list.label, std::move(voxels)});
  }
  return out;
}

template <class From, class To>
void CaseFile::copy_box(size_t field, const VoxelBox& box, To* to) const {
  const Shape& s = fields_[field].shape;
  const int64_t numbers = s.rank == 4 ? s[3] : 1;
  grid_.each(box, [&](const Int3& at) {
    const VoxelBox chunk = grid_.box(at);
    const auto bytes = piece(pieces_[field].first + size_t(grid_.number(at)), voxels_in(chunk.size) * numbers * int64_t(sizeof(From)));
    const auto* from = reinterpret_cast<const From*>(bytes.data());
    each_common_row(chunk, box, [&](int64_t in, int64_t out, int64_t voxels) {
      const From* row = from + in * numbers;
      for (int64_t i = 0; i < voxels * numbers; ++i) to[out * numbers + i] = To(row[i]);
    });
  });
}

Sample CaseFile::part(const VoxelBox& box) const {
  for (int a = 0; a < 3; ++a)
    check(box.begin[a] >= 0 && box.size[a] >= 1 && box.size[a] <= grid_.size[a] - box.begin[a], who_, ": a box of ", box.size, " at ",
          box.begin, " is not within ", grid_.size);
  Sample out{.fields = {}, .begin = box.begin, .whole = grid_.size};
  for (size_t i = 0; i < fields_.size(); ++i) {
    const StoredField& f = fields_[i];
    Shape s = f.shape;
    for (int a = 0; a < 3 && is_dense(f.kind); ++a) s[a] = box.size[a];
    const Tensor x = Tensor::empty(s, f.dtype);
    if (!is_dense(f.kind)) {
      const auto bytes = piece(pieces_[i].first, int64_t(x.bytes()));
      std::copy(bytes.begin(), bytes.end(), x.view().as<std::byte>());
    } else if (f.kind == DataKind::labels) copy_box<uint8_t>(i, box, x.view().as<uint8_t>());
    else if (pieces_[i].dtype == DType::f16) copy_box<f16>(i, box, x.view().as<float>());
    else if (pieces_[i].dtype == DType::bf16) copy_box<bf16>(i, box, x.view().as<float>());
    else copy_box<float>(i, box, x.view().as<float>());
    out.fields.push_back({f.name, f.kind, x});
  }
  if (box.size == grid_.size) out.whole = {0, 0, 0};
  return out;
}

}  // namespace voxgrad
