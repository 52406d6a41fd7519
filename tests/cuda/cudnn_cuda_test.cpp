// Convolutions by cuDNN as far as they go without a GPU: the scope that asks for them, and the operations, which cuDNN itself checks when
// their descriptors are finalised. On a GPU, `op_case_test --device cuda --conv cudnn` holds the results to f64.
#include <algorithm>

#include "core/device/conv_backend.h"
#include "core/error.h"
#include "kernels/conv3d/cuda/conv3d_cudnn_kernels.h"
#include "tests/catch.h"

using namespace voxgrad;

TEST_CASE("the backend of convolutions lasts as long as its scope") {
  CHECK(ConvBackendScope::active() == ConvBackend::own);
  if (cudnn_version() == 0) {
    CHECK_THROWS_AS(ConvBackendScope(ConvBackend::cudnn), Error);
    CHECK(ConvBackendScope::active() == ConvBackend::own);
    return;
  }
  {
    const ConvBackendScope outer(ConvBackend::cudnn);
    CHECK(ConvBackendScope::active() == ConvBackend::cudnn);
    {
      const ConvBackendScope inner(ConvBackend::own);
      CHECK(ConvBackendScope::active() == ConvBackend::own);
    }
    CHECK(ConvBackendScope::active() == ConvBackend::cudnn);
  }
  CHECK(ConvBackendScope::active() == ConvBackend::own);
}

#ifdef VOXGRAD_CUDNN
#include <cudnn.h>

#include "kernels/conv3d/cuda/conv3d_cudnn_plan.h"

namespace {
// An H100 as cuDNN describes devices to itself, so that it can be asked for its engines where there is none.
constexpr char kH100[] = R"({"deviceName": "NVIDIA H100 80GB HBM3", "deviceVer": 900, "driverVer": 13000, "cudaDeviceId": 0,
  "pciDeviceId": 0, "isTccDriver": 0, "supportCoopLaunch": 1, "multiProcessorCount": 132, "warpSize": 32, "totalGlobalMem": 85014806528,
  "l2CacheSize": 52428800, "smClockRateKHz": 1980000, "memClockRateKHz": 2619000, "maxGridSize": [2147483647, 65535, 65535],
  "maxBlockSize": [1024, 1024, 64], "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "maxCtasPerSM": 32, "regsPerBlock": 65536,
  "maxRegistersPerSM": 65536, "maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448,
  "reservedSharedMemoryPerBlock": 1024})";

Conv3dProblem problem(int64_t c, int64_t k, Int3 in, Int3 kernel, Int3 stride, Int3 padding, Int3 dilation = {1, 1, 1}, int groups = 1) {
  Conv3dProblem p{
      .n = 2, .c = c, .k = k, .groups = groups, .in = in, .kernel = kernel, .stride = stride, .padding = padding, .dilation = dilation};
  for (int a = 0; a < 3; ++a) p.out[a] = (in[a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1) / stride[a] + 1;
  return p;
}
std::vector<Conv3dProblem> problems() {
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3}, none{0, 0, 0}, size{12, 10, 8};
  return {
      problem(16, 32, size, three, one, one),
      problem(1, 32, size, three, one, one),
      problem(3, 5, size, three, one, one),
      problem(32, 3, size, one, one, none),
      problem(320, 320, {4, 4, 4}, three, one, one),
      problem(1, 64, size, {7, 7, 7}, two, three),
      problem(16, 32, {13, 10, 8}, three, two, one),  // a plane that no output reads
      problem(16, 32, size, two, two, none),
      problem(16, 32, size, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}),
      problem(16, 32, size, three, one, two, two),
      problem(12, 8, size, three, one, one, one, 2),
      problem(32, 32, size, three, one, one, one, 32),
      problem(6, 6, size, {5, 1, 3}, two, {2, 0, 2}, {1, 1, 2}, 6),
      problem(5, 15, size, three, one, one, one, 5),
      problem(4, 6, size, two, {4, 3, 3}, none),
      problem(4, 5, size, two, one, three),
      problem(5, 8, size, {3, 2, 3}, one, {2, 1, 3}, {2, 1, 3}),
      problem(7, 9, {3, 3, 3}, three, one, none),
      problem(20, 18, {1, 1, 1}, three, one, one),
      problem(3, 4, size, {2, 3, 4}, {3, 2, 1}, {1, 0, 2}),
      problem(16, 32, {600, 1024, 1024}, three, one, one),  // more than 2^31 elements
  };
}
template <class F>
void for_each_use(F f) {
  for (Conv3dProblem p : problems())
    for (CudnnPass pass : {CudnnPass::forward, CudnnPass::input_gradient, CudnnPass::weight_gradient})
      for (DType t : {DType::f32, DType::bf16, DType::f16})
        for (bool exact : {false, true}) {
          p.exact_f32 = exact;
          if (!exact || t == DType::f32) f(CudnnConvolution{.p = p, .pass = pass, .dtype = t});
        }
}
}  // namespace

TEST_CASE("cuDNN does what it is asked for and can be told") {
  for (Conv3dProblem p : problems()) {
    CHECK_FALSE(by_cudnn(p));
    p.cudnn = true;
    CHECK(by_cudnn(p));
  }
  // conv_transpose3d of 3x3x3 voxels with output paddings up to the dilation.
  Conv3dProblem wide = problem(4, 3, {6, 10, 4}, {2, 2, 2}, {1, 2, 1}, {0, 0, 0}, {2, 3, 1});
  wide.cudnn = true, wide.out = {3, 3, 3};
  CHECK_FALSE(by_cudnn(wide));
}

TEST_CASE("cuDNN accepts the operations of convolutions") {
  for_each_use([](const CudnnConvolution& c) { CHECK_NOTHROW(CudnnOperation(c)); });
  Conv3dProblem wrong = problem(16, 32, {12, 10, 8}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1});
  wrong.kernel.w = -3;
  CHECK_THROWS_AS(CudnnOperation({.p = wrong}), Error);
}

#if CUDNN_VERSION >= 90800
namespace {
CudnnDescriptor described_h100() {
  CudnnDescriptor h100(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
  h100.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, int64_t(sizeof kH100), kH100);
  h100.finalize();
  return h100;
}
}  // namespace

TEST_CASE("cuDNN has engines that repeat their bits for an H100") {
  const CudnnDescriptor h100 = described_h100();
  for_each_use([&](const CudnnConvolution& c) {
    const CudnnPlan plan({.device = &h100}, c);
    CHECK(plan.workspace() >= 0);
    CHECK(plan.workspace() < int64_t(8) << 30);
    CHECK(plan.repeats());
  });
}

TEST_CASE("cuDNN offers several engines, and the plan is the first that repeats its bits") {
  const CudnnDescriptor h100 = described_h100();
  for (const CudnnPass pass : {CudnnPass::forward, CudnnPass::input_gradient, CudnnPass::weight_gradient}) {
    const CudnnConvolution c{.p = problem(32, 32, {32, 32, 32}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}), .pass = pass, .dtype = DType::bf16};
    const auto offers = [&](bool repeating, size_t most) {
      std::vector<std::pair<int64_t, bool>> found;
      for_cudnn_plans({.device = &h100}, c, repeating, [&](CudnnPlan plan) {
        found.emplace_back(plan.engine(), plan.repeats());
        return found.size() < most;
      });
      return found;
    };
    const auto all = offers(false, 100), repeating = offers(true, 100);
    CHECK(all.size() >= repeating.size());
    REQUIRE(repeating.size() > 1);
    CHECK(std::all_of(repeating.begin(), repeating.end(), [](auto& o) { return o.second; }));
    CHECK(CudnnPlan({.device = &h100}, c).engine() == repeating[0].first);
    CHECK(offers(false, 2).size() == 2);
  }
}
#endif
#endif
