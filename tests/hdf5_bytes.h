#pragma once
#include <string>

#include "io/formats/byte_source.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

// HDF5 files of tests, as they are written out, by gzip.
namespace voxgrad {

inline std::string inflated(const TemporaryFolder& folder, const std::string& bytes) {
  put_bytes(folder / "a.gz", bytes);
  ByteSource source(folder / "a.gz");
  std::string out(16384, ' ');
  out.resize(size_t(source.read_some(out.data(), out.size())));
  return out;
}

// A file a.h5 of these bytes; false where this build has no HDF5.
inline bool put_hdf5(const TemporaryFolder& folder, const std::string& deflated) {
  put_bytes(folder / "a.h5", inflated(folder, deflated));
  if (error_of([&] { read_header(folder / "a.h5", {.array = "-"}); }).find("no HDF5") == std::string::npos) return true;
  WARN("skipped: this build has no HDF5");
  return false;
}

}  // namespace voxgrad
