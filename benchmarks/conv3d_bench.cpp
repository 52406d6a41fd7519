// Speed of the convolution kernels beside the fused multiply-add rate of the machine, measured in the same run.
// Usage: conv3d_bench [--threads N] [--dtype f32|bf16|f16|f64] [--seconds S] [FILTER]     (FILTER: part of a layer's name)
// One thread is measured by its processor time, several by wall time; each figure is the best of several runs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "core/isa.h"
#include "core/parallel.h"
#include "core/tensor.h"
#include "kernels/conv3d/conv3d_kernels.h"

using namespace voxgrad;

namespace {

double seconds_now(bool processor_time) {
  if (!processor_time) return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
}

// Best time of a call, in seconds, over at least `budget` seconds and 3 calls.
template <class F>
double best_time(double budget, F&& f) {
  const bool alone = threads() == 1;
  f();
  double best = 1e30, spent = 0;
  for (int i = 0; i < 3 || spent < budget; ++i) {
    const double start = seconds_now(alone);
    f();
    const double t = seconds_now(alone) - start;
    best = std::min(best, t), spent += t;
  }
  return best;
}

// 12 independent chains of multiply-adds in registers; `bytes` is the width of a vector.
constexpr int64_t kRounds = 1 << 21;
#define FMA_LOOP(name, bytes, attribute)                                                                                     \
  attribute double name() {                                                                                                  \
    typedef float V __attribute__((vector_size(bytes)));                                                                     \
    V sum[12], a = V{} + 1e-9f, b = V{} + 0.5f;                                                                              \
    for (int j = 0; j < 12; ++j) sum[j] = V{} + float(j);                                                                    \
    for (int64_t i = 0; i < kRounds; ++i) { _Pragma("GCC unroll 12") for (int j = 0; j < 12; ++j) sum[j] = sum[j] * b + a; } \
    volatile float sink = 0;                                                                                                 \
    for (auto& v : sum) sink = sink + v[0];                                                                                  \
    return double(kRounds) * 12 * double(sizeof(V) / 4) * 2;                                                                 \
  }
FMA_LOOP(multiply_add_baseline, 16, )
FMA_LOOP(multiply_add_avx2, 32, __attribute__((target("avx2,fma"), optimize("fp-contract=fast"))))
FMA_LOOP(multiply_add_avx512, 64, __attribute__((target("avx512f,prefer-vector-width=512"), optimize("fp-contract=fast"))))

// f32 FLOP/s of all threads together.
double peak() {
  double flops = 0;
  const double t = best_time(0.3, [&] {
    std::vector<double> done(size_t(threads()) * 16);
    parallel_for(threads(), 1, [&](int64_t i) {
      done[size_t(i) * 16] = isa() >= Isa::avx512 ? multiply_add_avx512()
                             : isa() == Isa::avx2 ? multiply_add_avx2()
                                                  : multiply_add_baseline();
    });
    flops = 0;
    for (double f : done) flops += f;
  });
  return flops / t;
}

struct Layer {
  const char* name;
  Conv3dProblem p;  // out is derived
};

Layer layer(const char* name, int64_t c, int64_t k, Int3 size, Int3 kernel = {3, 3, 3}, Int3 stride = {1, 1, 1}, int groups = 1,
            int64_t n = 1) {
  Layer l{name, {.n = n, .c = c, .k = k, .groups = groups, .in = size, .kernel = kernel, .stride = stride}};
  for (int a = 0; a < 3; ++a) {
    l.p.padding[a] = kernel[a] == stride[a] ? 0 : kernel[a] / 2;
    l.p.out[a] = (size[a] + 2 * l.p.padding[a] - kernel[a]) / stride[a] + 1;
  }
  return l;
}

// The layers of the U-Nets that are trained here; T: seen from the convolution whose adjoint the transposed one is.
std::vector<Layer> layers() {
  const Int3 one{1, 1, 1}, two{2, 2, 2}, three{3, 3, 3}, small{40, 56, 40};
  const auto cube = [](int n) { return Int3{n, n, n}; };
  return {layer("1-32 at 64", 1, 32, cube(64)),
          layer("32-32 at 64", 32, 32, cube(64)),
          layer("64-32 at 64", 64, 32, cube(64)),
          layer("32-64/2 at 64", 32, 64, cube(64), three, two),
          layer("64-64 at 32", 64, 64, cube(32)),
          layer("128-64 at 32", 128, 64, cube(32)),
          layer("64-128/2 at 32", 64, 128, cube(32), three, two),
          layer("128-128 at 16", 128, 128, cube(16)),
          layer("256-128 at 16", 256, 128, cube(16)),
          layer("128-256/2 at 16", 128, 256, cube(16), three, two),
          layer("256-256 at 8", 256, 256, cube(8)),
          layer("512-256 at 8", 512, 256, cube(8)),
          layer("320-320 at 4", 320, 320, cube(4)),
          layer("T64-32 at 32", 32, 64, cube(64), two, two),
          layer("T128-64 at 16", 64, 128, cube(32), two, two),
          layer("T320-256 at 4", 256, 320, cube(8), two, two),
          layer("1x1 32-3 at 64", 32, 3, cube(64), one),
          layer("1x1 64-64 at 32", 64, 64, cube(32), one),
          layer("7 1-64/2 at 64", 1, 64, cube(64), cube(7), two),
          layer("dw3 32 at 64", 32, 32, cube(64), three, one, 32),
          layer("dw5 32 at 64", 32, 32, cube(64), cube(5), one, 32),
          layer("1-16 at 40x56x40", 1, 16, small),
          layer("16-16 at 40x56x40", 16, 16, small),
          layer("32-16 at 40x56x40", 32, 16, small),
          layer("16-32/2 at 40x56x40, 2", 16, 32, small, three, two, 1, 2),
          layer("32-32 at 20x28x20, 2", 32, 32, {20, 28, 20}, three, one, 1, 2),
          layer("64-64 at 10x14x10, 2", 64, 64, {10, 14, 10}, three, one, 1, 2),
          layer("128-128 at 5x7x5, 2", 128, 128, {5, 7, 5}, three, one, 1, 2),
          layer("T32-16 at 20x28x20, 2", 16, 32, small, two, two, 1, 2),
          layer("1x1 16-3 at 40x56x40, 2", 16, 3, small, one, one, 1, 2)};
}

Tensor ramp(const Shape& s, DType t) {
  Tensor x = Tensor::empty(s, DType::f32);
  int64_t i = 0;
  for (float& v : x.data<float>()) v = float((i++ * 37) % 101) * 0.01f - 0.5f;
  return x.to(t);
}

}  // namespace

int main(int argc, char** argv) {
  std::string filter;
  DType dtype = DType::f32;
  double budget = 0.2;
  for (int i = 1; i < argc; ++i) {
    const auto value = [&](const char* name) { return !std::strcmp(argv[i], name) && i + 1 < argc; };
    if (value("--threads")) set_threads(std::atoi(argv[++i]));
    else if (value("--seconds")) budget = std::atof(argv[++i]);
    else if (value("--dtype")) {
      const std::string text = argv[++i];
      for (DType t : {DType::f32, DType::f64, DType::bf16, DType::f16})
        if (text == name_of(t)) dtype = t;
    } else filter = argv[i];
  }
  const double limit = peak();
  std::printf("%s, %s, %d thread(s), f32 multiply-add peak %.1f GFLOP/s\n", name_of(isa()), name_of(dtype), threads(), limit * 1e-9);
  std::printf("%-26s %26s %26s %26s\n", "layer", "forward", "input gradient", "weight gradient");
  for (const auto& [name, p] : layers()) {
    if (std::string(name).find(filter) == std::string::npos) continue;
    const Tensor x = ramp({p.n, p.in.d, p.in.h, p.in.w, p.c}, dtype), y = ramp({p.n, p.out.d, p.out.h, p.out.w, p.k}, dtype);
    const Tensor w = ramp({p.k, p.kernel.d, p.kernel.h, p.kernel.w, p.c / p.groups}, accum_of(dtype));
    const double flops = 2 * double(p.out_voxels()) * double(p.weights());
    const auto report = [&](auto&& pass) {
      const double t = best_time(budget, pass);
      std::printf("  %7.1f %5.1f %% %8.2f ms", flops / t * 1e-9, 100 * flops / t / limit, t * 1e3);
    };
    std::printf("%-26s", name);
    report([&] { conv3d_forward(Cpu{}, p, x.view(), w.view(), {}, y.view()); });
    report([&] { conv3d_input_gradient(Cpu{}, p, y.view(), w.view(), {}, x.view()); });
    report([&] { conv3d_weight_gradient(Cpu{}, p, x.view(), y.view(), w.view()); });
    std::printf("\n");
    std::fflush(stdout);
  }
}
