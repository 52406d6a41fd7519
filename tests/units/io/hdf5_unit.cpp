#include "io/image.h"
#include "tests/catch.h"
#include "tests/hdf5_bytes.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

namespace {

// By h5py 3.16, libver=("v108", "v110"); deflated. "kspace", complex64 {2, 2, 3, 2} of the numbers 0 to 47, by gzip.
const std::string kArray = from_hex(
    "1f8b0800000000000203ebf47071e3e592e262e2e0608081ff50502e00e11b40c5e7efbfb5c3dfc3258889a182490859210c703131303230b009320029b6ec"
    "e282c4e4d4cd30439d19a801ba79f63a839dc0c8c0c8e8c2c0c0c4c2c8c8049583d1cc687c42f2cc660c8c66400e28008a18180415e41958c0120a0ce21c0c"
    "e2f5405626030b366156a07f99b9b97918189918810e0242900a0e79a0994cacfb1911d63041ad05d1e07076a442585895be090c09727505d98b1e1305249a"
    "c52e80ca2714661c0ca360148c8251300a46c1281805a360148c8251300a8622a888133d3251ec5081c4b187fc4d0a122c071304580e2a70949dbbb66e81f7"
    "0ba15d2df66d89163ced871325da0e1bf054579d7f5fa9fccf7b6bb6cba2e414253e414956555e77bf399e313b8a163ff63b7fe044b3babedabd9a1f42b947"
    "7a2cb98da6ad39a119b139d1fb649f6de86fe67f257237008403595677100000");

// ISMRMRD, one coil: a matrix of 4 x 3 whose line 0 is in the middle. Record i has the numbers 10 i, 10 i + 1 .., the middle sample is
// number 2: noise; line 0 of slice 0; the same again; line 1 read backwards without its last sample; line 0 of slice 1 with 3 samples, of
// which the first is none and the second the middle; a line of calibration alone.
const std::string kIsmrmrd = from_hex(
    "1f8b0800000000000203ed583f4c1361147fdfb594daf0a7904684854a0c6aa25c11d2c19c675b096202818083034939ef3edad3deb5de9d50586470d0d14d"
    "37060647121d1c495c1c4d5c1cdd5c75d2c441dffd83ef2c282ad1987cbfe4d77ef7defb7ef7bed707c9f71e4e4d4c76a6065242320921be06787ed27fce05"
    "f6f72f1fbd999d9a9817a029f4b281215202108004fa08b46b8aa3d8d47916aa96e008403ede7f729814badd14e26e0a79e2ef4c74b9a658d3a8dd89056263"
    "bf95c2e297eed35e0a4414480640208424025ff81dfb44481e5f3389eb2a553480fc3180617c5aa196add74d80343e085e701a966b4ac506c135f9bf4201cc"
    "bbc64d6a95ebcb655b311a356a438adda1a88ebe42cb6a55314d5ab3a183756abaad2a96566e5814baf675d46d07d2ac47a5a683aff3df05bdac8b9a6a5dd3"
    "cd4ad96e282a2d5b741932ac5fd79a703c9ff44f74db0ff2f6d0b2edd04679347ad67d222ef847df3d1bd648a95088b346bba6ab1412919ceba66329789224"
    "6b6d54b1eba2c5b268833abae3963d5227ecce687d50ee160cf7839f714f7610e29e270b7d49e8bb872bb7a320ffa388366cc09890c4e68c112f08b115f4e0"
    "803d28faad03246c1d127676d83a1920fdc4d74fefda9311ddade00f331df6e436fc77183e9b18030e0e0e0e0e0e0e0e0e0e8ebf8d78f0e95f358443ec706f"
    "a95b3dd18b0bfc918a70242ae1cd3ecba8104f85fc824a3ce289e15e125138582bc1a8b431cad113919fa8b0b9b88a57afcc4e13e6be4722a70cb171d91b1c"
    "4001b981dc44ee20df158496f86c1120872c20e7904bc8067203f9a0186b89df44fb53e436f2057207f90af91af9b6186f89ff80f6cf457fe8134726911dc8"
    "3432530a2b73622f1fb49f429e419e43e690e3a5448bee14daa79173c8ebc81bc845e412522bb50751e7830249ba6d5886a54d5145a356b669d44cfbd250d5"
    "711a174571757575c4f38fd4ad8a786d61667e667e624896c27147b0a2da823baf902543712cbdb9a0afe3ba298f4b625396d6e431495c93a575795412d765"
    "496483c4e8fe50775a3774c79625760ee24d57bc59892cf99318392789c14a120f0a15bfd774e7175475ead69aac2a96436d5d312591b1ee6dc165a43a32d3"
    "498f3bf9ff440e0e0e0e0e0e0e0e0e0e0e8e7f01f73e1bce03dc3bee37fee3ccaab4210000");

// Arrays that no reader should follow: "link" to another file, "raw" with its voxels in one, "virtual" of those of one, "lzf" by a filter
// of others, "huge" of 4 TB, "chunk" of 2 x 2 in a chunk of 1 GB.
const std::string kLinks = from_hex(
    "1f8b0800000000000203ebf47071e3e592e262e2e0608081ff50e0a804e11b40c5dd6e167ef0f770096262a810106060306685081b42a5b99818181918d8c4"
    "191818391c587232f3b2791918b2f5324c19b28b0b12935319d8f880520ccc4589e59ba15a40c614b041d8465031a8aa9caa346966a8103bdc69d58ed30dc1"
    "4e60646064546160606262646482cae1a2994518180515e41958c03c0506710e06f17a208b15e85e662e760da0490c202b1919f6334274208202ea4c28cd21"
    "04348d11163c30518612860101ec7c32e73d5c1d0320be4275e97d4654b5e06800fb12551d382c15b3b579b2913195c2969b0318952cccb0e004dbbd846148"
    "80f582561de8e98c052a878bc61f16dc520c8c40d36a5940899b0198bac1ea588181e2004a59c05cc3ccc4cc2081301286196a07382c5a828eb3a087052205"
    "61a7f1e739d47c04f7f182c19f2e58e7aac7fb3b7b78330921179430c0c60f4ae52c19a5e9a9ead054c1e8f32a865081856e0c814c05492af0d003251f0768"
    "52993da8032f8cb5b70c14786c42a060622fcb2c2a294dccf90f2d93d80440a2acc919a579d929d0aac5d6c1fa10c328a0217077f6f76144cabfb00a2210a6"
    "8011b9068156e4cc48e2b0840ce34ba0f1616680b0920743229afd1dfca371300a46c1281805a360148c8251300a46c1281805a36014d01a8404b9ba8286be"
    "d1c7a03809e8b35042e5e31a141d05a360148c8251300a46c1281805c3033032303c30069100f8b3e08341220000");

}  // namespace

TEST_CASE("arrays of HDF5: complex numbers of slices and coils, in the order of NumPy's") {
  const TemporaryFolder folder;
  if (!put_hdf5(folder, kArray)) return;
  const Volume volume = read_volume(folder / "a.h5");  // channel c of voxel v is 24 c + 2 v, and that + 1
  CHECK(volume.data.shape() == Shape{2, 3, 2, 4});
  CHECK(read_header(folder / "a.h5").shape == volume.data.shape());
  const std::vector<double> values = volume.data.values();
  for (int i = 0; i < 48; ++i) CHECK(values[size_t(i)] == i / 4 * 2 + i % 2 + i % 4 / 2 * 24);
  CHECK_THAT(error_of([&] { read_volume(folder / "a.h5", {.array = "target"}); }), Contains("a.h5") && Contains("\"target\""));
}

TEST_CASE("lines of an ISMRMRD file lie where their counters say, in slices, repeated ones as their mean") {
  const TemporaryFolder folder;
  if (!put_hdf5(folder, kIsmrmrd)) return;
  const Volume volume = read_volume(folder / "a.h5");  // {coils, readout, phase encoding, 2 slices}
  CHECK(volume.data.shape() == Shape{1, 4, 3, 4});
  const double real[2][4][3] = {{{0, 15, 0}, {0, 17, 0}, {0, 19, 34}, {0, 21, 32}}, {{0, 0, 0}, {0, 0, 0}, {0, 42, 0}, {0, 44, 0}}};
  const std::vector<double> values = volume.data.values();
  for (size_t i = 0; i < 48; ++i) {
    const double wanted = real[i % 4 / 2][i / 12][i / 4 % 3];
    CHECK(values[i] == (wanted > 0 ? wanted + double(i % 2) : 0));
  }
}

TEST_CASE("an HDF5 file leads to no other file, loads no filter and asks for no more memory than it bears out") {
  const TemporaryFolder folder;
  if (!put_hdf5(folder, kLinks)) return;
  put_bytes(folder / "k.h5", inflated(folder, kArray));  // what is linked to
  const std::pair<const char*, const char*> refused[] = {{"link", "has no array"}, {"raw", "other files"}, {"virtual", "other files"},
                                                         {"lzf", "filter 32000"},  {"huge", "more than"},  {"chunk", "a chunk"}};
  for (const auto& [array, why] : refused) {
    CAPTURE(array);
    CHECK_THAT(error_of([&] { read_volume(folder / "a.h5", {.array = array}); }), Contains("a.h5") && Contains(why));
  }
  CHECK_THAT(error_of([&] { read_volume(folder / "a.h5"); }), Contains("several arrays") && Contains("raw"));
}

TEST_CASE("hostile bytes in an HDF5 file are refused by its name, or change numbers") {
  const TemporaryFolder folder;
  for (const std::string& deflated : {kArray, kIsmrmrd}) {
    if (!put_hdf5(folder, deflated)) return;
    const std::string good = file_bytes(folder / "a.h5");
    int refused = 0;
    for (size_t at = 8; at < good.size(); at += good.size() / 30) {
      std::string bad = good;
      bad[at] = char(bad[at] ^ 0x7f);
      put_bytes(folder / "bad.h5", bad);
      const std::string error = error_of([&] { read_volume(folder / "bad.h5"); });
      refused += !error.empty();
      CHECK((error.empty() || error.find("bad.h5") != error.npos));
    }
    CHECK(refused > 3);
    put_bytes(folder / "short.h5", good.substr(0, good.size() / 2));
    CHECK_THAT(error_of([&] { read_volume(folder / "short.h5"); }), Contains("short.h5"));
  }
}
