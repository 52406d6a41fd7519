#pragma once
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace voxgrad::tiffs {

inline std::string little(uint64_t n, size_t bytes) { return {reinterpret_cast<const char*>(&n), bytes}; }

struct Entry {
  int tag, type;  // 3: 16 bits, 4: 32 bits
  uint32_t value;
};
// One page whose data follow the header.
inline std::string tiff(std::vector<Entry> entries, const std::string& data, bool tiles = false) {
  entries.push_back({tiles ? 324 : 273, 4, 8});
  entries.push_back({tiles ? 325 : 279, 4, uint32_t(data.size())});
  std::sort(entries.begin(), entries.end(), [](auto& a, auto& b) { return a.tag < b.tag; });
  std::string padded = data + (data.size() % 2 ? std::string(1, '\0') : "");
  std::string out = "II*" + std::string(1, '\0') + little(8 + padded.size(), 4) + padded + little(entries.size(), 2);
  for (const Entry& e : entries) out += little(uint64_t(e.tag), 2) + little(uint64_t(e.type), 2) + little(1, 4) + little(e.value, 4);
  return out + little(0, 4);
}
inline std::vector<Entry> page(uint32_t width, uint32_t height, uint32_t bits, uint32_t compression) {
  return {{256, 3, width}, {257, 3, height}, {258, 3, bits}, {259, 3, compression}, {262, 3, 1}, {277, 3, 1}, {278, 3, height}};
}
inline std::vector<Entry> with(std::vector<Entry> entries, const std::vector<Entry>& more) {
  entries.insert(entries.end(), more.begin(), more.end());
  return entries;
}

}  // namespace voxgrad::tiffs
