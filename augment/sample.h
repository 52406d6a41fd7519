#pragma once
#include <array>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace voxgrad {

using Double3 = std::array<double, 3>;
using Bool3 = std::array<bool, 3>;

// What a field is, and so how rotation, scaling, mirroring and cutting ("space") act on it. Space acts on every field of a sample alike;
// intensity transforms act on the network's input alone. Places are in voxels (d, h, w), the centre of the first voxel at 0.
enum class DataKind {
  image,    // f32 {D, H, W, C}; interpolated
  labels,   // u8 {D, H, W}; every label is interpolated as a 0/1 image, the largest wins
  vectors,  // f32 {D, H, W, 3k}; k vectors (along D, H, W) in voxels per voxel: interpolated, and turned, mirrored and scaled with space
  points,   // f32 {P, 3 + k}; place (d, h, w), then k numbers of its own; row p stays row p, also outside of the patch
  boxes,    // f32 {B, 6 + k}; lowest and highest corner (d, h, w, d, h, w), then k numbers of its own, such as its class; voxels a to b are
            // the box a - 1/2 to b + 1/2. Clipped to the patch; those outside are dropped
  values    // f32 or i32 {k..}; not in space
};
const char* name_of(DataKind);
inline bool is_dense(DataKind k) { return k == DataKind::image || k == DataKind::labels || k == DataKind::vectors; }
inline bool is_placed(DataKind k) { return k == DataKind::points || k == DataKind::boxes; }

struct Field {
  std::string name;
  DataKind kind = DataKind::image;
  Tensor data;
  // Of points and boxes in a batch, which are one below the other: those of sample n are the rows [offsets[n], offsets[n + 1]) of data.
  std::vector<int64_t> offsets = {};
};

// The voxels [begin, begin + size) of a volume.
struct VoxelBox {
  Int3 begin, size;
  friend bool operator==(const VoxelBox&, const VoxelBox&) = default;
};

// What a transform maps: the network's input and what is known about it, of one size in voxels, on the CPU.
struct Sample {
  std::vector<Field> fields;  // fields[0] is the network's input, of kind image
  // Where the arrays of voxels are a box of a larger volume: its first voxel, and the extents of the volume, in whose voxels places are.
  Int3 begin = {0, 0, 0}, whole = {0, 0, 0};  // whole 0x0x0: they are all of it

  const Tensor& image() const { return fields.at(0).data; }
  const Field* find(const std::string& name) const;  // null where there is none
  const Tensor& at(const std::string& name) const;   // an Error lists the fields that there are
  size_t bytes() const;
  VoxelBox box() const;  // that is there
  Int3 size() const { return whole == Int3{0, 0, 0} ? box().size : whole; }  // of the volume, in voxels
};
// The field "image", and "label" of kind labels where there is one.
Sample sample_of(Tensor image, Tensor label = {});

// Samples that are learned from together: fields with an N in front, where points and boxes are one below the other (Field::offsets).
struct Batch {
  Tensor image;  // f32 {N, D, H, W, C}
  std::vector<Field> targets;

  const Field* find(const std::string& name) const;
  const Tensor& at(const std::string& name) const;
};

// Fails in the name of `who` unless the sample is as described above, on the CPU and of one size.
void check_sample(const char* who, const Sample&);
// The same of an image alone.
void check_image(const char* who, const Tensor& image);

// Spatial extents of an image {D, H, W, C} or a label {D, H, W}.
Int3 volume_size(const Tensor&);

}  // namespace voxgrad
