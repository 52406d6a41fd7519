// Convolutions by each way of the tensor cores, of small whole numbers, of which all sums are exact: the same results to the last bit.
#include <map>

#include "core/autograd.h"
#include "core/cuda/runtime.h"
#include "kernels/conv3d/conv3d.h"
#include "kernels/conv3d/conv3d_problem.h"
#include "tests/cuda/convolutions/conv_way.h"
#include "tests/tensor_helpers.h"

using namespace voxgrad;

namespace {

const Device kDevice{0};

// The output and the gradients of x and w, all of them on the device.
std::vector<Tensor> results_of(const Tensor& x, const Tensor& w, const Tensor& gy, const Conv3dOptions& options) {
  const Tensor in = x.detach().require_grad(), by = w.detach().require_grad();
  const Tensor y = conv3d(in, by, {}, options);
  backward(y, gy);
  return {y, in.grad(), by.grad()};
}

}  // namespace

TEST_CASE("convolutions: every way of the tensor cores has the same sums") {
  if (cuda::device_count() == 0) {
    WARN("skipped: this machine has 0 CUDA devices");
    return;
  }
  struct Layer {
    Shape x;
    int64_t outputs;
    Int3 kernel;
    int stride = 1;
  };
  // Every form of the gradient of weights by wgmma: blocks of 32 and 64 channels, of 27 and 9 taps, with lines and without; ragged tiles.
  const Layer layers[] = {{{2, 6, 7, 20, 40}, 24, {3, 3, 3}}, {{1, 5, 6, 9, 40}, 32, {3, 3, 3}}, {{1, 9, 6, 9, 40}, 64, {3, 3, 3}},
                          {{1, 5, 6, 9, 40}, 72, {3, 3, 3}},  {{1, 5, 6, 9, 40}, 32, {1, 3, 3}}, {{1, 5, 6, 9, 40}, 72, {1, 3, 3}},
                          {{2, 7, 6, 9, 33}, 40, {3, 3, 3}, 2}, {{2, 7, 6, 9, 40}, 40, {3, 3, 3}, 2},
                          {{1, 3, 6, 17, 24}, 30, {3, 3, 1}}};
  std::map<std::string, int> had;
  for (const Layer& l : layers)
    for (const DType t : {DType::bf16, DType::f16, DType::f32}) {
      if (t == DType::f16 && &l != layers && &l != layers + 5) continue;  // the forms of bf16
      const Conv3dOptions o{.stride = {l.stride, l.stride, l.stride}, .padding = {l.kernel.d / 2, l.kernel.h / 2, l.kernel.w / 2}};
      const Tensor x = whole_noise(l.x, 1).to(t).to(kDevice);
      const Tensor w = whole_noise({l.outputs, l.kernel.d, l.kernel.h, l.kernel.w, l.x[4]}, 2).to(kDevice);
      const Int3 out = conv3d_problem(l.x, x, w, {}, o).out;
      const Tensor gy = whole_noise({l.x[0], out.d, out.h, out.w, l.outputs}, 3).to(t).to(kDevice);
      const auto run = [&] { return results_of(x, w, gy, o); };
      std::vector<Tensor> wanted;
      CAPTURE(l.x, l.outputs, l.kernel.d, l.kernel.w, l.stride, name_of(t));
      for (const char* name : {"mma", "wgmma", "tma", "lines", "lines_tma"}) {
        CAPTURE(name);
        ByWay way(name);
        if (!way.is_had_by(kDevice, run)) continue;
        ++had[name];
        const std::vector<Tensor> got = run();
        if (wanted.empty()) wanted = got;
        else
          for (size_t i = 0; i < got.size(); ++i) CHECK(got[i].values() == wanted[i].values());
      }
    }
  // mma of all; of the others those that have a kernel of theirs for a pass.
  CHECK(had["mma"] == 20);
  if (cuda::chip_of(current_stream(kDevice)).architecture == 90)
    for (const char* name : {"wgmma", "tma", "lines", "lines_tma"}) CHECK(had[name] > 0);
}
