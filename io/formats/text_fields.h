#pragma once
#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace voxgrad {

// Pieces of text headers.
inline std::string_view trimmed(std::string_view s) {
  while (!s.empty() && std::isspace((unsigned char)s.front())) s.remove_prefix(1);
  while (!s.empty() && std::isspace((unsigned char)s.back())) s.remove_suffix(1);
  return s;
}

inline std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return out;
}

inline std::vector<std::string_view> words(std::string_view s) {
  std::vector<std::string_view> out;
  for (s = trimmed(s); !s.empty(); s = trimmed(s)) {
    size_t n = 0;
    while (n < s.size() && !std::isspace((unsigned char)s[n])) ++n;
    out.push_back(s.substr(0, n));
    s.remove_prefix(n);
  }
  return out;
}

// A whole word as a number; `what` names the file and the field.
template <class T>
T number(std::string_view word, const std::string& what) {
  T value{};
  if (word.starts_with('+')) word.remove_prefix(1);
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  check(error == std::errc() && end == word.data() + word.size(), what, " is \"", word.substr(0, 40), "\", wanted a number");
  return value;
}

template <class T>
std::vector<T> numbers(std::string_view text, const std::string& what) {
  std::vector<T> out;
  for (auto word : words(text)) out.push_back(number<T>(word, what));
  return out;
}

}  // namespace voxgrad
