#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "core/tensor.h"

// FIELDS(conv, norm): all that a module says about itself. Names, parameters, checkpoints, freezing and device moves walk it.
// A field is a Tensor, a module, or a vector, array or optional of them.
#define FIELDS(...)                               \
  auto fields() { return std::tie(__VA_ARGS__); } \
  static constexpr std::string_view field_names() { return #__VA_ARGS__; }

namespace voxgrad {

template <class M>
concept Module = requires(M& m) {
  m.fields();
  M::field_names();
};

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
}  // namespace detail

// Calls f(path, tensor&) for each present tensor of the module, depth first, in the order of FIELDS: "down.0.conv1.weight".
template <class M, class F>
void walk(M& m, F&& f, const std::string& path = "") {
  const auto join = [&](auto name) { return path.empty() ? std::string(name) : path + "." + std::string(name); };
  if constexpr (std::is_same_v<M, Tensor>) {
    if (m) f(path, m);
  } else if constexpr (Module<M>) {
    auto names = M::field_names();
    std::apply([&](auto&... field) { (walk(field, f, join(detail::pop_name(names))), ...); }, m.fields());
  } else if constexpr (detail::is_optional<M>) {
    if (m) walk(*m, f, path);
  } else if constexpr (requires {
                         m.begin();
                         m.end();
                       }) {
    size_t i = 0;
    for (auto& e : m) walk(e, f, join(std::to_string(i++)));
  } else {
    static_assert(sizeof(M) == 0, "FIELDS lists something that is neither a tensor nor a module");
  }
}

// A tensor that is trained, and the name it has in its network.
struct Parameter {
  std::string name;
  Tensor tensor;
};

// The tensors that require a gradient.
template <class M>
std::vector<Parameter> parameters(M& m, const std::string& prefix = "") {
  std::vector<Parameter> out;
  walk(
      m,
      [&](const std::string& name, Tensor& t) {
        if (t.requires_grad()) out.push_back({name, t});
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

// Everything a checkpoint keeps: parameters (frozen ones too) and buffers such as running statistics.
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

// Moves the tensors of a module to a device; what required a gradient still does.
template <class M>
void move_to(M& m, Device d) {
  walk(m, [&](const std::string&, Tensor& t) {
    const bool wanted = t.requires_grad();
    t = t.detach().to(d);
    t.require_grad(wanted);
  });
}

// A frozen module gets no gradients, and none are computed for it. freeze(net, false) on a module thaws all its tensors, so use it
// on modules without buffers.
template <class M>
void freeze(M& m, bool frozen = true) {
  walk(m, [&](const std::string&, Tensor& t) { t.require_grad(!frozen); });
}

}  // namespace voxgrad
