#pragma once
#include <limits>
#include <string>
#include <vector>

#include "core/config/json_values.h"
#include "core/memory/memory.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

namespace voxgrad {

// What the readers of small documents may ask for.
inline constexpr size_t kMostMemory = 64 << 20;  // thousands of times what the files below hold

inline const std::vector<Json> kHostile = {nullptr, true, -1, 0, 1.5, 1e300, 100000, 4294967297, std::numeric_limits<int64_t>::max(),
                                           std::numeric_limits<uint64_t>::max(), "", "x", "../x", Json::array(), Json::object(), {1, 2},
                                           Json::parse("[100000, 100000, 100000]")};

// read(document) for each document that has one value of `good` replaced or one key removed. How many were refused.
template <class Read>
int refused_variants(const Json& good, Read&& read) {
  int refused = 0;
  const auto attempt = [&](const Json& bad, const std::string& what) {
    CAPTURE(what);
    reset_peak_memory(Device{});
    const size_t before = memory_stats(Device{}).in_use;
    refused += !error_of([&] { read(bad); }).empty();
    REQUIRE(memory_stats(Device{}).peak - before < kMostMemory);
  };
  Json bad = good;
  std::vector<std::string> places = {""};
  for (size_t i = 0; i < places.size(); ++i) {
    const std::string place = places[i];
    const Json& node = good.at(Json::json_pointer(place));
    for (const auto& [key, value] : node.items())
      if (node.is_structured()) places.push_back(place + "/" + key);
    Json& changed = bad.at(Json::json_pointer(place));
    for (const Json& value : kHostile) {
      changed = value;
      attempt(bad, place + " is " + value.dump());
    }
    for (const auto& [key, value] : node.items()) {
      if (!node.is_object()) break;
      changed = node;
      changed.erase(key);
      attempt(bad, place + " without " + key);
    }
    changed = node;
  }
  return refused;
}

}  // namespace voxgrad
