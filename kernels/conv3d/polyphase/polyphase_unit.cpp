#include "kernels/conv3d/polyphase/polyphase.h"

#include "core/autograd.h"
#include "core/rng.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "tests/catch.h"

using namespace voxgrad;

namespace {

Conv3dProblem stem(int64_t n, Int3 in, int64_t c, int64_t k, Int3 kernel, Int3 stride, Int3 padding) {
  Conv3dProblem p{.n = n, .c = c, .k = k, .in = in, .kernel = kernel, .stride = stride, .padding = padding};
  for (int a = 0; a < 3; ++a) p.out[a] = (in[a] + 2 * padding[a] - kernel[a]) / stride[a] + 1;
  return p;
}

bool by_phases(const Conv3dProblem& p) {
  const bool wide = is_polyphase(forward_gather(p), 16);
  CHECK(is_polyphase(forward_gather(p), 8) == wide);
  return wide;
}

constexpr Int3 kAll{7, 7, 7}, kSlice{1, 7, 7}, kTwo{2, 2, 2}, kInSlice{1, 2, 2}, kThree{3, 3, 3}, kSliceThree{0, 3, 3};

}  // namespace

TEST_CASE("the op cases of phases are computed by phases") {
  CHECK(by_phases(stem(2, {12, 14, 16}, 1, 16, kAll, kTwo, kThree)));
  CHECK(by_phases(stem(1, {21, 11, 27}, 2, 37, kAll, kTwo, kThree)));
  CHECK(by_phases(stem(1, {5, 6, 33}, 1, 80, {3, 7, 7}, kTwo, {1, 3, 3})));
  CHECK(by_phases(stem(2, {1, 37, 41}, 3, 24, kSlice, kInSlice, kSliceThree)));
  CHECK(by_phases(stem(1, {9, 13, 31}, 4, 16, kAll, kTwo, {0, 0, 0})));
  CHECK(by_phases(stem(1, {1, 137, 15}, 2, 16, kSlice, kInSlice, kSliceThree)));
  CHECK(by_phases(stem(1, {3, 4, 9}, 1, 16, kAll, kTwo, {6, 6, 6})));
  CHECK(by_phases(stem(1, {11, 17, 26}, 2, 20, kAll, {3, 3, 2}, kThree)));
}

TEST_CASE("phases are of squares where there are planes and squares are mostly full") {
  const auto square = [](const Conv3dProblem& p) {
    REQUIRE(by_phases(p));
    return is_polyphase_square(forward_gather(p));
  };
  CHECK_FALSE(square(stem(1, {21, 4, 27}, 2, 37, kAll, kTwo, kThree)));  // squares that are half empty
  CHECK(square(stem(1, {21, 11, 27}, 2, 37, kAll, kTwo, kThree)));
  CHECK(square(stem(2, {12, 14, 16}, 1, 16, kAll, kTwo, kThree)));
  CHECK(square(stem(2, {49, 15, 37}, 4, 16, kAll, kTwo, kThree)));
  CHECK(square(stem(1, {6, 16, 15}, 3, 70, {5, 7, 7}, kInSlice, kThree)));
  CHECK(square(stem(1, {64, 64, 64}, 2, 64, kAll, kTwo, kThree)));
  CHECK(square(stem(2, {64, 64, 64}, 1, 64, kAll, kTwo, kThree)));
  CHECK_FALSE(square(stem(1, {1, 224, 224}, 3, 64, kSlice, kInSlice, kSliceThree)));
  CHECK_FALSE(square(stem(1, {5, 64, 64}, 4, 64, kAll, kTwo, kThree)));        // three planes
  CHECK_FALSE(square(stem(1, {32, 64, 64}, 4, 64, kAll, {2, 1, 2}, kThree)));
  CHECK_FALSE(square(stem(1, {32, 64, 64}, 4, 64, {7, 5, 7}, kTwo, kThree)));
  Conv3dProblem dilated = stem(1, {48, 64, 64}, 4, 64, kAll, kInSlice, kThree);
  dilated.dilation = {2, 1, 1}, dilated.out.d -= 6;
  CHECK_FALSE(square(dilated));
}

TEST_CASE("phases are for kernels of 7 with stride 2 along W of at most 4 channels") {
  const auto direct = [](int64_t c, int64_t k, Int3 kernel, Int3 stride) {
    return !by_phases(stem(1, {32, 32, 32}, c, k, kernel, stride, kThree));
  };
  CHECK_FALSE(direct(1, 64, kAll, kTwo));
  CHECK(direct(5, 64, kAll, kTwo));
  CHECK(direct(1, 7, kAll, kTwo));
  CHECK(direct(1, 64, {7, 7, 5}, kTwo));
  CHECK(direct(1, 64, kAll, {2, 2, 1}));
  CHECK(direct(1, 64, {1, 1, 7}, kTwo));
  CHECK(direct(1, 64, kSlice, kInSlice));
  const Conv3dProblem p = stem(1, {32, 32, 32}, 1, 64, kAll, kTwo, kThree);
  CHECK_FALSE(is_polyphase(gradient_gather(p), 16));
  CHECK_FALSE(is_polyphase(forward_gather(p), 16, 0.4));
  Conv3dProblem dilated = p;
  dilated.dilation = kTwo;
  CHECK_FALSE(is_polyphase(forward_gather(dilated), 16));
}

TEST_CASE("what phases make of a weight is kept within an Inference scope, and not beyond it") {
  Rng rng(1);
  const Tensor x = Tensor::empty({1, 12, 13, 20, 1}), w = Tensor::empty({16, 7, 7, 7, 1});
  for (const Tensor& t : {x, w})
    for (float& v : t.mutable_data<float>()) v = float(rng.uniform(-1, 1));
  const Conv3dOptions o{.stride = kTwo, .padding = kThree};
  const std::vector<double> wanted = conv3d(x, w, {}, o).values();
  {
    const Inference scope;
    CHECK(conv3d(x, w, {}, o).values() == wanted);
    const Conv3dProblem p = stem(1, {12, 13, 20}, 1, 16, kAll, kTwo, kThree);
    REQUIRE(kept_weight(p, DType::f32, w));
    CHECK(*kept_weight(p, DType::f32, w));
    CHECK(conv3d(x, w, {}, o).values() == wanted);
  }
  for (float& v : w.mutable_data<float>()) v = -v;
  std::vector<double> negated = wanted;
  for (double& v : negated) v = -v;
  const Inference scope;
  CHECK(conv3d(x, w, {}, o).values() == negated);
}
