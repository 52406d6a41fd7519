#pragma once
#include "io/volume.h"

namespace voxgrad {

// How the rows and columns of a JPEG lie in the picture that viewers show, by the tag Orientation of its Exif segment (Exif 2.32 section
// 4.6.4, as cameras and telephones write it): to_canonical of the pixels {1, H, W, C} is that picture. As they are where the file says
// nothing, or nothing that can be read.
Orientation jpeg_orientation(const std::filesystem::path&);

}  // namespace voxgrad
