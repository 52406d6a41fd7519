#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "io/zip.h"

namespace voxgrad::pickles {

// Pieces of pickles of protocol 2.
inline std::string little(uint64_t n, int bytes) { return std::string(reinterpret_cast<const char*>(&n), size_t(bytes)); }
inline std::string text(const std::string& s) { return "X" + little(s.size(), 4) + s; }
inline std::string whole(int64_t n) { return n >= 0 && n < 256 ? "K" + little(uint64_t(n), 1) : "\x8a\x08" + little(uint64_t(n), 8); }
inline std::string tuple(const std::string& elements) { return "(" + elements + "t"; }
inline std::string named(const std::string& module, const std::string& name) { return "c" + module + "\n" + name + "\n"; }
inline std::string whole_tuple(const std::vector<int64_t>& v) {
  std::string out;
  for (int64_t n : v) out += whole(n);
  return tuple(out);
}

struct View {
  std::string key = "0", type = "FloatStorage";
  int64_t count = 6, offset = 0;
  std::vector<int64_t> shape = {2, 3}, strides = {3, 1};
};
inline std::string tensor(const View& v, bool stream = false) {
  const std::string id = tuple(text("storage") + named("torch", v.type) + text(v.key) + text("cpu") + whole(v.count) + (stream ? "N" : ""));
  return named("torch._utils", "_rebuild_tensor_v2") +
         tuple(id + "Q" + whole(v.offset) + whole_tuple(v.shape) + whole_tuple(v.strides) + "\x89" + named("collections", "OrderedDict") +
               ")R") +
         "R";
}
inline std::string dict(const std::string& entries) { return "}(" + entries + "u"; }
inline std::string pickled(const std::string& value) { return "\x80\x02" + value + "."; }

inline std::string floats(const std::vector<float>& v) { return {reinterpret_cast<const char*>(v.data()), v.size() * 4}; }
inline const std::string kSix = floats({0, 1, 2, 3, 4, 5});

inline void put_zip(const std::filesystem::path& path, const std::vector<std::pair<std::string, std::string>>& files) {
  std::vector<ZipFile> out;
  for (auto& [name, bytes] : files) out.push_back({name, {std::as_bytes(std::span(bytes))}});
  write_zip(path, out);
}

// A file of PyTorch before 1.6: the value, the list of storages and their counts and bytes.
inline std::string stream_of(const std::string& value, const std::string& keys, const std::string& data) {
  const std::string magic("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  return magic + pickled("M\xe9\x03") + pickled(dict(text("protocol_version") + "M\xe9\x03" + text("little_endian") + "\x88")) +
         pickled(value) + pickled(keys) + data;
}

}  // namespace voxgrad::pickles
