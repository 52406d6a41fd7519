// Files of k-space: in three dimensions, and with images beside it.
#include <cmath>
#include <filesystem>

#include "core/config/json_values.h"
#include "io/json_file.h"
#include "kernels/binary/binary.h"
#include "kernels/fft/fft.h"
#include "kernels/permute/permute.h"
#include "kernels/random/random.h"
#include "kernels/reduce/reduce.h"
#include "tasks/image_scores/evaluate_images.h"
#include "tasks/reconstruction/untrained.h"
#include "tests/close.h"
#include "tests/hdf5_bytes.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// By h5py 3.16, libver=("v108", "v110"); deflated. ISMRMRD, one coil, a matrix of 4 x 3 x 2: numpy.fft.fftn, centred and orthonormal, of an
// image {x, y, z} of the numbers 1 to 24.
const std::string kVolume = from_hex(
    "1f8b0800000000000203ed58cb6ed34014bde3a46908b498aaa22d42228a44175dc47da02c2ad72da54041ad2ab53b3696b1a78969ec04cfd0a6d9d0059b7e"
    "021f00123b044262810495582196880fe00b787c00ccc49e7682a2d0a02e409a23459eb9f7faccbd27f3b0bdbfbc7463207721a765b320f033c1c7b1b83f99"
    "d8f7ef7c7abbb6bcb4ae41431b920305721a20800cf321e8f71cea104c5f0ad6453801a06f8f1e1f2785419e42aa11544b28be3173965bd23ca9452d219bf9"
    "ab14be6c9fde6fa58000a161000d3188f4926b6a18d018b3eaacad1fdab3d0c7b24b695996790a4122b82e889fc37f87ebcd990fb116654d6891497ce29a32"
    "34544a01dc66ed0a763c80520e6082f5b67144fc5a184ba025626c569d32014d6fe9c5b100e183e02e8eecdaa64d9ca05ec50472f21d8e4bfd6d6cbb15270c"
    "7195c019d9e9f9c47522cfae4718063b3a6a84822e7b5c1c52365c3c160cc92e1cba35cf0fcb36a93b2eb623bc09c3b29f46ce3decd25ab46b7b7e80435e1e"
    "81f37288ef3560b4740a804fdfad98a7458b6d4271dd9e6a97a343c474acce61f94c46a78c212d1b49d5773164dacaaa852c3d566c56b6d62b6c91b6eb19e1"
    "3aa63ee5ff4c9b946c31b74b487099d5f89b7a5c0298184b26f6b9fc2548b73c7918c9c2c843d6e26b1066bb45c8cb441f8da7d19b646df57f765f808282c2"
    "49809d43a0678f4eaf9bd7d65690742c21298ec39c67876a3ed9b9e70a53c5c9c2bc65fa248882c85b66db3b8ef22c222473850aa5f559c3d8d9d929b6fcc5"
    "5a54366e6dacaeafae2f152c53eca5490b7b1b7ca7b3ccc0a191dfd8f09bacddb0ae9846c33277ad19d3d8b5cca635c9306d1a4dcb34e440a39d4370aff881"
    "4f89704b86a38dda62a700c5c47742d390ac47b7b0665b79564b07f10c913faece7f88bffffee282dc4ff7c8dfd739fe29c0de65d1f9917ec5c6d87b229fce"
    "22fed9f8d64172bdca7f5fbfd345a97fd0df997f5cf025fcefe4f1385e0fa835a6a0a0a0a0a0a0a0a0a0a0a0f06f239dbcfb6bc78ce71f11c49704ad0b13ea"
    "8929d58549eb8929ddb53ad403535fd7ea7a61ca74adae1726fe7efe0bbba4faeecc190000");

// As fastMRI's: "kspace" {1, 1, 13, 11} of zeros, "reconstruction_rss" {1, 9, 8} of the numbers 0 to 71.
const std::string kTarget = from_hex(
    "1f8b0800000000000203edd73f68136118c7f1e7bd3bc3354d200d914869f50605078520a138147ad6a3042cb64a870ea20d3160a9b62149e92182a18856d1"
    "d26e1d3b3a165c5cc46c2db838165c3a76ece856bf69de539b2a5d5ae8f0fee0c325ef3fdee7c9927b5b084692f1deb8e5ba12655f672dd9fe9ed3e31b17af"
    "bc192b04f72d09adf4df0ba3c42d5122a994c837abbde5aede1aeb17a6d2d572696eb656afce97ead373b38faab5da57d55e703e2dced10325298713ac7ed8"
    "3cb88212a50211cb514a9f20d133dad3dd31febf797b40d400f76d35a02ad2e35d6a5d8578927525fb924fd3e2fc6bf81cf5da71975ed84a74ff42471ffb50"
    "4e3983cf1752bf7b91a717f69f5e74e9a7db517be7b89d11755c6561a2bdd68b0e5991339772f14b76ec76e14eaca7556b6ca6562996ca9ff464e23a655062"
    "a655e6b362c84f3ca43be04bbe5bf2fb36dd8b8e6adef3b77fdce815131313131313131393934f63e8e03f98f868601d4dec406ef12a010f39f818c7142a68"
    "60092b58c33a3e62039fd1c416be631b3bd8c51e7e4286451cb84820850c2ea00f1e2ee32aae21873c6e62103e0214308a714c60120f3085c77882a7a8a08e"
    "102fd0c0225ee13596f00eefb13cfc0b7ddb6bca980d0000");

// The same length.
std::string with(std::string bytes, const std::string& old, const std::string& now) {
  REQUIRE(old.size() == now.size());
  REQUIRE(bytes.find(old) != bytes.npos);
  return bytes.replace(bytes.find(old), old.size(), now);
}

}  // namespace

TEST_CASE("k-space in three dimensions is that of slices along the readout") {
  // Two volumes of two coils.
  const Tensor x = randn({2, 4, 5, 6, 4}, Rng(1));
  const Tensor kspace = fft(x, 3);  // {volumes, planes, columns, rows, 2 coils}, the readout along W
  const Tensor stored = permute(kspace.reshape({8, 5, 6, 2, 2}), {3, 2, 1, 0, 4}).reshape({2, 6, 5, 16});
  const Tensor slices = kspace_of({.data = stored, .affine = {}, .kspace_planes = 4}, "k").data;
  CHECK(slices.shape() == Shape{12, 4, 5, 4});
  const Tensor back = ifft(slices.reshape({12, 1, 4, 5, 4}), 2).reshape({2, 6, 4, 5, 4});
  CHECK(max(abs(permute(back, {0, 2, 3, 1, 4}) - x)).item() < 1e-5);
}

TEST_CASE("an ISMRMRD file with two phase encodings is reconstructed") {
  const TemporaryFolder folder;
  if (!put_hdf5(folder, kVolume)) return;
  const Volume v = read_volume(folder / "a.h5");
  CHECK(v.data.shape() == Shape{1, 4, 3, 4});
  CHECK(v.kspace_planes == 2);
  const Tensor image = reconstruct_untrained(kspace_of(v, "a.h5").data, {.method = "zero_filled"});
  CHECK(image.shape() == Shape{4, 2, 3, 1});
  for (int i = 0; i < 24; ++i) CHECK(close(image.values()[size_t(i)], 1 + 6 * (i / 6) + 2 * (i % 3) + i / 3 % 2, 1e-4));
}

TEST_CASE("what an ISMRMRD header says of a trajectory and a matrix is held against the file") {
  const TemporaryFolder folder;
  if (!put_hdf5(folder, kVolume)) return;
  const std::string good = file_bytes(folder / "a.h5");
  const auto error_with = [&](const std::string& old, const std::string& now) {
    put_bytes(folder / "a.h5", with(good, old, now));
    return error_of([&] { read_volume(folder / "a.h5"); });
  };
  for (const char* trajectory : {"radial   ", "spiral   ", "epi      ", "other    "})
    CHECK_THAT(error_with(">cartesian<", std::string(">") + trajectory + "<"),
               Contains("a.h5") && Contains(trajectory) && Contains("cartesian ones are read"));
  CHECK_THAT(error_with("<z>00002<", "<z>00001<"), Contains("partition 1") && Contains("beyond a matrix of 3 x 1"));
  CHECK_THAT(error_with("<y>3<", "<y>2<"), Contains("line 2") && Contains("beyond"));
  CHECK_THAT(error_with("<z>00002<", "<z>60000<"), Contains("60000 planes") && Contains("can hold"));
  for (const char* size : {"00000", "-0001", "99999"})
    CHECK_THAT(error_with("<z>00002<", std::string("<z>") + size + "<"), Contains("a matrix of"));
}

TEST_CASE("images of fastMRI's files are compared with the middle of what was reconstructed") {
  const TemporaryFolder folder;
  if (!put_hdf5(folder, kTarget)) return;
  std::filesystem::create_directory(folder / "ref");
  std::filesystem::rename(folder / "a.h5", folder / "ref/a.h5");
  const auto nmse_of = [&](int64_t height, int64_t width, double middle) {
    std::vector<double> values(size_t(height * width), 100);
    for (int64_t i = 0; i < 72 && width >= 8; ++i)
      values[size_t((i / 8 + (height - 9) / 2) * width + i % 8 + (width - 8) / 2)] = double(i) + middle;
    std::filesystem::create_directory(folder / "pred");
    write_volume(folder / "pred/a.nii.gz", {Tensor::from(values, {1, height, width, 1}), Affine::scaling({1, 2, 2})});
    const auto e = evaluate_images(folder / "pred", folder / "ref", {.array = "reconstruction_rss"}, ScoreRange::largest);
    return parse_json(e.json, "test")["nmse"].get<double>();
  };
  CHECK(nmse_of(13, 11, 0) == 0);
  double squares = 0;
  for (int i = 0; i < 72; ++i) squares += i * i;
  CHECK(close(nmse_of(12, 8, 1), 72 / squares, 1e-6));
  CHECK_THAT(error_of([&] { nmse_of(9, 7, 0); }), Contains("another grid") && Contains("a.nii.gz"));
  CHECK_THAT(error_of([&] { evaluate_images(folder / "pred", folder / "ref", {.array = "rss"}, ScoreRange::largest); }),
             Contains("\"rss\""));
}
