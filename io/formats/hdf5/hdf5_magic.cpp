#include <cstring>

#include "io/formats/byte_source.h"
#include "io/formats/hdf5/read_hdf5.h"

namespace voxgrad {

bool is_hdf5(const std::filesystem::path& path) {
  ByteSource source(path, ByteSource::Coding::plain);
  char magic[8] = {};
  return source.read_some(magic, 8) == 8 && std::memcmp(magic, "\x89HDF\r\n\x1a\n", 8) == 0;
}

}  // namespace voxgrad
