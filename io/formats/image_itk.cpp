// Pictures by ITK, which runs in child processes.
#include <itkBMPImageIO.h>
#include <itkJPEGImageIO.h>
#include <itkPNGImageIO.h>
#include <itkTIFFImageIO.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "io/formats/foreign.h"
#include "io/formats/isolated.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {
// The most that the compression of a picture is believed to reach.
constexpr uint64_t kMostCompression = 100000;

Stored stored_of(itk::IOComponentEnum type) {
  using T = itk::IOComponentEnum;
  switch (type) {
    case T::UCHAR: return Stored::u8;
    case T::CHAR: return Stored::i8;
    case T::USHORT: return Stored::u16;
    case T::SHORT: return Stored::i16;
    case T::UINT: return Stored::u32;
    case T::INT: return Stored::i32;
    case T::ULONG:
    case T::ULONGLONG: return Stored::u64;
    case T::LONG:
    case T::LONGLONG: return Stored::i64;
    case T::FLOAT: return Stored::f32;
    case T::DOUBLE: return Stored::f64;
    default: fail("its pixel type is not one that is read");
  }
}

itk::ImageIOBase::Pointer new_io(Foreign format) {
  switch (format) {
    case Foreign::tiff: return itk::TIFFImageIO::New().GetPointer();
    case Foreign::png: return itk::PNGImageIO::New().GetPointer();
    case Foreign::bmp: return itk::BMPImageIO::New().GetPointer();
    default: return itk::JPEGImageIO::New().GetPointer();
  }
}

void select_all(itk::ImageIOBase& io) {
  itk::ImageIORegion region(io.GetNumberOfDimensions());
  for (unsigned a = 0; a < io.GetNumberOfDimensions(); ++a) region.SetIndex(a, 0), region.SetSize(a, io.GetDimensions(a));
  io.SetIORegion(region);
}

// ITK's messages begin with where in ITK they come from.
std::string reason_of(const itk::ExceptionObject& e) {
  std::string text = e.GetDescription();
  if (const size_t object = text.find("): "); text.starts_with("ITK ERROR: ") && object != text.npos) text = text.substr(object + 3);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// Whether colours are those of a palette that is not just greys in order.
template <class Palette>
bool has_colours(const Palette& palette) {
  for (size_t i = 0; i < palette.size(); ++i)
    if (palette[i].GetRed() != i || palette[i].GetGreen() != i || palette[i].GetBlue() != i) return true;
  return false;
}
bool has_colours(itk::ImageIOBase& io, Foreign format) {
  if (format == Foreign::png) return has_colours(static_cast<itk::PNGImageIO&>(io).GetColorPalette());
  return format != Foreign::bmp || has_colours(static_cast<itk::BMPImageIO&>(io).GetColorPalette());
}

Decoded decode_one(Foreign format, const fs::path& path, Part part, bool indices) try {
  auto io = new_io(format);
  io->SetFileName(path.string());
  io->SetExpandRGBPalette(false);
  io->ReadImageInformation();
  if (io->GetIsReadAsScalarPlusPalette() && !indices && has_colours(*io, format)) {
    io = new_io(format);
    io->SetFileName(path.string());
    io->ReadImageInformation();
  }
  Decoded d{.layout = {.channels = int64_t(io->GetNumberOfComponents()), .stored = stored_of(io->GetComponentType())}};
  const unsigned axes = io->GetNumberOfDimensions();
  for (unsigned a = 0; a < axes; ++a) {
    if (a >= 3) {
      check(io->GetDimensions(a) == 1, "it has ", axes, " axes, up to 3 are read");
      continue;
    }
    d.layout.size[2 - a] = int64_t(io->GetDimensions(a));
    const double spacing = io->GetSpacing(a);
    const auto direction = io->GetDirection(a);
    for (unsigned r = 0; r < 3; ++r)
      d.geometry.axis[a][r] =
          (std::isfinite(spacing) && spacing > 0 ? spacing : 1) * (r < direction.size() ? direction[r] : double(a == r));
    d.geometry.origin[a] = io->GetOrigin(a);
  }
  d.layout.validate("its voxels");
  check(d.layout.bytes() / kMostCompression <= fs::file_size(path), "the header announces ", d.layout.bytes(),
        " bytes of voxels, but the file has ", fs::file_size(path), " bytes");
  if (part == Part::header) return d;
  select_all(*io);
  d.pixels.resize(std::max<uint64_t>(d.layout.bytes(), uint64_t(io->GetImageSizeInBytes())));
  io->Read(d.pixels.data());
  d.pixels.resize(d.layout.bytes());
  return d;
} catch (const itk::ExceptionObject& e) { fail("cannot be read: ", reason_of(e)); }

void emit_decoded(const Emit& emit, const Decoded& d) {
  emit(d.layout.size, sizeof d.layout.size), emit(&d.layout.channels, sizeof d.layout.channels),
      emit(&d.layout.stored, sizeof d.layout.stored);
  emit(&d.geometry, sizeof d.geometry);
  const uint64_t size = d.pixels.size();
  emit(&size, sizeof size), emit(d.pixels.data(), size);
}

// Takes what the child emitted apart again.
struct Reader {
  const std::byte* at;
  void take(void* to, size_t bytes) {
    if (bytes > 0) std::memcpy(to, at, bytes);
    at += bytes;
  }
  template <class T>
  T take() {
    T value;
    take(&value, sizeof value);
    return value;
  }
};

const char* name_of(Foreign format) {
  constexpr const char* names[] = {"TIFF", "PNG", "JPEG", "BMP"};
  return names[int(format)];
}
}  // namespace

std::vector<Decoded> decode(Foreign format, const std::vector<fs::path>& paths, Part part, bool indices) {
  std::vector<std::byte> bytes;
  try {
    bytes = isolated(paths.size() == 1 ? paths[0].string() : paths[0].parent_path().string(), [&](const Emit& emit) {
      for (auto& path : paths) emit_decoded(emit, decode_one(format, path, part, indices));
    });
  } catch (const Error&) {
    if (paths.size() > 1)
      for (auto& path : paths) decode(format, {path}, part, indices);  // names the file
    throw;
  }
  std::vector<Decoded> out(paths.size());
  Reader reader{bytes.data()};
  for (Decoded& d : out) {
    d.layout.format = name_of(format);
    reader.take(d.layout.size, sizeof d.layout.size);
    d.layout.channels = reader.take<int64_t>(), d.layout.stored = reader.take<Stored>();
    d.geometry = reader.take<LpsGeometry>();
    d.pixels.resize(reader.take<uint64_t>());
    reader.take(d.pixels.data(), d.pixels.size());
  }
  return out;
}

void encode(Foreign format, const fs::path& path, const Shape& s, Stored stored, std::span<const std::byte> pixels) {
  isolated(path.string(), [&](const Emit&) {
    try {
      const auto io = new_io(format);
      const unsigned axes = s[0] > 1 ? 3 : 2;
      io->SetFileName(path.string());
      io->SetNumberOfDimensions(axes);
      for (unsigned a = 0; a < axes; ++a) io->SetDimensions(a, size_t(s[2 - int(a)]));
      select_all(*io);
      io->SetNumberOfComponents(unsigned(s[3]));
      io->SetPixelType(s[3] == 3 ? itk::IOPixelEnum::RGB : itk::IOPixelEnum::SCALAR);
      io->SetComponentType(stored == Stored::u8    ? itk::IOComponentEnum::UCHAR
                           : stored == Stored::u16 ? itk::IOComponentEnum::USHORT
                           : stored == Stored::i16 ? itk::IOComponentEnum::SHORT
                                                   : itk::IOComponentEnum::FLOAT);
      io->WriteImageInformation();
      io->Write(pixels.data());
    } catch (const itk::ExceptionObject& e) { fail(reason_of(e)); }
  });
}

}  // namespace voxgrad
