#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/tensor.h"
#include "io/formats/byte_source.h"

namespace voxgrad {

// Element types that files hold.
enum class Stored { u8, i8, u16, i16, u32, i32, u64, i64, f32, f64, f16 };
int size_of(Stored);
const char* name_of(Stored);
// The numbers that an element type has: whole ones for integers.
struct Bounds {
  double low = 0, high = 0;
  bool whole = false;
  bool holds(double) const;  // not finite: floating types alone
};
Bounds range_of(Stored);
// Of a tensor as it is written: bf16 and f16 are stored as f32.
Stored stored_as(DType);

// How the voxels of a file lie: {D, H, W} with the channels of a voxel side by side or, `planar`, one volume per channel.
struct VoxelLayout {
  std::string format;           // for messages
  int64_t size[3] = {1, 1, 1};  // d, h, w
  int64_t channels = 1;
  bool planar = false;
  Stored stored = Stored::u8;
  bool swapped = false;  // bytes in the order that is not the machine's
  double slope = 1, intercept = 0;

  bool is_rescaled() const { return slope != 1 || intercept != 0; }
  // The dtype in memory, by the table in image.h.
  DType dtype() const;
  Shape shape() const { return {size[0], size[1], size[2], channels}; }
  uint64_t bytes() const;  // in the file
  // Fails on extents below 1 or beyond 2^31 - 1 and on counts that overflow; `who` begins the message.
  void validate(const std::string& who) const;
};

// Voxels from here on in `source`, which is known to hold as many before memory is asked for.
Tensor read_voxels(ByteSource& source, const VoxelLayout&);
// The same from memory.
Tensor convert_voxels(std::span<const std::byte> data, const VoxelLayout&, const std::string& who);

// {V, C} from {C, V} and back, for elements of any size. V: voxels, C: channels.
Tensor interleaved(const Tensor& planar, const Shape& shape);
Tensor planar(const Tensor& interleaved);

}  // namespace voxgrad
