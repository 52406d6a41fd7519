#include "io/weights/weights.h"

#include <algorithm>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/formats/byte_source.h"
#include "io/json_file.h"
#include "io/safetensors.h"
#include "io/torch/torch_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr const char* kIndexEnding = ".index.json";
constexpr size_t kMostShards = 10'000;

class Safetensors : public Weights {
 public:
  explicit Safetensors(const fs::path& path) : file_(path) {
    name_ = path.string();
    kind_ = "safetensors";
    metadata_ = file_.metadata();
    for (auto& e : file_.entries()) list_.push_back({e.name, name_of(e.dtype), e.shape});
  }
  Tensor load(size_t i) const override { return file_.load(file_.entries().at(i)); }

 private:
  SafetensorsFile file_;
};

class TorchWeights : public Weights {
 public:
  explicit TorchWeights(const fs::path& path) : file_(path), entries_(file_.tensors()) {
    name_ = path.string();
    kind_ = "PyTorch checkpoint";
    check(!entries_.empty() || file_.root().is(PickleValue::Kind::dict), name_, ": holds ", describe(file_.root()),
          " and no tensors; save what it has of weights: torch.save(model.state_dict(), file)");
    for (auto& e : entries_) list_.push_back({e.name, e.dtype, e.shape});
  }
  Tensor load(size_t i) const override { return file_.load(*entries_.at(i).value, entries_[i].name); }
  const TorchFile* torch() const override { return &file_; }

 private:
  TorchFile file_;
  std::vector<TorchFile::Entry> entries_;
};

class Sharded : public Weights {
 public:
  explicit Sharded(const fs::path& path) {
    name_ = path.string();
    const Json index = read_json(path);
    check(index.is_object() && index.contains("weight_map") && index["weight_map"].is_object(), name_,
          ": has no \"weight_map\", which says for each tensor in which file it is");
    std::map<std::string, size_t> shard_of;
    std::vector<std::map<std::string, size_t>> indices;  // of the tensors of each
    for (auto& [tensor, file] : index["weight_map"].items()) {
      check(file.is_string(), name_, ": the file of ", tensor, " is ", file.dump(), ", wanted a name");
      const std::string& shard = file.get_ref<const std::string&>();
      // A name and nothing else: the files lie beside the index.
      check(!shard.empty() && fs::path(shard).filename() == shard && shard != "." && shard != "..", name_, ": the file \"", shard, "\" of ",
            tensor, " is not beside it");
      const auto [at, fresh] = shard_of.emplace(shard, shards_.size());
      if (fresh) {
        check(shards_.size() < kMostShards, name_, ": names more than ", kMostShards, " files");
        check(!shard.ends_with(kIndexEnding), name_, ": names the index ", shard, " as a file of tensors");
        shards_.push_back(open_weights(path.parent_path() / shard));
        std::map<std::string, size_t>& index_of = indices.emplace_back();
        for (auto& w : shards_.back()->list()) index_of.emplace(w.name, index_of.size());
      }
      const auto found = indices[at->second].find(tensor);
      check(found != indices[at->second].end(), name_, ": says that ", tensor, " is in ", shard, ", but it is not");
      places_.emplace_back(at->second, found->second);
      list_.push_back(shards_[at->second]->list()[found->second]);
    }
    kind_ = std::to_string(shards_.size()) + " files" + (shards_.empty() ? "" : " of " + shards_[0]->kind());
  }
  Tensor load(size_t i) const override { return shards_[places_.at(i).first]->load(places_[i].second); }

 private:
  std::vector<std::unique_ptr<Weights>> shards_;
  std::vector<std::pair<size_t, size_t>> places_;
};

bool begins_as_safetensors(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  char head[9] = {};
  return source.read_some(head, sizeof head) == sizeof head && head[8] == '{';
}

bool is_index(const fs::path& path) { return path.filename().string().ends_with(kIndexEnding); }

// The one index in a folder; empty where there is none.
fs::path index_in(const fs::path& folder) {
  fs::path found;
  for (auto& e : fs::directory_iterator(folder)) {
    if (!is_index(e.path())) continue;
    check(found.empty(), folder.string(), ": has two indices, ", found.filename().string(), " and ", e.path().filename().string());
    found = e.path();
  }
  return found;
}
}  // namespace

bool is_weights(const fs::path& path) {
  if (fs::is_directory(path)) return !index_in(path).empty();
  if (!fs::is_regular_file(path) || path.extension() == ".npz") return false;  // arrays, in a zip archive as well
  return is_index(path) || path.extension() == ".safetensors" || is_torch_file(path) ||
         (path.extension() != ".json" && begins_as_safetensors(path));
}

std::unique_ptr<Weights> open_weights(const fs::path& path) {
  if (fs::is_directory(path)) {
    const fs::path index = index_in(path);
    check(!index.empty(), path.string(), ": is a folder without an index of weights (*", kIndexEnding, ")");
    return std::make_unique<Sharded>(index);
  }
  if (is_index(path)) return std::make_unique<Sharded>(path);
  if (is_torch_file(path)) return std::make_unique<TorchWeights>(path);
  check(path.extension() == ".safetensors" || begins_as_safetensors(path), path.string(),
        ": is neither a safetensors file nor one that torch.save wrote");
  return std::make_unique<Safetensors>(path);
}

}  // namespace voxgrad
