#include <zlib.h>

#include "io/formats/tiff/tiff_axes.h"
#include "tests/fuzz/fuzz.h"
#include "tests/temporary_folder.h"
#include "tests/tiff_bytes.h"

namespace voxgrad {
namespace {
using namespace tiffs;

void run(const std::string& bytes) {
  const auto file = fuzz_file("f.tif");
  put_bytes(file, bytes);
  ByteSource source(file, ByteSource::Coding::plain);
  const std::vector<TiffPage> pages = tiff_pages(source);
  tiff_axes(pages, "f.tif");
  for (const TiffPage& p : pages)
    if (!tiff_is_read(p)) return;
  tiff_pixels(source, pages);
}

std::vector<std::string> seeds() {
  const std::string twelve = "abcdefghijkl";
  std::string deflated(64, '\0');
  uLongf length = deflated.size();
  compress(reinterpret_cast<Bytef*>(deflated.data()), &length, reinterpret_cast<const Bytef*>(twelve.data()), twelve.size());
  deflated.resize(length);
  std::vector<Entry> tiled = with(page(4, 3, 8, 1), {{322, 3, 16}, {323, 3, 16}});
  std::erase_if(tiled, [](const Entry& e) { return e.tag == 278; });
  return {tiff(page(4, 3, 8, 1), twelve),
          tiff(page(3, 2, 16, 1), twelve),
          tiff(with(page(3, 1, 32, 1), {{339, 3, 3}}), twelve),
          tiff(page(9, 6, 1, 1), twelve),
          tiff(page(4, 3, 8, 32773), "\x0b" + twelve),                     // packed bits: 12 bytes as they are
          tiff(page(2, 1, 8, 5), std::string("\x80\x18\x4c\x50\x10", 5)),  // LZW: clear, 97, 98, end
          tiff(with(page(4, 3, 8, 8), {{317, 3, 2}}), deflated),
          tiff(tiled, std::string(256, 'x'), true)};
}

}  // namespace

std::vector<FuzzTarget> tiff_targets() { return {{.name = "tiff", .run = run, .seeds = seeds}}; }

}  // namespace voxgrad
