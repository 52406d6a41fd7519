#include "io/numpy_planes.h"

#include <fstream>

#include "core/rng.h"
#include "io/image.h"
#include "io/zip.h"
#include "kernels/random/random.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("an archive written in pieces, larger than what is deflated at once, is read back, whole and in pieces") {
  const TemporaryFolder folder;
  std::vector<std::byte> bytes((16 << 20) + 12345);
  Rng rng(3);
  for (size_t i = 0; i < bytes.size(); i += 64) bytes[i] = std::byte(rng.next());
  const fs::path file = folder / "a.zip";
  {
    ZipWriter zip(file, 1);
    zip.begin("first");
    constexpr size_t kPiece = 5'000'000;
    for (size_t at = 0; at < bytes.size(); at += kPiece)
      zip.write(std::span(bytes).subspan(at, std::min(kPiece, bytes.size() - at)));
    zip.begin("empty");
    zip.begin("last");
    zip.write(std::span(bytes).first(100));
    CHECK(!fs::exists(file));
    zip.commit();
  }
  const auto entries = zip_entries(file);
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].size == bytes.size());
  CHECK(entries[0].packed < bytes.size() / 10);
  CHECK(zip_bytes(file, entries[0]) == bytes);
  CHECK(zip_bytes(file, entries[1]).empty());
  CHECK(zip_bytes(file, entries[2]) == std::vector(bytes.begin(), bytes.begin() + 100));
  ZipStream stream(file, entries[0]);
  std::vector<std::byte> part(bytes.size() - 7);
  stream.read(part.data(), 7);
  CHECK(std::equal(part.begin(), part.begin() + 7, bytes.begin()));
  stream.read(part.data(), part.size());
  CHECK(std::equal(part.begin(), part.end(), bytes.begin() + 7));
  CHECK_THROWS_WITH(stream.read(part.data(), 1), Contains("0 bytes left"));
  ZipEntry wrong = entries[2];
  wrong.checksum ^= 1;
  CHECK_THROWS_WITH(zip_bytes(file, wrong), Contains("checksum"));
}

TEST_CASE("planes of an array are written box by box and read channel by channel") {
  const TemporaryFolder folder;
  const fs::path file = folder / "p.npz";
  Affine affine = Affine::scaling({2, 1, 0.5}, {-4, 5, 6});
  const Tensor values = randn({2, 4, 5, 6}, Rng(1));
  const auto box = [&](int64_t k, Int3 begin, Int3 size) {
    const Tensor out = Tensor::empty({size.d, size.h, size.w});
    for (int d = 0; d < size.d; ++d)
      for (int h = 0; h < size.h; ++h)
        for (int w = 0; w < size.w; ++w)
          out.view().as<float>()[(d * size.h + h) * size.w + w] =
              values.view().as<float>()[((k * 4 + begin.d + d) * 5 + begin.h + h) * 6 + begin.w + w];
    return out;
  };
  {
    NumpyPlanesWriter writer(file, "probabilities", values.shape(), affine);
    writer.fill(1, 7);
    for (int k = 0; k < 2; ++k) {  // whole planes, whole rows, parts of rows
      writer.put(k, {2, 0, 0}, box(k, {2, 0, 0}, {2, 5, 6}));
      writer.put(k, {0, 1, 0}, box(k, {0, 1, 0}, {2, 4, 6}));
    }
    writer.put(0, {0, 0, 2}, box(0, {0, 0, 2}, {2, 1, 4}));
    CHECK_THROWS_WITH(writer.put(0, {3, 0, 0}, box(0, {0, 0, 0}, {2, 5, 6})), Contains("does not fit"));
    CHECK(fs::is_empty(folder.path()));
    writer.commit();
  }
  NumpyPlanes planes(file);
  CHECK(planes.channels() == 2);
  CHECK(planes.size() == Int3{4, 5, 6});
  REQUIRE(planes.affine());
  CHECK(*planes.affine() == affine);
  const Volume whole = read_volume(file);
  CHECK(whole.affine == affine);
  for (int k = 0; k < 2; ++k) {
    const Tensor plane = planes.next();
    const auto got = plane.data<float>();
    const auto wanted = values.data<float>().subspan(size_t(k) * 120, 120);
    for (size_t i = 0; i < 120; ++i) {
      const bool left_out = i < 60 && i % 30 < 6 && (k == 1 || i % 6 < 2);  // row 0 of the first two planes
      CHECK(got[i] == (left_out ? (k == 1 ? 7.f : 0.f) : wanted[i]));
      CHECK(whole.data.data<float>()[i * 2 + size_t(k)] == got[i]);
    }
  }
  CHECK_THROWS_WITH(planes.next(), Contains("has 2 channels"));
  // A file that ends early is no archive.
  fs::resize_file(file, fs::file_size(file) / 2);
  CHECK_THROWS_WITH(NumpyPlanes(file), Contains("p.npz"));
}

TEST_CASE("planes of .npy: no place in space, and one that is shorter than it says is refused before memory is asked for") {
  const TemporaryFolder folder;
  write_volume(folder / "a.npy", {randn({2, 3, 4, 3}, Rng(2)), {}});
  NumpyPlanes planes(folder / "a.npy");
  CHECK(planes.channels() == 3);
  CHECK(!planes.affine());
  CHECK(planes.next().shape() == Shape{2, 3, 4});
  fs::resize_file(folder / "a.npy", 200);
  CHECK_THROWS_WITH(NumpyPlanes(folder / "a.npy"), Contains("a.npy"));
}
