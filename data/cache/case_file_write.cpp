#include <zlib.h>

#include <cstring>

#include "core/autograd.h"
#include "core/config/json_values.h"
#include "core/error.h"
#include "data/cache/case_file.h"
#include "data/cache/case_file_layout.h"
#include "data/cache/geometry_json.h"
#include "io/atomic_file.h"
#include "io/json_file.h"

namespace voxgrad {
namespace {

class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : file_(path, AtomicFile::Busy::wait) {
    char start[kAlignment] = {};
    std::memcpy(start, kBegin, 8);
    std::memcpy(start + 8, &kVersion, 4);
    put(start, sizeof start);
  }

  void piece(const void* data, size_t bytes) {
    index_.push_back({at_, checksum_of(data, bytes), 0});
    put(data, bytes);
    align();
  }

  void finish(const std::string& header) {
    CaseFileEnd end{.index = at_};
    put(index_.data(), index_.size() * sizeof(CasePiece));
    end.index_checksum = checksum_of(index_.data(), index_.size() * sizeof(CasePiece));
    align();
    end.header = at_;
    end.header_checksum = checksum_of(header.data(), header.size());
    put(header.data(), header.size());
    put(&end, sizeof end);
    file_.commit();
  }

 private:
  void put(const void* data, size_t bytes) {
    file_.write(data, bytes);
    at_ += bytes;
  }
  void align() {
    const char zeros[kAlignment] = {};
    put(zeros, (kAlignment - at_ % kAlignment) % kAlignment);
  }

  AtomicFile file_;
  uint64_t at_ = 0;
  std::vector<CasePiece> index_;
};

void write_chunks(Writer& out, const Tensor& x, const ChunkGrid& grid) {
  const VoxelBox all{{0, 0, 0}, grid.size};
  const size_t voxel = x.bytes() / size_t(voxels_in(grid.size));
  const char* from = x.view().as<const char>();
  std::vector<char> chunk;
  grid.each(all, [&](const Int3& at) {
    const VoxelBox box = grid.box(at);
    chunk.resize(size_t(voxels_in(box.size)) * voxel);
    each_common_row(box, all, [&](int64_t to, int64_t in, int64_t voxels) {
      std::memcpy(chunk.data() + size_t(to) * voxel, from + size_t(in) * voxel, size_t(voxels) * voxel);
    });
    out.piece(chunk.data(), chunk.size());
  });
}

}  // namespace

uint32_t checksum_of(const void* data, size_t bytes) { return uint32_t(crc32_z(0, static_cast<const Bytef*>(data), bytes)); }

void write_case_file(const std::filesystem::path& path, const Case& c, const Json& key, DType image) {
  const bool possible = image == DType::f32 || image == DType::f16 || image == DType::bf16;
  check(possible, "a case file: images are f32, f16 or bf16, not ", name_of(image));
  check_sample("a case file", c.sample);
  const Unrecorded quiet;
  const ChunkGrid grid{c.sample.size()};
  Writer out(path);
  Json fields = Json::array(), places = Json::array();
  for (const Field& f : c.sample.fields) {
    Shape s = f.data.shape();
    const DType stored = f.kind == DataKind::image ? image : f.data.dtype();
    fields.push_back({{"name", f.name},
                      {"kind", name_of(f.kind)},
                      {"dtype", name_of(f.data.dtype())},
                      {"shape", std::vector<int64_t>(s.dims, s.dims + s.rank)},
                      {"stored", name_of(stored)}});
    const Tensor x = f.data.to(stored);
    if (is_dense(f.kind)) write_chunks(out, x, grid);
    else out.piece(x.view().as<const char>(), x.bytes());
  }
  const auto list = [&](int label, const VoxelList& voxels) {
    places.push_back({{"label", label}, {"count", voxels.size()}});
    out.piece(voxels.data(), voxels.size() * sizeof(int64_t));
  };
  for (auto& each : c.places.classes) list(each.label, each.voxels);
  if (!c.places.annotated.empty()) list(kAnnotated, c.places.annotated);
  out.finish(json_text({{"key", key}, {"id", c.id}, {"geometry", to_json(c.geometry)}, {"fields", fields}, {"places", places}}));
}

}  // namespace voxgrad
