#include "io/torch/storage.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/error.h"

namespace voxgrad {
namespace {
using Kind = PickleValue::Kind;

struct StorageType {
  const char* name;
  uint64_t bytes;
  std::optional<DType> dtype;
};
constexpr StorageType kTypes[] = {{"torch.FloatStorage", 4, DType::f32}, {"torch.DoubleStorage", 8, DType::f64},
                                  {"torch.HalfStorage", 2, DType::f16},  {"torch.BFloat16Storage", 2, DType::bf16},
                                  {"torch.ByteStorage", 1, DType::u8},   {"torch.BoolStorage", 1, DType::u8},
                                  {"torch.ShortStorage", 2, DType::i16}, {"torch.IntStorage", 4, DType::i32},
                                  {"torch.LongStorage", 8, DType::i64},  {"torch.CharStorage", 1, {}},
                                  {"torch.ComplexFloatStorage", 8, {}},  {"torch.ComplexDoubleStorage", 16, {}},
                                  {"torch.QInt8Storage", 1, {}},         {"torch.QUInt8Storage", 1, {}},
                                  {"torch.QInt32Storage", 4, {}}};

const StorageType* type_of(std::string name) {
  if (name.starts_with("torch.cuda.")) name.erase(6, 5);  // torch.cuda.FloatStorage
  const auto* found = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const StorageType& t) { return name == t.name; });
  return found == std::end(kTypes) ? nullptr : found;
}

int64_t count_of(const PickleValue& v, const std::string& who, const char* what) {
  check(v.is(Kind::integer) && v.integer >= 0, who, ": ", what, " of the tensor is ",
        v.is(Kind::integer) ? std::to_string(v.integer) : describe(v), ", wanted an integer of at least 0");
  return v.integer;
}

std::vector<int64_t> counts_of(const PickleValue& v, const std::string& who, const char* what) {
  // torch.Size((2, 3)) is a call with a tuple.
  const PickleValue& list = v.is(Kind::object) && v.text == "torch.Size" && v.arguments().size() == 1 ? *v.arguments()[0] : v;
  check(list.is(Kind::tuple) || list.is(Kind::list), who, ": ", what, " of the tensor is ", describe(v));
  check(list.items.size() <= size_t(Shape::kMaxRank), who, ": the tensor has ", list.items.size(), " axes, at most ", Shape::kMaxRank,
        " are possible");
  std::vector<int64_t> out;
  for (const PickleValue* n : list.items) out.push_back(count_of(*n, who, what));
  return out;
}

template <class T>
void gather_elements(const TorchView& v, const std::byte* from, bool swapped, std::byte* to) {
  const int rank = v.shape.rank;
  const int64_t count = v.shape.count();
  std::vector<int64_t> index(size_t(rank), 0);
  uint64_t at = v.offset;
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(to + size_t(i) * sizeof(T), from + at * sizeof(T), sizeof(T));
    if (swapped) std::reverse(to + size_t(i) * sizeof(T), to + size_t(i + 1) * sizeof(T));
    for (int a = rank - 1; a >= 0; --a) {
      at += uint64_t(v.strides[size_t(a)]);
      if (++index[size_t(a)] < v.shape[a]) break;
      at -= uint64_t(v.strides[size_t(a)]) * uint64_t(v.shape[a]);
      index[size_t(a)] = 0;
    }
  }
}

bool is_dense(const TorchView& v) {
  int64_t stride = 1;
  for (int a = v.shape.rank - 1; a >= 0; --a) {
    if (v.shape[a] != 1 && v.strides[size_t(a)] != stride) return false;
    stride *= v.shape[a];
  }
  return true;
}

// Every element is in the storage, and there are no more of them than there.
void check_view(const TorchView& v, const std::string& who) {
  uint64_t last = v.offset, count = 1;
  bool possible = true;
  for (int a = 0; a < v.shape.rank; ++a) {
    const uint64_t n = uint64_t(v.shape[a]);
    uint64_t reach = 0;
    possible = possible && !__builtin_mul_overflow(count, n, &count);
    if (n > 0) possible = possible && !__builtin_mul_overflow(n - 1, uint64_t(v.strides[size_t(a)]), &reach);
    possible = possible && !__builtin_add_overflow(last, reach, &last);
  }
  if (count == 0 && possible) return;
  check(possible && last < v.storage.count && last < uint64_t(std::numeric_limits<int64_t>::max()), who, ": the tensor reaches beyond the ",
        v.storage.count, " elements of its storage");
  check(count <= v.storage.count, who, ": the tensor has ", count, " elements, but its storage only ", v.storage.count,
        "; it was expanded: save a copy of it, tensor.clone()");
}
}  // namespace

std::optional<DType> dtype_of_storage(const std::string& type) {
  const StorageType* t = type_of(type);
  return t ? t->dtype : std::nullopt;
}

uint64_t element_size_of_storage(const std::string& type) {
  const StorageType* t = type_of(type);
  return t ? t->bytes : 0;
}

std::optional<TorchStorage> storage_of(const PickleValue& v, const std::string& who) {
  if (!v.is(Kind::persistent)) return {};
  // ("storage", type, key, location, count), in streams also a view of another storage.
  const PickleValue& id = *v.items[0];
  check(id.is(Kind::tuple) && id.items.size() >= 5 && id.items[0]->is(Kind::text) && id.items[0]->text == "storage" &&
            id.items[1]->is(Kind::global) && id.items[2]->is(Kind::text),
        who, ": a storage is not described as PyTorch does");
  check(id.items.size() == 5 || id.items[5]->is(Kind::none), who,
        ": a storage that is part of another one (PyTorch before 0.4) is not read; load it and save it again with a newer PyTorch");
  return TorchStorage{id.items[2]->text, id.items[1]->text, uint64_t(count_of(*id.items[4], who, "the storage"))};
}

std::optional<TorchView> view_of(const PickleValue& given, const std::string& who) {
  const PickleValue* v = &given;
  constexpr int kMostWrappers = 8;
  for (int i = 0; i < kMostWrappers && v->is(Kind::object); ++i) {
    const std::span<const PickleValue* const> a = v->arguments();
    if ((v->text == "torch._utils._rebuild_parameter" || v->text == "torch._utils._rebuild_parameter_with_state") && !a.empty()) {
      v = a[0];
      continue;
    }
    if (v->text != "torch._utils._rebuild_tensor_v2" && v->text != "torch._utils._rebuild_tensor") return {};
    check(a.size() >= 4, who, ": a tensor is not described as PyTorch does");
    const std::optional<TorchStorage> storage = storage_of(*a[0], who);
    check(storage.has_value(), who, ": the tensor has ", describe(*a[0]), " in place of a storage");
    TorchView out{
        .storage = *storage, .offset = uint64_t(count_of(*a[1], who, "the offset")), .strides = counts_of(*a[3], who, "a stride")};
    const std::vector<int64_t> extents = counts_of(*a[2], who, "an extent");
    check(extents.size() == out.strides.size(), who, ": the tensor has ", extents.size(), " extents and ", out.strides.size(), " strides");
    for (int64_t n : extents) out.shape.dims[out.shape.rank++] = n;
    check_view(out, who);
    return out;
  }
  return {};
}

void gather(const TorchView& v, std::span<const std::byte> storage, bool swapped, void* to, const std::string& who) {
  const uint64_t size = element_size_of_storage(v.storage.type);
  check(storage.size() / size >= v.storage.count, who, ": its storage has ", storage.size(), " bytes, wanted are ", v.storage.count, " x ",
        size);
  if (v.shape.count() == 0) return;
  if (is_dense(v) && (!swapped || size == 1)) {
    std::memcpy(to, storage.data() + v.offset * size, size_t(v.shape.count()) * size);
    return;
  }
  on_element_size(*dtype_of_storage(v.storage.type),
                  [&]<class T>() { gather_elements<T>(v, storage.data(), swapped, static_cast<std::byte*>(to)); });
}

}  // namespace voxgrad
