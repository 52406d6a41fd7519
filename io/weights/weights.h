#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

class TorchFile;

struct WeightInfo {
  std::string name;
  std::string dtype;  // "f32"; a name of PyTorch's where there is no such dtype here, and then it cannot be loaded
  Shape shape;
};

// The named tensors of a file or of several, whoever wrote them. Nothing but names is read before a tensor is asked for.
class Weights {
 public:
  virtual ~Weights() = default;
  const std::string& name() const { return name_; }  // of the file, for messages
  const std::string& kind() const { return kind_; }  // "safetensors", "PyTorch checkpoint", "3 files of safetensors"
  const std::vector<WeightInfo>& list() const { return list_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  virtual Tensor load(size_t index) const = 0;             // of list()
  virtual const TorchFile* torch() const { return nullptr; }  // of a PyTorch checkpoint: what else it holds

 protected:
  std::string name_, kind_;
  std::vector<WeightInfo> list_;
  std::map<std::string, std::string> metadata_;
};

// A file of torch.save or a safetensors file, told apart by their contents; an index of several of them (model.safetensors.index.json,
// pytorch_model.bin.index.json), or the folder of one index.
std::unique_ptr<Weights> open_weights(const std::filesystem::path&);
// Whether open_weights would try.
bool is_weights(const std::filesystem::path&);

}  // namespace voxgrad
