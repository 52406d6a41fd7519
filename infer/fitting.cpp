#include "infer/fitting.h"

#include <algorithm>
#include <vector>

namespace voxgrad {
namespace {

// Bytes in use at most beyond those before; empty where the memory does not suffice.
std::optional<double> peak_of(Device device, const std::function<void(const Workload&)>& attempt, const Workload& w) try {
  trim_memory(device);
  reset_peak_memory(device);
  const size_t before = memory_stats(device).in_use;
  attempt(w);
  return double(memory_stats(device).peak - before);
} catch (const Error&) { return {}; }  // or the network cannot take a patch so small

// Patches of about the shape, each smaller than the one before.
std::vector<Int3> smaller_patches(Int3 patch, Int3 divisor) {
  std::vector<Int3> out;
  Int3 last = patch;
  for (int percent = 99; percent > 0; --percent) {
    Int3 p;
    for (int a = 0; a < 3; ++a) p[a] = std::max(1, int(int64_t(patch[a]) * percent / 100 / divisor[a])) * divisor[a];
    if (p == last || p.d > patch.d || p.h > patch.h || p.w > patch.w) continue;
    out.push_back(last = p);
  }
  return out;
}

}  // namespace

std::optional<Workload> largest_fitting(Device device, const Workload& asked, Int3 divisor,
                                        const std::function<void(const Workload&)>& attempt) {
  if (free_memory(device) == 0) return {};
  const std::vector<Int3> patches = smaller_patches(asked.patch, divisor);
  // The probe: about half of each extent, less where that does not fit.
  std::vector<Int3> probes(patches.begin() + std::ptrdiff_t(patches.size() / 2), patches.end());
  if (probes.empty()) probes.push_back(asked.patch);
  double per_voxel = 0;
  for (size_t i = 0; i < probes.size() && per_voxel == 0; ++i)
    if (const auto peak = peak_of(device, attempt, {1, probes[i]})) per_voxel = *peak / Workload{1, probes[i]}.voxels();
  if (per_voxel == 0) return {};
  trim_memory(device);
  const double room = double(free_memory(device));
  std::vector<Workload> candidates;
  for (int64_t n = asked.batch - 1; n >= 1; --n) candidates.push_back({n, asked.patch});
  for (const Int3& p : patches) candidates.push_back({1, p});
  for (const Workload& w : candidates)
    if (per_voxel * w.voxels() <= room && peak_of(device, attempt, w)) return w;
  return {};
}

void fail_with_what_fits(const std::string& what, const char* options, Device device, const Workload& asked, Int3 divisor,
                         const std::function<void(const Workload&)>& attempt) {
  const auto found = largest_fitting(device, asked, divisor, attempt);
  check(found.has_value(), what, ", for a batch of ", asked.batch, " and a patch of ", asked.patch);
  fail(what, ", for a batch of ", asked.batch, " and a patch of ", asked.patch, "; a batch of ", found->batch, " and a patch of ",
       found->patch, " would fit (", options, ")");
}

}  // namespace voxgrad
