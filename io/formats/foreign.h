#pragma once
// Pictures as ITK decodes them, in a child process (isolated.h).
#include "io/formats/formats.h"

namespace voxgrad {

struct Decoded {
  VoxelLayout layout;
  LpsGeometry geometry;
  LengthUnit unit = LengthUnit::millimetre;
  std::string warning = {};
  std::vector<std::byte> pixels = {};  // empty where only the header was asked for
};
enum class Foreign { tiff, png, jpeg, bmp };
enum class Part { header, all };

// All of `paths`, in one child. A file that cannot be decoded is an error that names it. indices: of a palette, not its colours; one of
// greys gives greys anyway.
std::vector<Decoded> decode(Foreign, const std::vector<std::filesystem::path>& paths, Part, bool indices = false);
// A PNG file, in this process. Greys below 8 bits become 0 .. 255, unless `indices`.
Decoded decode_png(const std::filesystem::path&, Part, bool indices = false);
// {1, H, W, C} or, as TIFF, {D, H, W, C}; `pixels` as they are in the file.
void encode(Foreign, const std::filesystem::path&, const Shape&, Stored, std::span<const std::byte> pixels);

}  // namespace voxgrad
