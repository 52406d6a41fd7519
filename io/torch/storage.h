#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/dtype.h"
#include "core/shape.h"
#include "io/zip.h"
#include "io/torch/pickle.h"

namespace voxgrad {

// Where the elements of tensors lie.
struct TorchStorage {
  std::string key, type;  // "torch.FloatStorage"
  uint64_t count = 0;     // of elements
};
// A tensor as a checkpoint describes it: an element is at offset + sum of index * stride.
struct TorchView {
  TorchStorage storage;
  uint64_t offset = 0;
  Shape shape;
  std::vector<int64_t> strides;
};

// The dtype of elements here; absent where there is none. bool is u8.
std::optional<DType> dtype_of_storage(const std::string& type);
// Bytes per element of any type that PyTorch wrote in streams; 0 for unknown ones.
uint64_t element_size_of_storage(const std::string& type);

// Of a tensor or parameter; absent where it is something else. Error where its description is malformed.
std::optional<TorchView> view_of(const PickleValue&, const std::string& who);
std::optional<TorchStorage> storage_of(const PickleValue&, const std::string& who);

// The elements of a view, dense, from the bytes of its storage; swapped: those have the other byte order. Every index is held against the
// storage.
void gather(const TorchView&, std::span<const std::byte> storage, bool swapped, void* to, const std::string& who);

// The bytes of storages in a file.
class TorchStorages {
 public:
  virtual ~TorchStorages() = default;
  virtual std::vector<std::byte> bytes(const TorchStorage&, const std::string& who) = 0;
  bool swapped = false;
};

}  // namespace voxgrad
