#include "io/safetensors.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/config/json_values.h"
#include "core/error.h"
#include "io/formats/byte_source.h"
#include "io/formats/formats.h"
#include "io/json_file.h"
#include "io/torch/torch_file.h"

namespace voxgrad {
namespace {
struct Kind {
  const char* name;
  DType dtype;
};
constexpr Kind kKinds[] = {{"F32", DType::f32}, {"F64", DType::f64}, {"BF16", DType::bf16}, {"F16", DType::f16}, {"U8", DType::u8},
                           {"I16", DType::i16}, {"I32", DType::i32}, {"I64", DType::i64},   {"BOOL", DType::u8}};

using Entry = SafetensorsEntry;

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
  const Kind* kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return dtype.get_ref<const std::string&>() == k.name; });
  check(kind != std::end(kKinds), what, "its dtype ", dtype.dump(), " is not one that is read");
  check(shape.size() <= size_t(Shape::kMaxRank), what, "has ", shape.size(), " axes, at most ", Shape::kMaxRank, " are possible");
  e.dtype = kind->dtype;
  uint64_t bytes = size_of(e.dtype);
  for (const Json& extent : shape) {
    const uint64_t n = integer(extent, what + "an extent");
    check(n <= uint64_t(std::numeric_limits<int64_t>::max()) && !__builtin_mul_overflow(bytes, n, &bytes), what, "its shape ", shape.dump(),
          " is not possible");
    e.shape.dims[e.shape.rank++] = int64_t(n);
  }
  e.begin = integer(offsets[0], what + "an offset");
  e.end = integer(offsets[1], what + "an offset");
  check(e.begin <= e.end && e.end - e.begin == bytes, what, "its data_offsets ", offsets.dump(), " do not hold the ", bytes, " bytes of ",
        kind->name, " ", shape.dump());
  return e;
}
}  // namespace

const char* safetensors_name(DType t) {
  return std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& k) { return k.dtype == t; })->name;
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : source_(std::make_unique<ByteSource>(path, ByteSource::Coding::plain)) {
  read_header();
  check_cover();
}
SafetensorsFile::~SafetensorsFile() = default;

void SafetensorsFile::read_header() {
  ByteSource& file = *source_;
  const std::string& who = file.name();
  check(file.file_size() >= 8, who, ": has ", file.file_size(), " bytes, too few for a safetensors file");
  unsigned char raw[8];
  file.read(raw, 8);
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i) length = length << 8 | raw[i];
  if (const bool cut = length > kMostSafetensorsHeader || length > file.file_size() - 8; cut)
    if (const std::string kind = is_torch_file(who) ? "" : unread_kind(who); !kind.empty()) fail(who, ": is ", kind);
  check(length <= kMostSafetensorsHeader && length <= file.file_size() - 8, who, ": announces a header of ", length,
        " bytes, but the file has ", file.file_size(), " bytes and headers have at most ", kMostSafetensorsHeader,
        "; it is truncated or no safetensors file");
  std::string text(size_t(length), '\0');
  file.read(text.data(), length);
  check(text.starts_with('{'), who, ": its header does not start with {; it is no safetensors file");
  const Json json = parse_json(text, who + " (header)");
  data_begin_ = 8 + length;
  for (auto& [name, value] : json.items()) {
    if (name != "__metadata__") {
      entries_.push_back(parse_entry(name, value, who));
      continue;
    }
    check(value.is_object(), who, ": __metadata__ is not an object");
    for (auto& [key, text_value] : value.items()) {
      check(text_value.is_string(), who, ": the metadata \"", key, "\" is not text");
      metadata_[key] = text_value.get<std::string>();
    }
  }
}

void SafetensorsFile::check_cover() const {
  const std::string& who = source_->name();
  // The data section is covered exactly once.
  std::vector<const Entry*> by_offset;
  for (auto& e : entries_) by_offset.push_back(&e);
  std::stable_sort(by_offset.begin(), by_offset.end(),
                   [](const Entry* a, const Entry* b) { return std::pair(a->begin, a->end) < std::pair(b->begin, b->end); });
  uint64_t covered = 0;
  for (const Entry* e : by_offset) {
    check(e->begin == covered, who, ": tensor \"", e->name, "\" starts at byte ", e->begin, " of the data, wanted ", covered,
          ": tensors may neither overlap nor leave gaps");
    covered = e->end;
  }
  check(covered == source_->file_size() - data_begin_, who, ": its tensors have ", covered, " bytes, but the file has ",
        source_->file_size() - data_begin_, " bytes of data; it is truncated or has been changed");
}

Tensor SafetensorsFile::load(const SafetensorsEntry& e) const {
  Tensor out = Tensor::empty(e.shape, e.dtype);
  source_->seek(data_begin_ + e.begin, false);
  source_->read(out.view().data, out.bytes());
  return out;
}

}  // namespace voxgrad
