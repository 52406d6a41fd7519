#pragma once
#include <atomic>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/config/json.h"
#include "data/cache/case_file_layout.h"
#include "data/cache/chunk_grid.h"
#include "data/case_store.h"

// A preprocessed case as one file that is mapped into memory. Numbers are little-endian; offsets count from the start of the file and are
// multiples of 64.
//   "voxgradC"  u32 version  zeros up to 64 bytes
//   pieces: the chunks of each field (chunk_grid.h, voxels {d, h, w, C} of a box; a field that is no array of voxels is one piece), then
//           the places of each class, i64
//   index:  for each piece u64 offset, u32 CRC-32 of its bytes, u32 0
//   header: JSON: "key", "id", "geometry", "fields": [{"name", "kind", "dtype", "shape", "stored"}], "places": [{"label", "count"}]
//   u64 offset of the index  u64 offset of the header  u32 CRC-32 of the index  u32 that of the header  "voxgradE"
// An image may be stored as f16 or bf16; it is f32 again when it is read.
namespace voxgrad {

// key: what the case was made of and how, for who asks whether it still holds.
void write_case_file(const std::filesystem::path&, const Case&, const Json& key, DType image = DType::f32);

class CaseFile : public StoredSample {
 public:
  // Index, header and places are checked, and all sizes against that of the file; voxels when they are first read.
  explicit CaseFile(const std::filesystem::path&);
  ~CaseFile() override;
  CaseFile(const CaseFile&) = delete;

  const std::string& id() const { return id_; }
  const std::string& key() const { return key_; }  // JSON
  const Geometry& geometry() const { return geometry_; }
  ForegroundIndex places() const;  // looks into the file, which it keeps
  const std::vector<StoredField>& fields() const override { return fields_; }
  Int3 size() const override { return grid_.size; }
  Sample part(const VoxelBox&) const override;

 private:
  struct Mapping;
  // Of a field in the file.
  struct Pieces {
    DType dtype;
    size_t first, count;
  };
  struct PlaceList {
    int label;
    int64_t count;
    size_t piece;
  };
  void read_header(const Json&);
  void read_field(const Json&);
  void read_places(const Json&);
  int64_t bytes_of_piece(size_t field, size_t piece) const;
  std::span<const std::byte> piece(size_t number, int64_t bytes) const;
  template <class From, class To>
  void copy_box(size_t field, const VoxelBox&, To* to) const;

  std::string who_, id_, key_;
  std::shared_ptr<const Mapping> mapping_;
  Geometry geometry_;
  ChunkGrid grid_;
  std::vector<StoredField> fields_;
  std::vector<Pieces> pieces_;  // by field
  std::vector<PlaceList> places_;
  std::span<const CasePiece> index_;
  std::unique_ptr<std::atomic<bool>[]> checked_;  // by piece
  size_t used_ = 0;                               // pieces that fields and places have taken
};

}  // namespace voxgrad
