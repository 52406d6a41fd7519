#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace voxgrad {

// The largest ratio that deflate can reach (zlib.net/zlib_tech.html).
inline constexpr uint64_t kMostInflation = 1032;

enum class Wrapper { gzip, zlib };

// The bytes of `pieces`, one after the other, as one gzip or zlib stream. Blocks of 512 KB are deflated side by side, each with the
// 32 KB before it as its dictionary (the method of pigz), so the stream depends on the bytes and the level alone.
// emit(data, size) is called in order.
void deflate_stream(std::span<const std::span<const std::byte>> pieces, Wrapper, const std::function<void(const void*, size_t)>& emit,
                    int level = 5);

// The same data without head and tail, of bytes that come piece by piece: 16 MB are held at a time.
class Deflater {
 public:
  using Emit = std::function<void(const void*, size_t)>;
  explicit Deflater(Emit emit, int level = 5) : emit_(std::move(emit)), level_(level) {}
  void write(std::span<const std::byte>);
  void finish();
  uint32_t checksum() const { return checksum_; }  // CRC-32 of all bytes so far
  uint64_t bytes() const { return bytes_; }

 private:
  void deflate_held(bool last);

  Emit emit_;
  int level_;
  std::vector<std::byte> held_;  // behind the dictionary
  size_t dictionary_ = 0;
  uint32_t checksum_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace voxgrad
