#pragma once
#include <array>
#include <tuple>

#include "core/forward_hooks.h"

namespace voxgrad {

// Sequential net{Conv3d({.in = 1, .out = 8}, rng), Activation{}, ...}: each layer's output is the next one's input. Layers of any types;
// its fields are named "0", "1", ...
template <class... Layers>
struct Sequential {
  std::tuple<Layers...> layers;

  Sequential() = default;
  explicit Sequential(Layers... l) : layers(std::move(l)...) {}

  auto fields() {
    return std::apply([](auto&... l) { return std::tie(l...); }, layers);
  }
  static constexpr std::string_view field_names() { return {kNames.data(), kNames.size()}; }

  Tensor operator()(const Tensor& x) const {
    return std::apply([&](const auto&... l) {
      Tensor y = x;
      ((y = l(y)), ...);
      return hooked(*this, y);
    }, layers);
  }

 private:
  // "  0,  1,", the blanks being no part of a name.
  static constexpr auto kNames = [] {
    std::array<char, sizeof...(Layers) * 4> text{};
    for (size_t i = 0; i < sizeof...(Layers); ++i) {
      text[4 * i] = i < 100 ? ' ' : char('0' + i / 100);
      text[4 * i + 1] = i < 10 ? ' ' : char('0' + i / 10 % 10);
      text[4 * i + 2] = char('0' + i % 10);
      text[4 * i + 3] = ',';
    }
    return text;
  }();
  static_assert(sizeof...(Layers) < 1000);
};

}  // namespace voxgrad
