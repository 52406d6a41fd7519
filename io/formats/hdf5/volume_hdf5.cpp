// Volumes of HDF5 files, which the library reads in a child process.
#include <cstring>

#include "io/formats/hdf5/hdf5_parts.h"
#include "io/formats/hdf5/read_hdf5.h"

namespace voxgrad {
namespace fs = std::filesystem;

namespace {

void emit_file(const std::string& path, const std::string& wanted, bool all, uint64_t bytes, const Emit& emit) {
  const Hdf5Handle file = open_hdf5(path);
  if (wanted.empty() && is_ismrmrd(file)) read_ismrmrd(file, bytes, all, emit);
  else read_hdf5_array(file, wanted, bytes, all, emit);
}

struct Hdf5Read {
  Shape shape;        // {D, H, W, C}, both parts of complex numbers being channels
  int64_t outer = 1;  // the C of {C, D, H, W}
  bool complex = false;
  int64_t planes = 1;  // Volume::kspace_planes
  Affine affine;
  std::vector<std::byte> bytes;
};
Hdf5Read read_isolated(const fs::path& path, const ReadOptions& o, bool all) {
  const std::string who = path.string();
  const uint64_t size = fs::file_size(path);
  Hdf5Read out{.bytes = isolated(who, [&](const Emit& emit) { emit_file(who, o.array, all, size, emit); })};
  Hdf5Array a;
  check(out.bytes.size() >= sizeof a, who, ": lost what its decoder delivered");
  std::memcpy(&a, out.bytes.data(), sizeof a);
  int64_t first = 0;
  while (a.axes - first > 4 && a.extent[first] == 1) ++first;
  check(a.axes - first <= 4, who, ": its array has ", a.axes, " axes; 2 to 4 are read (channels, depth, height, width)");
  out.shape = {1, 1, 1, 1};
  for (int64_t k = a.axes - 1, to = 2; k >= first && to >= 0; --k, --to) out.shape.dims[to] = a.extent[k];
  out.outer = a.axes - first == 4 ? a.extent[first] : 1;
  out.complex = a.complex != 0;
  out.planes = a.planes;
  out.affine = Affine::scaling({a.spacing[0], a.spacing[1], a.spacing[2]});
  out.shape.dims[3] = out.outer * (out.complex ? 2 : 1);
  check(!all || out.bytes.size() == sizeof a + size_t(out.shape.count()) * sizeof(float), who, ": its array is shorter than it says");
  return out;
}

}  // namespace

VolumeHeader hdf5_header(const fs::path& path, const ReadOptions& o) {
  const Hdf5Read r = read_isolated(path, o, false);
  return {.format = "HDF5", .stored = "f32", .shape = r.shape, .dtype = DType::f32, .affine = r.affine};
}

Volume read_hdf5(const fs::path& path, const ReadOptions& o) {
  const Hdf5Read r = read_isolated(path, o, true);
  const Tensor out = Tensor::empty(r.shape);
  const auto* const from = reinterpret_cast<const float*>(r.bytes.data() + sizeof(Hdf5Array));
  float* const to = out.view().as<float>();
  const int64_t parts = r.complex ? 2 : 1, voxels = r.shape[0] * r.shape[1] * r.shape[2];
  for (int64_t c = 0; c < r.outer; ++c)
    for (int64_t i = 0; i < voxels; ++i)
      for (int64_t part = 0; part < parts; ++part) to[(i * r.outer + c) * parts + part] = from[(c * voxels + i) * parts + part];
  return {.data = out, .affine = r.affine, .kspace_planes = r.complex ? r.planes : 0};
}

}  // namespace voxgrad
