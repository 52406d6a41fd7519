// VOXGRAD_FUZZ=TARGET voxgrad_fuzz [options of libFuzzer] CORPUS; VOXGRAD_FUZZ=list prints the targets. VOXGRAD_FUZZ_SEEDS=FOLDER: writes
// the target's seeds there and ends.
#include <cstdio>
#include <cstdlib>

#include "core/device/parallel.h"
#include "core/error.h"
#include "tests/fuzz/fuzz.h"
#include "tests/temporary_folder.h"

namespace voxgrad {
namespace {

std::vector<FuzzTarget> all_targets() {
  std::vector<FuzzTarget> out;
  for (auto* targets : {volume_targets, dicom_targets, tiff_targets, weight_targets, json_targets})
    for (FuzzTarget& t : targets()) out.push_back(std::move(t));
  return out;
}

FuzzTarget chosen() {
  const char* name = std::getenv("VOXGRAD_FUZZ");
  std::string names;
  for (FuzzTarget& t : all_targets()) {
    if (name && t.name == name) return t;
    names += t.name + "\n";
  }
  std::printf("%s", names.c_str());
  std::exit(name && std::string(name) == "list" ? 0 : 2);
}

const FuzzTarget& target() {
  static const FuzzTarget t = chosen();
  return t;
}

}  // namespace

std::filesystem::path fuzz_file(const std::string& name) {
  static const TemporaryFolder folder;
  return folder / name;
}

}  // namespace voxgrad

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  using namespace voxgrad;
  set_threads(1);
  target();
  const char* folder = std::getenv("VOXGRAD_FUZZ_SEEDS");
  if (!folder) return 0;
  int n = 0;
  for (const std::string& seed : target().seeds()) {
    try {
      target().run(seed);
    } catch (const Error& e) {
      std::printf("seed %d of %s is refused: %s\n", n, target().name.c_str(), e.what());
      std::exit(1);
    }
    put_bytes(std::filesystem::path(folder) / ("seed_" + std::to_string(n++)), seed);
  }
  std::exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    voxgrad::target().run({reinterpret_cast<const char*>(data), size});
  } catch (const voxgrad::Error&) {}
  return 0;
}
