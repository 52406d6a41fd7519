// Boxes of tensors: tensor_map() of core/cuda/tensor_map.h, and the copies of core/cuda/transactions.h that take one.
#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "tests/emulator/block.h"
#include "tests/emulator/device.h"

#include "core/cuda/transactions.h"
#include "core/error.h"

namespace voxgrad {
namespace emulator {
namespace {

constexpr uint64_t kMade = 0x70616d20726f736eu;  // of a map that tensor_map has made

// What a TensorMap is here.
struct Boxes {
  uint64_t made;
  const unsigned char* address;
  int64_t extent[5], stride[4];
  uint16_t box[5];
  uint8_t step[5];
  DType dtype;
  bool tf32;
  Swizzle swizzle;
};
static_assert(sizeof(Boxes) <= sizeof(TensorMap));
using Place5 = std::array<int, 5>;

// Calls f(where the row would begin, number of the row, first byte that lies inside and the one behind it) for all rows along the fastest
// axis.
template <class F>
void for_rows(const Boxes& b, const Place5& at, F&& f) {
  const int64_t element = int64_t(size_of(b.dtype));
  int64_t row = 0;
  int i[5] = {};
  for (i[4] = 0; i[4] < b.box[4]; ++i[4])
    for (i[3] = 0; i[3] < b.box[3]; ++i[3])
      for (i[2] = 0; i[2] < b.box[2]; ++i[2])
        for (i[1] = 0; i[1] < b.box[1]; ++i[1], ++row) {
          const unsigned char* from = b.address + at[0] * element;
          bool inside = true;
          for (int a = 1; a < 5; ++a) {
            const int64_t place = int64_t(at[a]) + i[a] * b.step[a];
            inside = inside && place >= 0 && place < b.extent[a];
            from += place * b.stride[a - 1];
          }
          const int64_t begin = std::max<int64_t>(-at[0], 0), end = std::min<int64_t>(b.box[0], b.extent[0] - at[0]);
          f(from, row, inside ? begin * element : 0, inside && end > begin ? end * element : 0);
        }
}

// The box in shared memory, which begins at byte `first` of the window.
void write_box(const Boxes& b, const Place5& at, unsigned char* into, uint32_t first) {
  const int64_t bytes = b.box[0] * int64_t(size_of(b.dtype));
  const uint32_t width = uint32_t(swizzle_width(b.swizzle));
  std::vector<unsigned char> values(static_cast<size_t>(bytes));
  for_rows(b, at, [&](const unsigned char* from, int64_t row, int64_t begin, int64_t end) {
    std::fill(values.begin(), values.end(), static_cast<unsigned char>(0));
    if (end > begin) std::memcpy(values.data() + begin, from + begin, size_t(end - begin));
    if (b.tf32)
      for (int64_t e = 0; e < bytes; e += 4) {
        float v;
        std::memcpy(&v, values.data() + e, 4);
        const uint32_t rounded = tf32_of(v);
        std::memcpy(values.data() + e, &rounded, 4);
      }
    for (int64_t piece = 0; piece < bytes; piece += 16) {
      const uint32_t place = first + uint32_t(row * bytes + piece);
      const uint32_t moved = b.swizzle == Swizzle::none ? place : place ^ ((place >> 7 & (width / 16 - 1)) << 4);
      std::memcpy(into + (int64_t(moved) - first), values.data() + piece, 16);
    }
  });
}

void copy_box(SharedAddress into, const TensorMap& map, const Place5& at, SharedAddress barrier, unsigned blocks) {
  BlockRunner& r = BlockRunner::here();
  Boxes b;
  std::memcpy(&b, &map, sizeof b);
  if (b.made != kMade) r.stop([] { return std::string("cp.async.bulk.tensor: of a map that tensor_map has not made"); });
  const uint32_t first = r.offset(into.value(), "cp.async.bulk.tensor"), on = r.offset(barrier.value(), "cp.async.bulk.tensor");
  if (first % 128) r.stop([&] { return "cp.async.bulk.tensor: to byte " + std::to_string(first) + ", multiples of 128 are possible"; });
  int64_t bytes = int64_t(size_of(b.dtype));
  for (const int n : b.box) bytes *= n;
  if (blocks == 0 || blocks >> r.cluster())
    r.stop([&] {
      return "cp.async.bulk.tensor: to the blocks " + std::to_string(blocks) + " of a cluster of " + std::to_string(r.cluster());
    });
  for_rows(b, at, [&](const unsigned char* from, int64_t, int64_t begin, int64_t end) {
    r.counts().copied += end - begin;
    if (const Counting* all = Counting::alive(); all && end > begin && all->watches(from + begin)) r.counts().watched += end - begin;
  });
  for (int rank = 0; rank < r.cluster(); ++rank) {
    if (!(blocks >> rank & 1)) continue;
    RunningBlock& block = r.block_of(rank);
    if (first + size_t(bytes) > block.used) r.stop([] { return std::string("cp.async.bulk.tensor: past the end of shared memory"); });
    unsigned char* const target = block.base + first;
    r.check_copy(block, block.base + on);
    r.begin_copy(block, {[b, at, target, first] { write_box(b, at, target, first); }, target, bytes, block.base + on});
  }
}

}  // namespace
}  // namespace emulator

TensorMap tensor_map(const BoxedTensor& t) {
  detail::check_boxes(t);
  emulator::Boxes b{.made = emulator::kMade, .address = static_cast<const unsigned char*>(t.address), .extent = {}, .stride = {}, .box = {},
                    .step = {}, .dtype = t.dtype, .tf32 = t.tf32, .swizzle = t.swizzle};
  size_t bytes = size_t(t.extent[0]) * size_of(t.dtype);
  for (int a = 0; a < 5; ++a) {
    b.extent[a] = t.extent[a], b.box[a] = uint16_t(t.box[a]), b.step[a] = uint8_t(t.step[a]);
    if (a > 0) b.stride[a - 1] = t.stride[a], bytes += size_t(t.extent[a] - 1) * size_t(t.stride[a]);
  }
  emulator::Device& d = emulator::Device::instance();
  const std::lock_guard lock(d.mutex);
  check(d.block_at(t.address, bytes, "tensor map"), "emulator: a tensor map of memory that is not the device's");
  TensorMap map{};
  std::memcpy(&map, &b, sizeof b);
  return map;
}

void box_copy(SharedAddress into, const TensorMap& map, const int (&at)[5], SharedAddress barrier) {
  emulator::copy_box(into, map, std::to_array(at), barrier, 1u << emulator::BlockRunner::here().rank());
}
void box_copy_to(SharedAddress into, const TensorMap& map, const int (&at)[5], SharedAddress barrier, uint16_t blocks) {
  emulator::copy_box(into, map, std::to_array(at), barrier, blocks);
}

}  // namespace voxgrad
