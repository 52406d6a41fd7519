#include "io/checkpoint.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "io/atomic_file.h"
#include "io/formats/byte_source.h"
#include "io/json_file.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
constexpr uint64_t kMostHeader = 100'000'000;  // as the reference implementation

struct Kind {
  const char* name;
  DType dtype;
};
constexpr Kind kKinds[] = {{"F32", DType::f32}, {"F64", DType::f64}, {"BF16", DType::bf16}, {"F16", DType::f16}, {"U8", DType::u8},
                           {"I16", DType::i16}, {"I32", DType::i32}, {"I64", DType::i64},   {"BOOL", DType::u8}};

const Kind& kind_of(DType t) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.dtype == t; });
}

// One entry of the header.
struct Entry {
  std::string name;
  const Kind* kind;
  Shape shape;
  uint64_t begin = 0, end = 0;  // bytes of the data section
};

struct Header {
  std::vector<Entry> entries;  // in the order of the file's header
  std::map<std::string, std::string> metadata;
  uint64_t data_begin = 0;
};

uint64_t integer(const Json& value, const std::string& what) {
  check(value.is_number_unsigned(), what, " is ", value.dump().substr(0, 40), ", wanted an integer of at least 0");
  return value.get<uint64_t>();
}

Entry parse_entry(const std::string& name, const Json& value, const std::string& who) {
  const std::string what = who + ": tensor \"" + name + "\": ";
  check(value.is_object() && value.contains("dtype") && value.contains("shape") && value.contains("data_offsets"), what,
        "wanted dtype, shape and data_offsets");
  const Json &dtype = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
  check(dtype.is_string() && shape.is_array() && offsets.is_array() && offsets.size() == 2, what,
        "dtype, shape or data_offsets is of the wrong form");
  Entry e{.name = name};
  e.kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return dtype.get_ref<const std::string&>() == k.name; });
  check(e.kind != std::end(kKinds), what, "its dtype ", dtype.dump(), " is not one that is read");
  check(shape.size() <= size_t(Shape::kMaxRank), what, "has ", shape.size(), " axes, at most ", Shape::kMaxRank, " are possible");
  uint64_t bytes = size_of(e.kind->dtype);
  for (const Json& extent : shape) {
    const uint64_t n = integer(extent, what + "an extent");
    check(n <= uint64_t(std::numeric_limits<int64_t>::max()) && !__builtin_mul_overflow(bytes, n, &bytes), what, "its shape ", shape.dump(),
          " is not possible");
    e.shape.dims[e.shape.rank++] = int64_t(n);
  }
  e.begin = integer(offsets[0], what + "an offset"), e.end = integer(offsets[1], what + "an offset");
  check(e.begin <= e.end && e.end - e.begin == bytes, what, "its data_offsets ", offsets.dump(), " do not hold the ", bytes, " bytes of ",
        e.kind->name, " ", shape.dump());
  return e;
}

Header read_header(ByteSource& file) {
  const std::string& who = file.name();
  check(file.file_size() >= 8, who, ": has ", file.file_size(), " bytes, too few for a safetensors file");
  unsigned char raw[8];
  file.read(raw, 8);
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | raw[i];
  check(length <= kMostHeader && length <= file.file_size() - 8, who, ": announces a header of ", length, " bytes, but the file has ",
        file.file_size(), " bytes and headers have at most ", kMostHeader, "; it is truncated or no safetensors file");
  std::string text(size_t(length), '\0');
  file.read(text.data(), length);
  check(text.starts_with('{'), who, ": its header does not start with {; it is no safetensors file");
  const Json json = parse_json(text, who + " (header)");
  Header h{.data_begin = 8 + length};
  for (auto& [name, value] : json.items()) {
    if (name != "__metadata__") {
      h.entries.push_back(parse_entry(name, value, who));
      continue;
    }
    check(value.is_object(), who, ": __metadata__ is not an object");
    for (auto& [key, text_value] : value.items()) {
      check(text_value.is_string(), who, ": the metadata \"", key, "\" is not text");
      h.metadata[key] = text_value.get<std::string>();
    }
  }
  // The data section is covered exactly once.
  std::vector<const Entry*> by_offset;
  for (auto& e : h.entries) by_offset.push_back(&e);
  std::stable_sort(by_offset.begin(), by_offset.end(),
                   [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  uint64_t covered = 0;
  for (const Entry* e : by_offset) {
    check(e->begin == covered, who, ": tensor \"", e->name, "\" starts at byte ", e->begin, " of the data, wanted ", covered,
          ": tensors may neither overlap nor leave gaps");
    covered = e->end;
  }
  check(covered == file.file_size() - h.data_begin, who, ": its tensors have ", covered, " bytes, but the file has ",
        file.file_size() - h.data_begin, " bytes of data; it is truncated or has been changed");
  return h;
}

Tensor read_tensor(ByteSource& file, const Entry& e, uint64_t data_begin) {
  Tensor out = Tensor::empty(e.shape, e.kind->dtype);
  file.seek(data_begin + e.begin, false);
  file.read(out.view().data, out.bytes());
  return out;
}

// Whether the values of `from` go into a tensor of dtype t: floating ones are rounded, integers must all fit.
bool convertible(const Tensor& from, DType t) {
  if (from.dtype() == t) return true;
  if (is_floating(from.dtype()) || is_floating(t)) return is_floating(from.dtype()) && is_floating(t);
  return from.to(t).to(from.dtype()).to_vector<int64_t>() == from.to_vector<int64_t>();
}

// "a, b, c and 7 more"
std::string several(const std::vector<std::string>& names) {
  constexpr size_t kShown = 5;
  std::string out;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i) out += (i ? ", " : "") + names[i];
  if (names.size() > kShown) out += " and " + std::to_string(names.size() - kShown) + " more";
  return out;
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
    Json entry = {
        {"dtype", kind_of(tensor.dtype()).name}, {"shape", Json::array()}, {"data_offsets", {begin[i], begin[i] + tensor.bytes()}}};
    for (int a = 0; a < tensor.shape().rank; ++a) entry["shape"].push_back(tensor.dim(a));
    text += (text.size() > 1 ? "," : "") + Json(name).dump() + ":" + entry.dump();
  }
  text += "}";
  text.append((8 - text.size() % 8) % 8, ' ');
  check(text.size() <= kMostHeader, "checkpoint ", path.string(), ": its names and metadata need ", text.size(), " bytes, at most ",
        kMostHeader, " are possible");

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
  ByteSource file(path, ByteSource::Coding::plain);
  const Header h = read_header(file);
  Checkpoint out{.metadata = h.metadata};
  for (auto& e : h.entries) out.tensors.push_back({e.name, read_tensor(file, e, h.data_begin)});
  return out;
}

std::map<std::string, std::string> load_metadata(const fs::path& path) {
  ByteSource file(path, ByteSource::Coding::plain);
  return read_header(file).metadata;
}

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
  if (!wrong.empty()) message += "\n  of another shape or kind: " + several(wrong);
  if (options.strict && !report.missing.empty()) message += "\n  missing: " + several(report.missing);
  if (options.strict && !report.unexpected.empty()) message += "\n  unexpected: " + several(report.unexpected);
  check(message.empty(), "load: the checkpoint does not fit the network", message);
  for (auto& [target, source] : copies) target->tensor.copy_from(source->detach().to(target->tensor.dtype()).to(target->tensor.device()));
  return report;
}

}  // namespace voxgrad
