#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

constexpr uint64_t kMostSafetensorsHeader = 100'000'000;  // bytes, as the reference implementation

const char* safetensors_name(DType);  // "BF16"

struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  uint64_t begin = 0, end = 0;  // bytes of the data section
};

// The header of a safetensors file (github.com/huggingface/safetensors), held against the file's size; tensors are read when asked for.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path&);
  ~SafetensorsFile();

  const std::vector<SafetensorsEntry>& entries() const { return entries_; }  // in the order of the header
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  Tensor load(const SafetensorsEntry&) const;

 private:
  void read_header();
  void check_cover() const;

  std::unique_ptr<class ByteSource> source_;
  std::vector<SafetensorsEntry> entries_;
  std::map<std::string, std::string> metadata_;
  uint64_t data_begin_ = 0;
};

}  // namespace voxgrad
