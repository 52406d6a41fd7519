// The size of voxels that headers of k-space say.
#include <filesystem>

#include "io/image.h"
#include "kernels/binary/binary.h"
#include "kernels/random/random.h"
#include "tasks/reconstruction/reconstruction.h"
#include "tasks/reconstruction/untrained.h"
#include "tests/close.h"
#include "tests/hdf5_bytes.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// By h5py 3.16, libver=("v108", "v110"); deflated. ISMRMRD of one coil, a matrix of 4 x 3 x 2 over 8 x 9 x 5 mm, reconstructed 2 x 3 x 2
// over 4 x 9 x 5 mm; beside it, as in fastMRI's files of one coil, "ismrmrd_header" (the same), "kspace" of two slices of 4 x 3 and
// "reconstruction_esc" of their middle, 2 x 3; "other" of as many numbers.
const std::string kFields = from_hex(
    "1f8b0800000000000203ed595f881b4518ff76b3978bb13dd3e3b0cdd9d35ca0072d5c36f7c760cb76ef4fcf7a5acbc11df4c58765dd9d24eb259b74777b97"
    "1e82f7da377d531014d4429f148b6f7d48c107917b2982880d52457c2efa2ae8ccce6e6e129234a97278767e64d89d6fbef9be6f7e3bff32736375e5e2d1f8"
    "785c8cc520c45f01fe9ca5f96c207fa3e17eb4b6bab22e424d1c651543c4451000a2b84c806153f7741779b783cad124918e586ed9293ba65644ba899cbd24"
    "2d4c24004e3d4fdf67605ff6f0247d3f1d8696fcedd6443f218c1067915ab9941302f7cf108944825a16036373f038f865ebe91b7e080208c2188028600465"
    "e133320642124b13a41d4d790c867074113186238f0810109e080d7f01870e2fefcc7d4bb928882117d1f083875cc8a2908b00bc86dfc95707c8c501cee0dc"
    "16725cab62530ac4808c7c492fb820267cbe0816c1be567e13395a25afb97ab95a422ec4d91abae1595b48338aba6da3920b47d842d3720d1df7b7aa8360a4"
    "6341c5f5fcbed62c3190ed6177d4178cb245c8362aa6651734b7aa1b4873501ec6d872cfd1df42865771ae6ba6554636699e0bcfb22a96598313b9a70048f7"
    "dda4767cb348733d54d5665ae9e8a0314bd969361fd3a8171048acd02d590682684bb32a360e0f3736c64aab453c485bf9745015799647be4c0b957830b752"
    "e8a2026e631b7b840238930c3af6b1d40b20f92529381e83e3efe0373206e15c2f0d7698244ed06e7427185bc3df1b5f020707c7bf81fb78582562fbabd72b"
    "17d65e1798654960f4089405bca8a68299fb7c7a26934d2fa8cae4f4744a09274755d99f065547372dbda4c88c48919b9aa9e9695509b604abfe8e2085cddb"
    "eef974d1f3aae764797b7b3be397672a4e417e75e3f2fae5f595b4caf8a233a3b941a6495529eb9e63d536ac1dfc5e53e715b9a62ad7d53945c66e77d45945"
    "dec1ee59a5bc854ae65afe8a85b6b57299547a2993cd66838a67838a2fd28aedca72ab7307e139b66320b38f13c87c9f41b06e199af1eae621d7d2ed6ee42b"
    "720bf3aaff7dc3bd51aacffe137984fed5af4f2eb2796940fb439df56f02ec9e0a337f485f611fbb9fb1bb8e50ffd6d4e6dde0b944d2c3dfbd65267f77b8b3"
    "fda9d05e60bfcefa23787084cf1d1c1c1c1c1c1c1c1c1c1c1cff1748c17f7fb14f7d7288109e24883d2c0903598af4b0240e6449ead93a61004b433d5b3788"
    "a568cfd60d6289fc8f6dde4a48d4463fb7107b93b47ef316a27ef87beebdc627479b5ccc632e228220b69d3f84fdaa9b3c92032127528e9dcea7d416485d0f"
    "afe394ddc64c1ba9f64173f14dfaf3a96e5c885db86897937ef4a8967ed8765708effef7fa45e3ecf89db50bab97a213642c8cfae766aee75c33c85d87865c"
    "e3d7e7a8e28fefcdd70e82b4bd4340da4fca958c4fda31425a94de47fd301ecc5f09221caa7845e42427a8ecbb0f4e5fe5ab2707c74183dcd13426f7f733fc"
    "2ee7c9becb6962848f0d0e0e0e0e0e0e0e0e0e0e0e8e27013f5fbc59ef225f24a94dbcf8e9e6fb4b4cbedea65fffa7f66fbfed2cf76f7f7781d4c13f9c7671"
    "fa18a73a4e0f885d1c6702a7144ed9a541f5ff061d7e0e72fc320000");

// A header of a fixed length beside "kspace" {1, 4, 3} of zeros.
const std::string kFixed = from_hex(
    "1f8b0800000000000203ed56c14edb40109db5d3c858a22ae580e05293436fc9ba34a0b62ccb2542e9015125527ba42b7b8185d8466bab31b970057ea19fc1"
    "89133fc0890b48f9043ea26c923532154811121c909f64ed787666dedb274bebe366636dd29eb30dcb820cff3496edd1bbabf36737bcb4d16cb40c488df7f9"
    "c20cb60108a03c0b6a792be24006d2dfdce1cce7f254cf284f0d36cb7bf13ef3f839d2d98f30267efdedf3a104040895000c95332d40d36a525f3d6f9402d3"
    "b6943a13813e513f63b9805785abeb1fecce8bbaf2c244283b6a49afa65e1fcb9b4b8096948903ab24c094f34197383063c1cca18a04941e4ae79dee4f8ca6"
    "fdcea4852fedc5d1bb934b2850a0408102e383aca641c7f9c3652ca270a5f2a9e656562999af561dc2432ff245b84d4922d92ef792481e50c97cc13a04e752"
    "04df553ad52a25fae26f0eef7d478d0fe395ca4e92ec7fc3b8dbedd686fbb5486ee3efedf5d67aab51a139ae61c4fdf6e0ff8092802552a46dd153714aeb04"
    "a7941cd0cf042bda1e5d20b8a7e8f3455b8277fc8dad9f8277378360d0f4a5e6baae6efcaa1b17478dff17e3fbe4927b51f8a09085a708a98f29224f9bb3d9"
    "6332e1b160e163e6137ccf79fadc9fce2df0819ab93b0a0000");

std::string with_all(std::string bytes, const std::string& old, const std::string& now) {
  REQUIRE(old.size() == now.size());
  REQUIRE(bytes.find(old) != bytes.npos);
  for (size_t at = 0; (at = bytes.find(old, at)) != bytes.npos; at += now.size()) bytes.replace(at, now.size(), now);
  return bytes;
}

}  // namespace

TEST_CASE("images of k-space have the spacing of the field of view that their files say") {
  const TemporaryFolder folder;
  if (!put_hdf5(folder, kFields)) return;
  const Volume lines = read_volume(folder / "a.h5");  // ISMRMRD: slices, readout, phase encoding
  CHECK(lines.spacing() == Vec3{2.5, 2, 3});
  CHECK(read_header(folder / "a.h5").affine == lines.affine);
  const Volume along_readout = kspace_of(lines, "a.h5");
  CHECK(along_readout.data.shape() == Shape{4, 2, 3, 2});
  CHECK(along_readout.spacing() == Vec3{2, 2.5, 3});

  const Volume slices = kspace_of(read_volume(folder / "a.h5", {.array = "kspace"}), "a.h5");
  CHECK(slices.data.shape() == Shape{2, 4, 3, 2});  // two slices of one coil
  CHECK(slices.spacing() == Vec3{2.5, 2, 3});
  const Tensor image = reconstruct_untrained(slices.data, {.method = "zero_filled"});
  for (int i = 0; i < 24; ++i) CHECK(close(image.values()[size_t(i)], i, 1e-4));
  const Volume middle = read_volume(folder / "a.h5", {.array = "reconstruction_esc"});
  CHECK(middle.spacing() == Vec3{2.5, 2, 3});
  CHECK(read_volume(folder / "a.h5", {.array = "other"}).spacing() == Vec3{1, 1, 1});

  // What a network makes of it lies there too.
  struct Nothing {
    FIELDS()
    Tensor operator()(const Tensor& x) const { return x * 0; }
  };
  const Reconstruction task({.sees = "image"});
  const auto measured = task.measurements(read_volume(folder / "a.h5", {.array = "kspace"}), "a.h5");
  REQUIRE(measured);
  CHECK(task.apply({.net = Network(Nothing{}, {}, "{}")}, *measured, {}).volume.spacing() == Vec3{2.5, 2, 3});
}

TEST_CASE("k-space that cannot be one is refused, by its file") {
  Volume v{rand({2, 6, 5, 4}, Rng(1)) + 0.1, {}};  // two coils, two slices
  CHECK(kspace_of(v, "k").data.shape() == Shape{2, 6, 5, 4});
  const auto error_with = [&](const Tensor& data, bool real = false) {
    return error_of([&] { kspace_of({.data = data, .affine = {}, .kspace_planes = real ? 0 : 1}, "k.npy"); });
  };
  const auto changed = [&](size_t at, float value) {
    const Tensor x = v.data.clone();
    x.mutable_data<float>()[at] = value;
    return x;
  };
  CHECK_THAT(error_with(v.data, true), Contains("k.npy") && Contains("real numbers"));
  CHECK_THAT(error_with(changed(2, NAN)), Contains("k.npy: the slice 1") && Contains("not finite"));
  CHECK_THAT(error_with(changed(1, INFINITY)), Contains("the slice 0"));
  CHECK_THAT(error_with(v.data * 0), Contains("0 everywhere"));
  // A slice that nothing is measured of is one without a signal; one without its middle is in another order, or lacks it.
  const Tensor lacks = v.data.clone(), nothing = v.data.clone();
  for (size_t coil = 0; coil < 2; ++coil)
    for (size_t i = 0; i < 30; ++i)
      for (size_t part = 2; part < 4; ++part) {
        nothing.mutable_data<float>()[(coil * 30 + i) * 4 + part] = 0;
        if (i == 3 * 5 + 2) lacks.mutable_data<float>()[(coil * 30 + i) * 4 + part] = 0;
      }
  CHECK_THAT(error_with(lacks), Contains("slice 1") && Contains("the middle (3, 2) was not measured"));
  CHECK(error_with(nothing).empty());

  const TemporaryFolder folder;
  write_volume(folder / "real.npy", {v.data, {}});
  CHECK_THAT(error_of([&] { kspace_of(read_volume(folder / "real.npy"), "real.npy"); }), Contains("real.npy: has real numbers"));
}

TEST_CASE("what a header of k-space says of a field of view is held against lengths") {
  const TemporaryFolder folder;
  if (!put_hdf5(folder, kFields)) return;
  const std::string good = file_bytes(folder / "a.h5");
  const auto error_with = [&](const std::string& old, const std::string& now, const std::string& array) {
    put_bytes(folder / "a.h5", with_all(good, old, now));
    return error_of([&] { read_volume(folder / "a.h5", {.array = array}); });
  };
  for (const std::string array : {"", "kspace"}) {
    for (const char* length : {"-8.00", "0.000", "1e300", "nan  ", "inf  ", "     ", "8 mm ", "&#56;", "0x1p3"})
      CHECK_THAT(error_with("<x>8.000<", std::string("<x>") + length + "<", array), Contains("a.h5") && Contains("a field of view of \""));
    CHECK_THAT(error_with("<x>8.000</x>", "<x>8.0000/x>", array), Contains("a field of view of"));
    CHECK_THAT(error_with("</encoding> -->", "</encoding> ---", array), Contains("a comment of its ISMRMRD header has no end"));
  }
  // Without a field of view nothing is known of sizes. A header of a fixed length is read as well.
  CHECK(error_with("fieldOfView_mm>", "fieldOfVoew_mm>", "kspace").empty());
  CHECK(read_volume(folder / "a.h5", {.array = "kspace"}).spacing() == Vec3{1, 1, 1});
  put_hdf5(folder, kFixed);
  CHECK(read_volume(folder / "a.h5", {.array = "kspace"}).spacing() == Vec3{2.5, 2, 3});
}
