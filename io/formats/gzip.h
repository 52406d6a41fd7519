#pragma once
#include <cstddef>
#include <functional>
#include <span>

namespace voxgrad {

enum class Wrapper { gzip, zlib };

// The bytes of `pieces`, one after the other, as one gzip or zlib stream. Blocks of 512 KB are deflated side by side, each with the
// 32 KB before it as its dictionary (the method of pigz), so the stream depends on the bytes and the level alone.
// emit(data, size) is called in order.
void deflate_stream(std::span<const std::span<const std::byte>> pieces, Wrapper, const std::function<void(const void*, size_t)>& emit,
                    int level = 5);

}  // namespace voxgrad
