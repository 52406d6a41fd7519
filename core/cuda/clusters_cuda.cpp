// What the driver says of clusters.
#include <cuda_runtime_api.h>

#include <map>
#include <mutex>
#include <tuple>

#include "core/cuda/launch_checks.h"
#include "core/cuda/runtime.h"

namespace voxgrad {

int detail::clusters_at_once(Cuda on, const void* function, int threads, int64_t shared, int cluster) {
  static std::mutex mutex;
  static std::map<std::tuple<int, const void*, int, int64_t, int>, int> known;  // the driver takes longer than a launch
  const std::lock_guard lock(mutex);
  int& at_once = known[{cuda::device_of(on), function, threads, shared, cluster}];
  if (at_once > 0) return at_once;
  cudaLaunchAttribute attribute[1];
  attribute[0].id = cudaLaunchAttributeClusterDimension;
  attribute[0].val.clusterDim = {unsigned(cluster), 1, 1};
  const cudaLaunchConfig_t shape{dim3(unsigned(cluster)), dim3(unsigned(threads)), size_t(shared), nullptr, attribute, 1};
  if (cudaOccupancyMaxActiveClusters(&at_once, function, &shape) != cudaSuccess) {
    at_once = 0;
    (void)cudaGetLastError();
  }
  return at_once;
}

}  // namespace voxgrad
