// The only use of GDCM, which comes with ITK: it decodes JPEG, JPEG-LS and JPEG 2000. It sees a frame at a time, in a file made for it, and
// runs in a child process.
#include <itkGDCMImageIO.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "io/formats/dicom/frame_bytes.h"
#include "io/formats/isolated.h"

namespace voxgrad::dicom {
namespace {
std::string reason_of(const itk::ExceptionObject& e) {
  std::string text = e.GetDescription();
  if (const size_t object = text.find("): "); text.starts_with("ITK ERROR: ") && object != text.npos) text = text.substr(object + 3);
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void decode_one(const CodedFrame& f, const Emit& emit) try {
  const int file = memfd_create("dicom", MFD_CLOEXEC);
  check(file >= 0, "no memory to decode it");
  for (size_t done = 0; done < f.file.size();) {
    const ssize_t n = write(file, f.file.data() + done, f.file.size() - done);
    check(n > 0, "no memory to decode it");
    done += size_t(n);
  }
  const auto io = itk::GDCMImageIO::New();
  io->SetFileName("/proc/self/fd/" + std::to_string(file));
  io->ReadImageInformation();
  itk::ImageIORegion region(io->GetNumberOfDimensions());
  for (unsigned a = 0; a < io->GetNumberOfDimensions(); ++a) region.SetIndex(a, 0), region.SetSize(a, io->GetDimensions(a));
  io->SetIORegion(region);
  const uint64_t size = uint64_t(io->GetImageSizeInBytes());
  check(size == f.bytes, "its code holds ", size, " bytes of voxels, its elements announce ", f.bytes);
  std::vector<std::byte> pixels(size);
  io->Read(pixels.data());
  emit(pixels.data(), size);
  close(file);
} catch (const itk::ExceptionObject& e) { fail("its compressed voxels cannot be decoded: ", reason_of(e)); }
}  // namespace

std::vector<std::vector<std::byte>> decode_frames(const std::vector<CodedFrame>& frames) {
  std::vector<std::byte> all;
  try {
    all = isolated(frames.at(0).who, [&](const Emit& emit) {
      for (const CodedFrame& f : frames) decode_one(f, emit);
    });
  } catch (const Error&) {
    if (frames.size() > 1)
      for (const CodedFrame& f : frames) decode_frames({f});  // names the file
    throw;
  }
  std::vector<std::vector<std::byte>> out;
  size_t at = 0;
  for (const CodedFrame& f : frames) {
    check(f.bytes <= all.size() - at, f.who, ": lost what its decoder delivered");
    out.emplace_back(all.begin() + int64_t(at), all.begin() + int64_t(at + f.bytes));
    at += f.bytes;
  }
  return out;
}

}  // namespace voxgrad::dicom
