#include "io/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <sstream>
#include <utility>

#include "core/config/json_values.h"
#include "core/lists/first_few.h"
#include "io/atomic_file.h"
#include "io/json_file.h"
#include "io/safetensors.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
// Whether the values of `from` go into a tensor of dtype t: floating ones are rounded, integers must all fit.
bool convertible(const Tensor& from, DType t) {
  if (from.dtype() == t) return true;
  if (is_floating(from.dtype()) || is_floating(t)) return is_floating(from.dtype()) && is_floating(t);
  return from.to(t).to(from.dtype()).to_vector<int64_t>() == from.to_vector<int64_t>();
}
}  // namespace

const Tensor* Checkpoint::find(const std::string& name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const Parameter& p) { return p.name == name; });
  return found == tensors.end() ? nullptr : &found->tensor;
}

// The data is laid out by falling element size, so that every tensor starts at a multiple of its own.
void save_checkpoint(const fs::path& path, const Checkpoint& checkpoint) {
  const size_t count = checkpoint.tensors.size();
  std::vector<size_t> order(count);
  std::set<std::string> names;
  for (size_t i = 0; i < count; ++i) {
    const Parameter& p = checkpoint.tensors[i];
    order[i] = i;
    check(bool(p.tensor), "checkpoint ", path.string(), ": tensor \"", p.name, "\" is absent");
    check(names.insert(p.name).second && p.name != "__metadata__", "checkpoint ", path.string(), ": the name \"", p.name, "\" is taken");
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return size_of(checkpoint.tensors[a].tensor.dtype()) > size_of(checkpoint.tensors[b].tensor.dtype());
  });
  std::vector<uint64_t> begin(count);
  uint64_t total = 0;
  for (size_t i : order) begin[i] = total, total += checkpoint.tensors[i].tensor.bytes();

  Json header = Json::object();
  if (!checkpoint.metadata.empty()) header["__metadata__"] = checkpoint.metadata;
  std::string text = header.dump();
  text.pop_back();
  for (size_t i = 0; i < count; ++i) {
    const auto& [name, tensor] = checkpoint.tensors[i];
    Json entry = {{"dtype", safetensors_name(tensor.dtype())},
                  {"shape", Json::array()},
                  {"data_offsets", {begin[i], begin[i] + tensor.bytes()}}};
    for (int a = 0; a < tensor.shape().rank; ++a) entry["shape"].push_back(tensor.dim(a));
    text += (text.size() > 1 ? "," : "") + Json(name).dump() + ":" + entry.dump();
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  check(text.size() <= kMostSafetensorsHeader, "checkpoint ", path.string(), ": its names and metadata need ", text.size(),
        " bytes, at most ", kMostSafetensorsHeader, " are possible");

  AtomicFile file(path);
  const uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text);
  for (size_t i : order) {
    const Tensor host = checkpoint.tensors[i].tensor.detach().to(Device{});
    file.write(host.view().data, host.bytes());
  }
  file.commit();
}

Checkpoint load_checkpoint(const fs::path& path) {
  const SafetensorsFile file(path);
  Checkpoint out{.metadata = file.metadata()};
  for (auto& e : file.entries()) out.tensors.push_back({e.name, file.load(e)});
  return out;
}

std::map<std::string, std::string> load_metadata(const fs::path& path) { return SafetensorsFile(path).metadata(); }

LoadReport assign(const std::vector<Parameter>& targets, const Checkpoint& checkpoint, const LoadOptions& options) {
  std::map<std::string, const Tensor*> given;
  for (auto& [name, tensor] : checkpoint.tensors)
    if (name.starts_with(options.prefix)) given[name.substr(options.prefix.size())] = &tensor;
  const auto skipped = [&](const std::string& name) {
    return std::any_of(options.skip.begin(), options.skip.end(), [&](auto& start) { return name.starts_with(start); });
  };
  LoadReport report;
  std::vector<std::pair<const Parameter*, const Tensor*>> copies;
  std::vector<std::string> wrong;
  for (auto& target : targets) {
    const auto found = given.find(target.name);
    const Tensor* source = found == given.end() ? nullptr : found->second;
    if (source) given.erase(found);
    if (skipped(target.name)) continue;
    if (!source) {
      report.missing.push_back(target.name);
      continue;
    }
    std::ostringstream difference;
    difference << target.name << " (" << *source << ", wanted " << target.tensor << ")";
    if (source->shape() != target.tensor.shape() || !convertible(*source, target.tensor.dtype())) wrong.push_back(difference.str());
    else copies.push_back({&target, source}), report.loaded.push_back(target.name);
  }
  for (auto& [name, tensor] : given)
    if (!skipped(name)) report.unexpected.push_back(options.prefix + name);
  std::string message;
  if (!wrong.empty()) message += "\n  of another shape or kind: " + first_few(wrong);
  if (options.strict && !report.missing.empty()) message += "\n  missing: " + first_few(report.missing);
  if (options.strict && !report.unexpected.empty()) message += "\n  unexpected: " + first_few(report.unexpected);
  check(message.empty(), "load: the checkpoint does not fit the network", message);
  for (auto& [target, source] : copies) target->tensor.copy_from(source->detach().to(target->tensor.dtype()).to(target->tensor.device()));
  return report;
}

}  // namespace voxgrad
