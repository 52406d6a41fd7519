#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

#include "core/tensor.h"

// FIELDS(conv, norm): all that a module says about itself. Names, parameters, checkpoints, freezing and device moves follow from it.
// A field is a Tensor (trained), a Buffer, a Mode, a module, or a vector, array or optional of them.
#define FIELDS(...)                               \
  auto fields() { return std::tie(__VA_ARGS__); } \
  static constexpr std::string_view field_names() { return #__VA_ARGS__; }

namespace voxgrad {

// A tensor that a module keeps and that is never trained, such as a running mean: in checkpoints, not among the parameters.
struct Buffer : Tensor {
  Buffer() = default;
  Buffer(Tensor t) : Tensor(std::move(t)) { Tensor::require_grad(false); }
  Tensor& require_grad(bool = true) = delete;
};

// How a module behaves that is not the same in training and afterwards, such as batch norm and dropout. Not in checkpoints.
struct Mode {
  bool evaluating = false;  // set by eval(module): running statistics are used and stay, nothing is dropped
  bool frozen = false;      // set by freeze(module): running statistics are used and stay
  friend bool operator==(const Mode&, const Mode&) = default;
};

enum class FieldKind { parameter, buffer };

// What is told about the fields of a module, depth first and in the order of FIELDS. Paths are like "down.0.conv1.weight".
struct FieldVisitor {
  virtual ~FieldVisitor() = default;
  virtual void tensor(const std::string& /*path*/, Tensor&, FieldKind) {}  // present ones
  virtual void mode(const std::string& /*path*/, Mode&) {}
  // Before its fields. A module may have the address of its first field, so an address names one only together with its type.
  virtual void module(const std::string& /*path*/, const void* /*address*/, const std::type_info&) {}
};

template <class M>
concept Module = requires(M& m) {
  m.fields();
  M::field_names();
};

// A module that brings its own walk, as one does whose type is known at run time alone: calls the visitor for all its fields, their names
// below `path`; visit_fields(what_it_holds, visitor, path) does that. If copies share what it holds, it has a clone() const that does not.
template <class M>
concept OwnWalk = requires(M& m, FieldVisitor& v, const std::string& path) { m.walk_fields(v, path); };

// A field without a name of its own: what it consists of is named as if it were a field of the module that holds it.
template <class M>
concept Nameless = M::kNameless;

namespace detail {
// Takes the first name off a list "a, b, c".
inline std::string_view pop_name(std::string_view& names) {
  const auto comma = names.find(',');
  std::string_view head = names.substr(0, comma);
  names = comma == names.npos ? std::string_view{} : names.substr(comma + 1);
  while (head.starts_with(' ')) head.remove_prefix(1);
  while (head.ends_with(' ')) head.remove_suffix(1);
  return head;
}
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_leaf = std::is_same_v<T, Tensor> || std::is_same_v<T, Buffer> || std::is_same_v<T, Mode>;

inline std::string join(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

// Calls f(path, part) for each part that m directly consists of.
template <class M, class F>
void for_each_part(M& m, const std::string& path, F&& f) {
  if constexpr (Module<M>) {
    auto names = M::field_names();
    const auto path_of = [&]<class Part>(const Part&) {
      const std::string_view name = pop_name(names);
      return Nameless<Part> ? path : join(path, name);
    };
    std::apply([&](auto&... field) { (f(path_of(field), field), ...); }, m.fields());
  } else if constexpr (is_optional<M>) {
    if (m) f(path, *m);
  } else if constexpr (requires {
                         m.begin();
                         m.end();
                       }) {
    size_t i = 0;
    for (auto& e : m) f(join(path, std::to_string(i++)), e);
  } else {
    static_assert(sizeof(M) == 0, "FIELDS lists something that is neither a tensor nor a module");
  }
}
}  // namespace detail

template <class M>
void visit_fields(M& m, FieldVisitor& v, const std::string& path = "") {
  if constexpr (std::is_same_v<M, Mode>) {
    v.mode(path, m);
  } else if constexpr (detail::is_leaf<M>) {
    if (m) v.tensor(path, m, std::is_same_v<M, Buffer> ? FieldKind::buffer : FieldKind::parameter);
  } else {
    if constexpr (OwnWalk<M> || Module<M>) v.module(path, &m, typeid(M));
    if constexpr (OwnWalk<M>) m.walk_fields(v, path);
    else detail::for_each_part(m, path, [&](const std::string& below, auto& part) { visit_fields(part, v, below); });
  }
}

// Calls f(path, tensor&) or f(path, tensor&, FieldKind) for each present tensor of the module, depth first, in the order of FIELDS.
template <class M, class F>
void walk(M& m, F&& f, const std::string& path = "") {
  struct Each : FieldVisitor {
    F& f;
    explicit Each(F& each) : f(each) {}
    void tensor(const std::string& name, Tensor& t, FieldKind kind) override {
      if constexpr (std::is_invocable_v<F&, const std::string&, Tensor&, FieldKind>) f(name, t, kind);
      else f(name, t);
    }
  } each(f);
  visit_fields(m, each, path);
}

// A tensor, and the name it has in its network.
struct Parameter {
  std::string name;
  Tensor tensor;
};

// The tensors that require a gradient; never a buffer.
template <class M>
std::vector<Parameter> parameters(M& m, const std::string& prefix = "") {
  std::vector<Parameter> out;
  walk(
      m,
      [&](const std::string& name, Tensor& t, FieldKind kind) {
        if (kind == FieldKind::parameter && t.requires_grad()) out.push_back({name, t});
      },
      prefix);
  return out;
}

template <class M>
int64_t parameter_count(M& m) {
  int64_t n = 0;
  for (auto& p : parameters(m)) n += p.tensor.count();
  return n;
}

// Everything a checkpoint keeps: parameters (frozen ones too) and buffers.
template <class M>
std::vector<Parameter> state_of(M& m, const std::string& prefix = "") {
  std::vector<Parameter> out;
  walk(
      m,
      [&](const std::string& name, Tensor& t) {
        out.push_back({name, t.detach()});
      },
      prefix);
  return out;
}

}  // namespace voxgrad

#include "core/module.h"
