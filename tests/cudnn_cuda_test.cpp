// Convolutions by cuDNN as far as they go without a GPU: the scope that asks for them, and the operations, which cuDNN itself checks when
// their descriptors are finalised. On a GPU, `op_case_test --device cuda --conv cudnn` holds the results to f64.
#include "core/conv_backend.h"
#include "core/error.h"
#include "kernels/conv3d/conv3d_cudnn_kernels.h"
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
#include "kernels/conv3d/conv3d_cudnn_plan.h"

namespace {
Conv3dProblem problem(Int3 in, Int3 kernel, Int3 stride, Int3 padding, Int3 dilation = {1, 1, 1}, int groups = 1) {
  Conv3dProblem p{.n = 2, .c = 16, .k = 32, .groups = groups, .in = in, .kernel = kernel, .stride = stride, .padding = padding,
                  .dilation = dilation};
  for (int a = 0; a < 3; ++a) p.out[a] = (in[a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1) / stride[a] + 1;
  return p;
}
}  // namespace

TEST_CASE("cuDNN accepts the operations of convolutions") {
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3}, none{0, 0, 0};
  const Conv3dProblem uses[] = {
      problem({12, 10, 8}, three, one, one),
      problem({13, 10, 8}, three, two, one),  // a plane that no output reads
      problem({12, 10, 8}, two, two, none),
      problem({12, 10, 8}, {1, 3, 3}, {1, 2, 2}, {0, 1, 1}),
      problem({12, 10, 8}, three, one, two, two),
      problem({12, 10, 8}, three, one, one, one, 16),
      problem({600, 1024, 1024}, three, one, one),  // more than 2^31 elements
  };
  for (const Conv3dProblem& p : uses)
    for (CudnnPass pass : {CudnnPass::forward, CudnnPass::input_gradient, CudnnPass::weight_gradient})
      for (DType t : {DType::f32, DType::bf16, DType::f16}) CHECK_NOTHROW(CudnnOperation({.p = p, .pass = pass, .dtype = t}));
  Conv3dProblem wrong = problem({12, 10, 8}, three, one, one);
  wrong.out.w += 1, wrong.padding.w = 40, wrong.kernel.w = -3;
  CHECK_THROWS_AS(CudnnOperation({.p = wrong}), Error);
}
#endif
