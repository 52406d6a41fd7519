#include "core/config/config_table.h"

#include <algorithm>
#include <numeric>

namespace voxgrad {

std::string nearest_key(const std::string& name, const std::vector<ConfigKey>& keys) {
  std::string best;
  size_t least = SIZE_MAX;
  for (auto& key : keys) {
    std::vector<size_t> row(key.name.size() + 1);  // Levenshtein distance, one row at a time
    std::iota(row.begin(), row.end(), size_t(0));
    for (size_t i = 1; i <= name.size(); ++i) {
      size_t diagonal = row[0];
      row[0] = i;
      for (size_t j = 1; j <= key.name.size(); ++j) {
        const size_t change = diagonal + (name[i - 1] != key.name[j - 1]);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
      }
    }
    if (row.back() < least) {
      least = row.back();
      best = key.name;
    }
  }
  return best;
}

void set_key(const std::vector<ConfigKey>& keys, const std::string& name, const Json& value, const std::string& where) {
  for (auto& key : keys)
    if (key.name == name) {
      try {
        key.set(value);
      } catch (const Error& e) { fail(where, ": ", name, " = ", value.dump(), ": ", e.what()); }
      return;
    }
  fail(where, ": unknown key \"", name, "\"; the nearest known one is \"", nearest_key(name, keys), "\"");
}

}  // namespace voxgrad
