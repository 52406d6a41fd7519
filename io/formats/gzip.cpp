#include "io/formats/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/device/parallel.h"

namespace voxgrad {
namespace {
constexpr int64_t kBlock = 512 << 10, kDictionary = 32 << 10, kBlocksAtOnce = 32;

// The bytes [begin, end) of the pieces in one row, copied to `scratch` where they cross a border.
std::span<const std::byte> bytes_of(std::span<const std::span<const std::byte>> pieces, int64_t begin, int64_t end,
                                    std::vector<std::byte>& scratch) {
  scratch.clear();
  for (auto& piece : pieces) {
    const int64_t size = int64_t(piece.size()), first = std::clamp<int64_t>(begin, 0, size), last = std::clamp<int64_t>(end, 0, size);
    if (begin >= 0 && last - first == end - begin) return piece.subspan(size_t(first), size_t(last - first));
    scratch.insert(scratch.end(), piece.begin() + first, piece.begin() + last);
    begin -= size, end -= size;
  }
  return scratch;
}

struct Deflated {
  std::vector<std::byte> bytes;
  unsigned long checksum;
};

Deflated deflate_block(std::span<const std::byte> dictionary, std::span<const std::byte> block, bool last, Wrapper wrapper, int level) {
  z_stream z;
  std::memset(&z, 0, sizeof z);
  check(deflateInit2(&z, level, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK, "deflate: no memory");
  const auto* data = reinterpret_cast<const Bytef*>(block.data());
  Deflated out;
  out.bytes.resize(deflateBound(&z, uLong(block.size())) + 16);
  if (!dictionary.empty()) deflateSetDictionary(&z, reinterpret_cast<const Bytef*>(dictionary.data()), uInt(dictionary.size()));
  z.next_in = const_cast<Bytef*>(data), z.avail_in = uInt(block.size());
  z.next_out = reinterpret_cast<Bytef*>(out.bytes.data()), z.avail_out = uInt(out.bytes.size());
  const int status = deflate(&z, last ? Z_FINISH : Z_SYNC_FLUSH);
  out.bytes.resize(out.bytes.size() - z.avail_out);
  deflateEnd(&z);
  check(status == (last ? Z_STREAM_END : Z_OK), "deflate: zlib failed with ", status);
  out.checksum = wrapper == Wrapper::gzip ? crc32_z(0, data, block.size()) : adler32_z(1, data, block.size());
  return out;
}
}  // namespace

void deflate_stream(std::span<const std::span<const std::byte>> pieces, Wrapper wrapper,
                    const std::function<void(const void*, size_t)>& emit, int level) {
  int64_t total = 0;
  for (auto& piece : pieces) total += int64_t(piece.size());
  const unsigned char gzip_head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}, zlib_head[2] = {0x78, 0x9c};
  if (wrapper == Wrapper::gzip) emit(gzip_head, sizeof gzip_head);
  else emit(zlib_head, sizeof zlib_head);

  const int64_t blocks = std::max<int64_t>(1, chunk_count(total, kBlock));
  unsigned long checksum = wrapper == Wrapper::gzip ? 0 : 1;
  std::vector<Deflated> done(size_t(std::min(blocks, kBlocksAtOnce)));
  for (int64_t first = 0; first < blocks; first += kBlocksAtOnce) {
    const int64_t count = std::min(kBlocksAtOnce, blocks - first);
    parallel_for(count, 1, [&](int64_t i) {
      const int64_t begin = (first + i) * kBlock, end = std::min(total, begin + kBlock);
      std::vector<std::byte> scratch, before;
      const auto dictionary = bytes_of(pieces, std::max<int64_t>(0, begin - kDictionary), begin, before);
      done[size_t(i)] = deflate_block(dictionary, bytes_of(pieces, begin, end, scratch), first + i == blocks - 1, wrapper, level);
    });
    for (int64_t i = 0; i < count; ++i) {
      const Deflated& block = done[size_t(i)];
      emit(block.bytes.data(), block.bytes.size());
      const auto length = z_off_t(std::min(kBlock, total - (first + i) * kBlock));
      checksum =
          wrapper == Wrapper::gzip ? crc32_combine(checksum, block.checksum, length) : adler32_combine(checksum, block.checksum, length);
    }
  }
  unsigned char tail[8];
  for (int i = 0; i < 4; ++i) {
    tail[i] = wrapper == Wrapper::gzip ? (unsigned char)(checksum >> 8 * i) : (unsigned char)(checksum >> (24 - 8 * i));
    tail[4 + i] = (unsigned char)(uint64_t(total) >> 8 * i);
  }
  emit(tail, wrapper == Wrapper::gzip ? 8 : 4);
}

void Deflater::write(std::span<const std::byte> data) {
  const size_t most = size_t(kBlock * kBlocksAtOnce);
  while (!data.empty()) {
    const size_t room = most - (held_.size() - dictionary_), taken = std::min(room, data.size());
    held_.insert(held_.end(), data.begin(), data.begin() + int64_t(taken));
    data = data.subspan(taken);
    if (held_.size() - dictionary_ == most && !data.empty()) deflate_held(false);
  }
}

void Deflater::finish() { deflate_held(true); }

void Deflater::deflate_held(bool last) {
  const int64_t total = int64_t(held_.size() - dictionary_), blocks = std::max<int64_t>(1, chunk_count(total, kBlock));
  std::vector<Deflated> done{size_t(blocks)};
  const std::span<const std::byte> all(held_);
  parallel_for(blocks, 1, [&](int64_t i) {
    const size_t begin = dictionary_ + size_t(i * kBlock), size = size_t(std::min(kBlock, total - i * kBlock));
    const size_t before = std::min<size_t>(begin, kDictionary);
    done[size_t(i)] =
        deflate_block(all.subspan(begin - before, before), all.subspan(begin, size), last && i == blocks - 1, Wrapper::gzip, level_);
  });
  for (int64_t i = 0; i < blocks; ++i) {
    const Deflated& block = done[size_t(i)];
    emit_(block.bytes.data(), block.bytes.size());
    checksum_ = uint32_t(crc32_combine(checksum_, block.checksum, z_off_t(std::min(kBlock, total - i * kBlock))));
  }
  bytes_ += uint64_t(total);
  dictionary_ = std::min<size_t>(held_.size(), kDictionary);
  held_.erase(held_.begin(), held_.end() - int64_t(dictionary_));
}

}  // namespace voxgrad
