#pragma once
#include <algorithm>
#include <string>
#include <vector>

namespace voxgrad {

// "a, b, c and 7 more", for messages.
inline std::string first_few(const std::vector<std::string>& names, size_t shown = 5) {
  std::string out;
  for (size_t i = 0; i < std::min(shown, names.size()); ++i) out += (i ? ", " : "") + names[i];
  return names.size() > shown ? out + " and " + std::to_string(names.size() - shown) + " more" : out;
}

}  // namespace voxgrad
