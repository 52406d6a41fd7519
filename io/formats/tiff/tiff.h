#pragma once
#include "io/formats/formats.h"

namespace voxgrad {

// TIFF 6.0 and BigTIFF: pages as slices; strips or tiles; 1 to 64 bits; whole numbers and floating point; grey, RGB, palettes, further
// samples; as they are, packed bits, LZW or deflate, with differences of neighbours.
struct TiffPage {
  int64_t width = 0, height = 0, samples = 1;
  int64_t tile_width = 0, tile_height = 0;  // of strips: the width of the page, rows of a strip
  int bits = 1, compression = 1, predictor = 1, photometric = 1;
  bool planar = false, big_endian = false, reduced = false;
  Stored stored = Stored::u8;
  double resolution[2] = {0, 0};  // pixels in a unit, along the width and the height
  double unit_mm = 0;             // of that unit, where it is centimetres: inches mostly mean nothing
  std::string description;
  std::vector<uint64_t> offsets, lengths;  // of strips or tiles
  std::vector<uint16_t> colours;           // of a palette: red, then green, then blue
};

// Pages of one size and kind; smaller versions of a page are left out. What is not read (compression as JPEG or fax, ..) is an Error.
std::vector<TiffPage> tiff_pages(ByteSource&);
bool tiff_is_read(const TiffPage&);
// {pages, H, W, samples}, samples of a pixel side by side, in the byte order of the machine; bits below 8 as bytes.
std::vector<std::byte> tiff_pixels(ByteSource&, const std::vector<TiffPage>&);

}  // namespace voxgrad
