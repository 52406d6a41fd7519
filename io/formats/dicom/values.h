#pragma once
#include <functional>

#include "io/formats/dicom/frame_bytes.h"
#include "io/formats/voxels.h"

namespace voxgrad::dicom {

// The stored values of a frame, samples of a voxel side by side: bits outside of BitsStored left out, signs extended.
void unpack(const FrameBytes&, const PixelFormat&, std::vector<double>& values);
// What they mean: YBR as RGB, a palette's colours (not for labels, which are its indices), the modality's table, else slope and intercept.
void give_meaning(const Object&, const Plane&, bool labels, std::vector<double>& values);
int64_t samples_after(const Object&, bool labels);

// Element types in file and memory that hold what all planes of these objects can be.
struct Types {
  Stored stored = Stored::u8;
  DType dtype = DType::u8;
};
Types types_of(const std::vector<Object>&, bool labels);

// Calls use(object, plane index in `wanted`, frame's stored values) for the frames of the planes that are wanted, file by file. Planes of
// one frame (tiles) share a call each.
struct WantedFrame {
  size_t object = 0;
  int64_t frame = 0;
};
void each_frame(const std::vector<Object>&, const std::vector<WantedFrame>&,
                const std::function<void(size_t index, std::vector<double>& values)>& use);

}  // namespace voxgrad::dicom
