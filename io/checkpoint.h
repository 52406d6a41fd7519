#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/fields.h"

namespace voxgrad {

// Named tensors in order, and text beside them. On disk it is a safetensors file (github.com/huggingface/safetensors): any framework
// reads it, nothing in it is executed.
struct Checkpoint {
  std::vector<Parameter> tensors = {};  // unique names
  std::map<std::string, std::string> metadata = {};
  const Tensor* find(const std::string& name) const;  // null where absent
};

// Tensors of any device and dtype. Written to a temporary name, synced and renamed: a crash leaves the old file or the new one.
void save_checkpoint(const std::filesystem::path&, const Checkpoint&);
// F32 F64 BF16 F16 U8 I16 I32 I64 as they are, BOOL as u8. Every size and offset is held against the file
// first.
Checkpoint load_checkpoint(const std::filesystem::path&);
// The text only.
std::map<std::string, std::string> load_metadata(const std::filesystem::path&);

struct LoadOptions {
  std::string prefix = {};             // of the names in the checkpoint; its tensors without it are not meant
  std::vector<std::string> skip = {};  // beginnings of names in the module that are not loaded and not missed: {"head."}
  bool strict = true;                  // missing and unexpected names are errors; a shape that differs always is
};
struct LoadReport {
  std::vector<std::string> loaded, missing, unexpected;
};

// Copies the values of `checkpoint` into `targets`, converting between floating dtypes. One error names everything that does not fit,
// and then nothing has been changed.
LoadReport assign(const std::vector<Parameter>& targets, const Checkpoint&, const LoadOptions& = {});

template <class M>
LoadReport load_into(M& module, const Checkpoint& checkpoint, const LoadOptions& options = {}) {
  return assign(state_of(module), checkpoint, options);
}

}  // namespace voxgrad
