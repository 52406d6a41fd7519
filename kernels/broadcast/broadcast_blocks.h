#pragma once
#include <algorithm>
#include <vector>

#include "core/device/parallel.h"
#include "core/view.h"
#include "kernels/broadcast/broadcast_kernels.h"
#include "kernels/spans/spans.h"

// CPU loops over a broadcast: blocks of neighbouring elements of the result, for which each operand is a short array in a cache.
namespace voxgrad {

// Elements [at, at + rows * width) of the result; operand k has element (r, j) of them at base[k] + r row_stride[k] + j step[k].
struct BroadcastBlock {
  static constexpr int64_t kMost = 1024;
  int64_t at, rows, width;
  int64_t base[Broadcast::kOperands], row_stride[Broadcast::kOperands], step[Broadcast::kOperands];
  int64_t count() const { return rows * width; }
};

// One operand of elements T or A, read as A by one thread.
template <class A, class T>
class BroadcastOperand {
 public:
  explicit BroadcastOperand(View v) : from_(v) {}

  // The elements of operand k of the block, valid until the next call. An absent operand reads as whatever.
  const A* block(const BroadcastBlock& b, int k) {
    if (!from_) return nullptr;
    return from_.dtype == dtype_of<T> ? load(from_.as<T>(), b, k) : load(from_.as<A>(), b, k);
  }

 private:
  template <class E>
  const A* load(const E* from, const BroadcastBlock& b, int k) {
    const int64_t stride = b.row_stride[k], step = b.step[k], count = b.count();
    const E* const at = from + b.base[k];
    const bool dense = step == 1 && (b.rows == 1 || stride == b.width), repeats = b.rows == 1 || stride == 0;
    if constexpr (std::is_same_v<E, A>)
      if (dense) return at;
    if (repeats && at == held_ && width_ == b.width && count <= count_) return buffer_.data();
    buffer_.resize(size_t(BroadcastBlock::kMost));
    A* const into = buffer_.data();
    if (dense) span_as(at, count, into);
    else if (step == 0 && repeats) std::fill_n(into, count, A(*at));
    else if (step == 0)
      for (int64_t r = 0; r < b.rows; ++r) std::fill_n(into + r * b.width, b.width, A(at[r * stride]));
    else
      for (int64_t r = 0; r < b.rows; ++r)
        for (int64_t j = 0; j < b.width; ++j) into[r * b.width + j] = A(at[r * stride + j]);
    held_ = repeats ? at : nullptr;
    width_ = b.width;
    count_ = count;
    return into;
  }

  View from_;
  std::vector<A> buffer_;
  const void* held_ = nullptr;  // what the buffer holds of an operand that repeats along the rows
  int64_t width_ = 0, count_ = 0;
};

// make() gives each thread its body(const BroadcastBlock&); the blocks depend on the shapes alone.
template <class Make>
void for_broadcast_blocks(const Broadcast& p, Make&& make) {
  if (p.count == 0) return;
  const int inner = p.rank - 1, middle = p.rank - 2;
  const int64_t width = inner >= 0 ? p.extent[inner] : 1, height = middle >= 0 ? p.extent[middle] : 1;
  const int64_t piece = std::min(width, BroadcastBlock::kMost), rows = std::max<int64_t>(1, BroadcastBlock::kMost / width);
  const int64_t pieces = chunk_count(width, piece), bands = chunk_count(height, rows);
  const int64_t blocks = p.count / (width * height) * bands * pieces, size = std::min(height, rows) * piece;
  parallel_ranges(blocks, std::max<int64_t>(1, (1 << 14) / size), [&](int64_t begin, int64_t end) {
    auto body = make();
    for (int64_t i = begin; i < end; ++i) {
      const int64_t j0 = i % pieces * piece, r0 = i / pieces % bands * rows, outer = i / (pieces * bands);
      BroadcastBlock b{.at = (outer * height + r0) * width + j0, .rows = std::min(rows, height - r0), .width = std::min(piece, width - j0),
                       .base = {}, .row_stride = {}, .step = {}};
      for (int k = 0; k < Broadcast::kOperands; ++k) {
        b.step[k] = inner >= 0 ? p.stride[k][inner] : 0;
        b.row_stride[k] = middle >= 0 ? p.stride[k][middle] : 0;
        b.base[k] = j0 * b.step[k] + r0 * b.row_stride[k];
        int64_t rest = outer;
        for (int axis = middle - 1; axis >= 0; --axis) {
          b.base[k] += rest % p.extent[axis] * p.stride[k][axis];
          rest /= p.extent[axis];
        }
      }
      body(b);
    }
  });
}

}  // namespace voxgrad
