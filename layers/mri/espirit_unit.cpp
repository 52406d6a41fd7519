#include "layers/mri/espirit.h"

#include <cmath>
#include <complex>

#include "core/autograd.h"
#include "io/image.h"
#include "kernels/binary/binary.h"
#include "kernels/complex/complex.h"
#include "kernels/fft/fft.h"
#include "kernels/permute/permute.h"
#include "kernels/reduce/reduce.h"
#include "layers/mri/coils.h"
#include "tests/catch.h"
#include "tests/close.h"
#include "tests/outside_data.h"

using namespace voxgrad;
using Complex = std::complex<double>;

namespace {

// Sensitivities {1, 1, H, W, 2 coils} of a place, the first coil being real.
std::vector<Complex> coils_at(const Tensor& s, int64_t row, int64_t column) {
  const int64_t coils = s.dim(4) / 2;
  const auto values = s.data<float>();
  std::vector<Complex> out;
  for (int64_t c = 0; c < coils; ++c) {
    const size_t at = size_t(((row * s.dim(3) + column) * coils + c) * 2);
    out.emplace_back(values[at], values[at + 1]);
  }
  const double size = std::abs(out[0]);
  const Complex phase = size > 0 ? std::conj(out[0]) / size : Complex(1);
  for (Complex& v : out) v *= phase;
  return out;
}

int64_t places_with_coils(const Tensor& s) {
  int64_t out = 0;
  for (double v : root_sum_of_squares(s).values()) out += v > 0.5;
  return out;
}

struct Place {
  int64_t row, column;
  std::vector<Complex> wanted;
};

}  // namespace

TEST_CASE("ESPIRiT gives the sensitivities of SigPy's") {
  // sigpy 0.1.27: mri.app.EspiritCalib(k, calib_width=12, kernel_width=4, thresh=0.02, crop=0.9, max_iter=300).
  std::vector<double> v;
  for (int i = 0; i < 24 * 20; ++i) {
    const double y = (i / 20 - 11.5) / 12, x = (i % 20 - 9.5) / 10;
    const double image = y * y / 0.64 + x * x / 0.49 < 1 ? 1 + 0.5 * std::sin(3 * y + x) : 0;
    for (int c = 0; c < 3; ++c) {
      const double away = std::pow(y - std::sin(2.1 * c), 2) + std::pow(x - std::cos(2.1 * c), 2);
      const Complex coil = std::polar(image * std::exp(-away / 2), c + 0.7 * x * c - 0.4 * y);
      v.insert(v.end(), {coil.real(), coil.imag()});
    }
  }
  const Tensor kspace = fft(Tensor::from(std::vector<float>(v.begin(), v.end()), {1, 1, 24, 20, 6}));
  const Tensor s = espirit_sensitivities(kspace, {.columns = 12, .kernel = 4, .crop = 0.9});
  const Place places[] = {{12, 10, {{0.604176, 0}, {0.297480, 0.502454}, {-0.259131, 0.476307}}},
                          {5, 9, {{0.476570, 0}, {0.176059, 0.259028}, {-0.295003, 0.766657}}},
                          {9, 4, {{0.289320, 0}, {0.453397, 0.320801}, {0.258799, 0.735415}}},
                          {0, 0, {0, 0, 0}}};
  for (const Place& p : places)
    for (size_t c = 0; c < 3; ++c) CHECK(std::abs(coils_at(s, p.row, p.column)[c] - p.wanted[c]) < 1e-4);
  CHECK(places_with_coils(s) == 336);
  // What the coils saw, and nothing beside it.
  const Tensor image = root_sum_of_squares(combine_coils(kspace, s)), all = zero_filled(kspace);
  CHECK(std::sqrt(sum(square(image - all)).item() / sum(square(all)).item()) < 0.01);
  CHECK(max(root_sum_of_squares(espirit_sensitivities(kspace * 0))).item() == 0);
}

TEST_CASE("ESPIRiT of real k-space gives the sensitivities of SigPy's", "[long]") {
  const auto folder = outside_data("kspace_sigpy");
  if (folder.empty()) return;
  const Tensor read = read_volume(folder / "data" / "cartesian_ksp.npy").data;  // {coils, H, W, 2}
  const Tensor kspace = permute(read, {1, 2, 0, 3}).reshape({1, 1, read.dim(1), read.dim(2), 2 * read.dim(0)});
  const Tensor s = espirit_sensitivities(kspace);  // sigpy 0.1.27: mri.app.EspiritCalib(k)
  const Place places[] = {
      {115, 90, {{0.265230, 0}, {0.229751, -0.213630}, {0.037510, -0.316462}, {-0.099127, -0.294829}, {0.338655, 0.213251},
                 {0.345178, -0.262918}, {0.368171, -0.282140}, {0.021747, -0.262416}}},
      {60, 80, {{0.126182, 0}, {0.180815, -0.151230}, {0.048660, -0.421719}, {-0.440597, -0.417752}, {0.424802, -0.289196},
                {-0.083054, -0.257032}, {0.022118, -0.185927}, {-0.018189, -0.084932}}},
      {170, 120, {{0.225284, 0}, {0.116577, -0.056789}, {0.096489, -0.058552}, {0.093382, -0.030021}, {-0.094846, 0.121644},
                  {0.175612, 0.246471}, {0.469741, 0.528811}, {0.421240, -0.341981}}}};
  for (const Place& p : places)
    for (size_t c = 0; c < 8; ++c) CHECK(std::abs(coils_at(s, p.row, p.column)[c] - p.wanted[c]) < 2e-4);
  CHECK(std::abs(double(places_with_coils(s)) - 29505) < 30);
}
