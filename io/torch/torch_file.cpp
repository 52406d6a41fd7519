#include "io/torch/torch_file.h"

#include <bit>
#include <cstring>

#include "core/error.h"
#include "io/formats/byte_source.h"
#include "io/torch/storage.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
using Kind = PickleValue::Kind;

constexpr PickleLimits kLimits = {};
constexpr size_t kMostVisits = 4'000'000, kDeepest = 64;
// PROTO 2 and the LONG1 0x1950a86a20f9469cfc6c.
constexpr std::string_view kStreamMagic("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
constexpr size_t kTarMagicAt = 257;

enum class Format { none, zip, stream, tar };

Format format_of(const fs::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  char head[512] = {};
  const size_t n = size_t(source.read_some(head, sizeof head));
  const std::string_view text(head, n);
  if (text.starts_with("PK\x03\x04")) return Format::zip;
  if (text.starts_with(kStreamMagic)) return Format::stream;
  if (n == sizeof head && text.substr(kTarMagicAt, 5) == "ustar") return Format::tar;
  return Format::none;
}

class ZipStorages : public TorchStorages {
 public:
  explicit ZipStorages(const fs::path& path) : path_(path) {
    const std::string who = path.string();
    std::string scripted;
    for (ZipEntry& e : zip_entries(path)) {
      const std::string name = e.name;
      if (name.ends_with("/data.pkl")) {
        check(prefix_.empty(), who, ": has two pickles, ", prefix_, "data.pkl and ", name);
        prefix_ = name.substr(0, name.size() - 8);
      }
      if (name.ends_with("/constants.pkl")) scripted = name;
      check(entries_.emplace(name, std::move(e)).second, who, ": has the entry ", name, " twice");
    }
    check(scripted.empty(), who,
          ": is a TorchScript archive, which holds code; save the weights alone: torch.save(model.state_dict(), file)");
    check(!prefix_.empty(), who, ": is a zip archive without a data.pkl, so it is no checkpoint of PyTorch");
    const auto order = entries_.find(prefix_ + "byteorder");
    if (order == entries_.end()) return;
    const std::vector<std::byte> word = zip_bytes(path, order->second, 16);
    const std::string_view text(reinterpret_cast<const char*>(word.data()), word.size());
    check(text == "little" || text == "big", who, ": its byte order is \"", text, "\", little or big is wanted");
    swapped = text == "big";
  }

  std::vector<std::byte> pickle() const {
    const ZipEntry& e = entries_.at(prefix_ + "data.pkl");
    check(e.size <= kLimits.bytes, path_.string(), ": its pickle has ", e.size, " bytes, at most ", kLimits.bytes, " are read");
    return zip_bytes(path_, e);
  }

  std::vector<std::byte> bytes(const TorchStorage& s, const std::string& who) override {
    const auto found = entries_.find(prefix_ + "data/" + s.key);
    check(found != entries_.end(), who, ": its storage data/", s.key, " is not in the file");
    const uint64_t size = element_size_of_storage(s.type);
    check(found->second.size / size == s.count && found->second.size % size == 0, who, ": its storage has ", found->second.size,
          " bytes, wanted are ", s.count, " x ", size);
    return zip_bytes(path_, found->second);
  }

 private:
  fs::path path_;
  std::string prefix_;
  std::map<std::string, ZipEntry> entries_;
};

// Storages one after the other: a count of 8 bytes, then elements.
class StreamStorages : public TorchStorages {
 public:
  explicit StreamStorages(const fs::path& path) : source_(path, ByteSource::Coding::plain) {}

  std::vector<char> beginning() {
    std::vector<char> out(size_t(std::min<uint64_t>(source_.file_size(), kLimits.bytes + (1 << 20))));
    source_.read(out.data(), out.size());
    return out;
  }
  // keys: a list in the order of the data, which begins at `begin`; types: what is known of them.
  void find(const PickleValue& keys, uint64_t begin, const std::map<std::string, TorchStorage>& types) {
    check(keys.is(Kind::list), source_.name(), ": has ", describe(keys), " in place of the keys of its storages");
    uint64_t at = begin;
    for (const PickleValue* key : keys.items) {
      check(key->is(Kind::text), source_.name(), ": a storage has ", describe(*key), " as key");
      const auto type = types.find(key->text);
      check(type != types.end(), source_.name(), ": its storage ", key->text, " belongs to no tensor");
      uint64_t count = 0, bytes = 0;
      source_.seek(at, false);
      source_.read(&count, sizeof count);
      at += sizeof count;
      const uint64_t size = element_size_of_storage(type->second.type);
      check(size > 0, source_.name(), ": the storage type ", type->second.type, " is unknown");
      check(count == type->second.count && !__builtin_mul_overflow(count, size, &bytes) && bytes <= source_.file_size() - at,
            source_.name(), ": its storage ", key->text, " announces ", count, " elements where ", type->second.count, " are wanted and ",
            source_.file_size() - at, " bytes follow; it is truncated or damaged");
      begin_[key->text] = at;
      at += bytes;
    }
  }
  std::vector<std::byte> bytes(const TorchStorage& s, const std::string& who) override {
    const auto found = begin_.find(s.key);
    check(found != begin_.end(), who, ": its storage ", s.key, " is not in the file");
    const uint64_t size = element_size_of_storage(s.type);
    check(s.count <= (source_.file_size() - found->second) / size, who, ": its storage is cut off");
    std::vector<std::byte> out(size_t(s.count * size));
    source_.seek(found->second, false);
    source_.read(out.data(), out.size());
    return out;
  }

 private:
  ByteSource source_;
  std::map<std::string, uint64_t> begin_;
};
}  // namespace

struct TorchFile::Content {
  std::string name;
  std::vector<std::byte> pickle;  // what the reader reads
  std::vector<char> stream;
  std::unique_ptr<PickleReader> reader;
  std::unique_ptr<TorchStorages> storages;
  const PickleValue* root = nullptr;
  // The storage read last: tensors that share one follow each other.
  std::string held_key;
  std::vector<std::byte> held;

  void open_zip(const fs::path& path) {
    auto zip = std::make_unique<ZipStorages>(path);
    pickle = zip->pickle();
    reader = std::make_unique<PickleReader>(name, std::span(reinterpret_cast<const char*>(pickle.data()), pickle.size()), kLimits);
    root = reader->next();
    storages = std::move(zip);
  }

  void open_stream(const fs::path& path) {
    auto all = std::make_unique<StreamStorages>(path);
    stream = all->beginning();
    reader = std::make_unique<PickleReader>(name, std::span<const char>(stream), kLimits);
    reader->next();  // the magic number
    const PickleValue* version = reader->next();
    check(version->is(Kind::integer) && version->integer == 1001, name, ": is of version ",
          version->is(Kind::integer) ? std::to_string(version->integer) : describe(*version), " of PyTorch's format, 1001 is read");
    const PickleValue* system = reader->next();
    const PickleValue* little = system->find("little_endian");
    check(little && little->is(Kind::boolean), name, ": does not say its byte order");
    check(little->integer == 1, name, ": was written on a machine of the other byte order, which is not read");
    root = reader->next();
    const PickleValue* keys = reader->next();
    std::map<std::string, TorchStorage> types;
    for (const PickleValue& v : reader->values())
      if (const auto s = storage_of(v, name)) {
        const auto [at, fresh] = types.emplace(s->key, *s);
        check(fresh || (at->second.type == s->type && at->second.count == s->count), name, ": its storage ", s->key, " is described twice");
      }
    all->find(*keys, reader->position(), types);
    stream.clear();
    stream.shrink_to_fit();
    storages = std::move(all);
  }

  // Depth first; counts what it sees, as what is shared is seen each time.
  void collect(const PickleValue& v, const std::string& path, size_t depth, size_t& visits, std::vector<Entry>& out) const {
    check(++visits <= kMostVisits, name, ": holds more than ", kMostVisits, " values, counting those that are shared each time");
    check(depth <= kDeepest, name, ": holds containers in more than ", kDeepest, " containers, or one that holds itself");
    const auto below = [&](const std::string& key) { return path.empty() ? key : path + "." + key; };
    if (v.is(Kind::object)) {
      const auto view = view_of(v, path.empty() ? name : name + ": " + path);
      if (!view) return;
      const auto dtype = dtype_of_storage(view->storage.type);
      out.push_back({path, dtype ? name_of(*dtype) : view->storage.type, view->shape, &v});
    } else if (v.is(Kind::dict)) {
      for (size_t i = 0; i + 1 < v.items.size(); i += 2) {
        const PickleValue& key = *v.items[i];
        collect(*v.items[i + 1], below(key.is(Kind::text) ? key.text : std::to_string(key.integer)), depth + 1, visits, out);
      }
    } else if (v.is(Kind::list) || v.is(Kind::tuple)) {
      for (size_t i = 0; i < v.items.size(); ++i) collect(*v.items[i], below(std::to_string(i)), depth + 1, visits, out);
    }
  }
};

TorchFile::TorchFile(const fs::path& path) : content_(std::make_unique<Content>()) {
  content_->name = path.string();
  const Format format = format_of(path);
  check(format != Format::tar, path.string(),
        ": is a tar archive as PyTorch before 0.1.10 wrote; load it and save it again with a newer one");
  check(format != Format::none, path.string(),
        ": is no file that torch.save wrote: it begins neither as its zip archive nor as its stream");
  if (format == Format::zip) content_->open_zip(path);
  else content_->open_stream(path);
}
TorchFile::~TorchFile() = default;
TorchFile::TorchFile(TorchFile&&) noexcept = default;

const PickleValue& TorchFile::root() const { return *content_->root; }
const std::string& TorchFile::name() const { return content_->name; }

std::vector<TorchFile::Entry> TorchFile::tensors(const PickleValue& top) const {
  std::vector<Entry> out;
  size_t visits = 0;
  content_->collect(top, "", 0, visits, out);
  return out;
}

bool TorchFile::is_tensor(const PickleValue& v) const { return view_of(v, name()).has_value(); }

Tensor TorchFile::load(const PickleValue& v, const std::string& what) const {
  const std::string who = name() + ": " + what;
  const std::optional<TorchView> view = view_of(v, who);
  check(view.has_value(), who, ": is ", describe(v), ", wanted a tensor");
  const std::optional<DType> dtype = dtype_of_storage(view->storage.type);
  check(dtype.has_value(), who, ": is of ", view->storage.type, ", which is not one of the dtypes here");
  Content& c = *content_;
  if (c.held_key != view->storage.key || c.held.empty()) {
    c.held_key.clear();
    c.held = c.storages->bytes(view->storage, who);
    c.held_key = view->storage.key;
  }
  Tensor out = Tensor::empty(view->shape, *dtype);
  gather(*view, c.held, c.storages->swapped, out.view().data, who);
  return out;
}

double TorchFile::number(const PickleValue& v, const std::string& what) const {
  if (v.is(Kind::real)) return v.real;
  if (v.is(Kind::integer) || v.is(Kind::boolean)) return double(v.integer);
  fail(name(), ": ", what, ": is ", describe(v), ", wanted a number");
}

const std::string& TorchFile::text(const PickleValue& v, const std::string& what) const {
  check(v.is(Kind::text), name(), ": ", what, ": is ", describe(v), ", wanted a str");
  return v.text;
}

bool is_torch_file(const fs::path& path) { return format_of(path) != Format::none; }

}  // namespace voxgrad
