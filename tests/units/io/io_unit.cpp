#include <zlib.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "core/config/json_values.h"
#include "io/atomic_file.h"
#include "io/formats/gzip.h"
#include "io/formats/isolated.h"
#include "io/json_file.h"
#include "io/picture/picture.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;
using Catch::Matchers::Contains;

TEST_CASE("a file appears complete or not at all") {
  const TemporaryFolder folder;
  put_bytes(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("new content");
    CHECK(file_bytes(folder / "a") == "old");
    CHECK_THAT(error_of([&] { AtomicFile second(folder / "a"); }), Contains("another process is writing it"));
  }
  CHECK(file_bytes(folder / "a") == "old");
  CHECK(folder.files() == 1);
  put_bytes(folder / ".partial.a", "what a killed writer left, longer than what comes");
  write_text_file(folder / "a", "new");
  CHECK(file_bytes(folder / "a") == "new");
  CHECK(folder.files() == 1);
  std::filesystem::create_symlink(folder / "a", folder / "link");
  write_text_file(folder / "link", "through the link");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(file_bytes(folder / "a") == "through the link");
  CHECK_THAT(error_of([&] { AtomicFile file("/dev/null"); }), Contains("not a regular file"));
  CHECK_THAT(error_of([&] { AtomicFile file(folder.path()); }), Contains("not a regular file"));
  CHECK_THAT(error_of([&] { AtomicFile file(folder / "x" / "y"); }), Contains("there is no folder"));
}

TEST_CASE("one who waits writes after the one who writes") {
  const TemporaryFolder folder;
  std::thread second;
  std::atomic<bool> opened = false;
  {
    AtomicFile first(folder / "a");
    second = std::thread([&] {
      AtomicFile file(folder / "a", AtomicFile::Busy::wait);
      opened = true;
      file.write("second");
      file.commit();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    CHECK(!opened);
    first.write("first, and longer");
    first.commit();
  }
  second.join();
  CHECK(file_bytes(folder / "a") == "second");
  CHECK(folder.files() == 1);
}

TEST_CASE("a folder appears complete or not at all, and what a killed process left is removed") {
  const TemporaryFolder folder;
  const auto hidden = folder / ".partial.set";
  std::filesystem::create_directories(hidden / "imagesTr");
  put_bytes(hidden / "imagesTr" / "left", "by a killed process");
  {
    AtomicFolder made(folder / "set");
    CHECK(std::filesystem::is_empty(made.temporary()));
    put_bytes(made.temporary() / "a", "1");
    CHECK_FALSE(std::filesystem::exists(folder / "set"));
    CHECK_THAT(error_of([&] { AtomicFolder second(folder / "set/"); }), Contains("another process is writing it"));
    CHECK(file_bytes(made.temporary() / "a") == "1");
  }
  CHECK(folder.files() == 0);
  std::filesystem::create_directory(folder / "set");
  {
    AtomicFolder made(folder / "set");
    put_bytes(made.temporary() / "a", "1");
    made.commit();
  }
  CHECK(file_bytes(folder / "set" / "a") == "1");
  CHECK_THAT(error_of([&] { AtomicFolder again(folder / "set"); }), Contains("not empty"));
  put_bytes(folder / "file", "");
  CHECK_THAT(error_of([&] { AtomicFolder file(folder / "file"); }), Contains("is a file"));
  CHECK_THAT(error_of([&] { AtomicFolder file(folder / "file" / "set"); }), Contains("cannot make the folder"));
  CHECK(folder.files() == 2);
}

TEST_CASE("JSON files keep the order of keys and errors say where") {
  const TemporaryFolder folder;
  const Json json = {{"z", 1}, {"a", {1.5, "text"}}, {"m", {{"y", true}, {"b", nullptr}}}};
  write_json(folder / "j.json", json);
  CHECK(read_json(folder / "j.json").dump() == json.dump());
  CHECK(file_bytes(folder / "j.json").starts_with("{\n  \"z\": 1"));
  put_bytes(folder / "j.json", "{\n  \"a\": 1,\n  \"b\" 2\n}");
  CHECK_THAT(error_of([&] { read_json(folder / "j.json"); }), Contains("j.json:3:7"));
  CHECK_THAT(error_of([&] { parse_json("{\"a\": 1, \"a\": 2}", "text"); }), Contains("\"a\" twice"));
  CHECK_THAT(error_of([&] { parse_json(std::string(1000, '['), "text"); }), Contains("deep"));
  CHECK_THAT(error_of([&] { parse_json("", "text"); }), Contains("text:1:1"));
  CHECK_THAT(error_of([&] { read_json(folder / "absent.json"); }), Contains("absent.json"));
  CHECK(parse_json("[{\"a\": 1}, {\"a\": 2}]", "text").size() == 2);
  CHECK_THAT(error_of([&] { parse_json("{\"a\": 1e999}", "text"); }), Contains("text: holds a number that is out of range"));
  write_json(folder / "latin.json", {{"name", "caf\xe9"}});
  CHECK(read_json(folder / "latin.json")["name"] == "caf\uFFFD");
}

TEST_CASE("deflated streams inflate to what went in, also across blocks and pieces") {
  for (const size_t size : {size_t(0), size_t(1), size_t(511 << 10), size_t(512 << 10), size_t(1800000)}) {
    std::vector<std::byte> data(size);
    for (size_t i = 0; i < size; ++i) data[i] = std::byte(i * i % 250);
    const size_t cut = size / 3;
    const std::span<const std::byte> pieces[] = {std::span(data).first(cut), std::span(data).subspan(cut)};
    for (const Wrapper wrapper : {Wrapper::gzip, Wrapper::zlib}) {
      std::vector<Bytef> packed;
      deflate_stream(pieces, wrapper, [&](const void* d, size_t n) {
        packed.insert(packed.end(), static_cast<const Bytef*>(d), static_cast<const Bytef*>(d) + n);
      });
      std::vector<std::byte> back(size + 1);
      z_stream z = {};
      REQUIRE(inflateInit2(&z, wrapper == Wrapper::gzip ? 31 : 15) == Z_OK);
      z.next_in = packed.data(), z.avail_in = uInt(packed.size());
      z.next_out = reinterpret_cast<Bytef*>(back.data()), z.avail_out = uInt(back.size());
      CHECK(inflate(&z, Z_FINISH) == Z_STREAM_END);  // one stream, its checksum verified
      CHECK(z.avail_in == 0);
      CHECK(z.total_out == size);
      inflateEnd(&z);
      back.resize(size);
      CHECK(back == data);
    }
  }
}

TEST_CASE("work in a child process delivers its bytes, its error, or that it crashed") {
  const auto bytes = isolated("who", [](const Emit& emit) {
    for (int i = 0; i < 1000; ++i) emit(&i, sizeof i);
  });
  CHECK(bytes.size() == 4000);
  CHECK(int(bytes[4 * 999]) == 999 % 256);
  CHECK(error_of([] { isolated("who", [](const Emit&) { fail("no good"); }); }) == "who: no good");
  CHECK_THAT(error_of([] { isolated("who", [](const Emit&) { std::abort(); }); }), Contains("who: its decoder gave up"));
}

TEST_CASE("a PNG file holds the pixels of its picture") {
  const TemporaryFolder folder;
  Picture p(37, 21, {10, 20, 30});
  for (int i = 0; i < 21; ++i) p.set(i, i, {uint8_t(i * 12), 255, uint8_t(i)});
  write_png(folder / "p.png", p);
  const std::string bytes = file_bytes(folder / "p.png");
  REQUIRE(bytes.size() > 60);
  CHECK(bytes.substr(0, 8) == "\x89PNG\r\n\x1a\n");
  size_t at = 8;
  std::string data;
  while (at < bytes.size()) {  // chunks: length, name, data, checksum of name and data
    const auto big = [&](size_t i) {
      return uint32_t(uint8_t(bytes[i])) << 24 | uint32_t(uint8_t(bytes[i + 1])) << 16 | uint32_t(uint8_t(bytes[i + 2])) << 8 |
             uint8_t(bytes[i + 3]);
    };
    const uint32_t length = big(at);
    CHECK(big(at + 8 + length) == crc32(0, reinterpret_cast<const Bytef*>(&bytes[at + 4]), length + 4));
    if (bytes.substr(at + 4, 4) == "IHDR") CHECK((big(at + 8) == 37 && big(at + 12) == 21));
    if (bytes.substr(at + 4, 4) == "IDAT") data += bytes.substr(at + 8, length);
    at += 12 + length;
  }
  CHECK(at == bytes.size());
  std::vector<Bytef> rows(21 * (37 * 3 + 1));
  uLongf size = rows.size();
  REQUIRE(uncompress(rows.data(), &size, reinterpret_cast<const Bytef*>(data.data()), data.size()) == Z_OK);
  REQUIRE(size == rows.size());
  std::vector<uint8_t> line(37 * 3, 0), all;
  for (size_t y = 0; y < 21; ++y) {
    REQUIRE(rows[y * 112] == 2);  // differences to the row above
    for (size_t i = 0; i < 111; ++i) line[i] = uint8_t(line[i] + rows[y * 112 + 1 + i]);
    all.insert(all.end(), line.begin(), line.end());
  }
  CHECK(all == p.rgb());
}

TEST_CASE("an overview shows anterior up and the patient's right at the left") {
  // One slice of 4 x 6 voxels of 2 x 1 mm; bright where it is anterior and right, labelled where posterior and left.
  Tensor image = Tensor::zeros({1, 4, 6, 1}), label = Tensor::zeros({1, 4, 6}, DType::u8);
  image.mutable_data<float>()[3 * 6 + 5] = 1;
  label.mutable_data<uint8_t>()[0] = 2;
  const Volume v{image, Affine::scaling({1, 2, 1})};
  const Picture p = slice_overview(v, {{.title = "", .label = label}}, {.rows = 1, .cell = 80, .window = Window{0, 1}});
  const int left = 12, top = p.height() - 12 - 80;  // 8 mm x 6 mm: 60 x 80 pixels, above the margin
  CHECK(p.at(left + 2, top + 2).r > 200);           // anterior right
  CHECK(p.at(left + 57, top + 2) == Color{});
  CHECK(p.at(left + 2, top + 77) == Color{});
  const Color tint = p.at(left + 57, top + 77);  // posterior left
  CHECK(tint.b > tint.r);
  CHECK_THAT(error_of([&] { slice_overview(v, {{.label = Tensor::zeros({1, 4, 5}, DType::u8)}}); }), Contains("does not fit"));
}

TEST_CASE("curves are drawn where their values are") {
  const Curve c{"loss", {0, 1, 2, 3}, {0, 1, NAN, 0}};
  const Picture p = plot_curves({c}, {.width = 400, .height = 300});
  int coloured = 0;
  for (int y = 40; y < 250; ++y)
    for (int x = 75; x < 380; ++x) coloured += p.at(x, y).b > p.at(x, y).r + 80;
  CHECK(coloured > 300);
  CHECK(p.at(74 + 102, 40).b > p.at(74 + 102, 40).r + 80);  // the maximum, at a third of the width
  CHECK_NOTHROW(plot_curves({}, {.title = "empty"}));
  CHECK_NOTHROW(plot_curves({{"constant", {5}, {5}}}, {.log_y = true}));
  CHECK_THROWS_AS(plot_curves({{"uneven", {1, 2}, {1}}}), Error);
  CHECK(text_size("ab\nc", 2) == std::array<int, 2>{22, 38});
}

TEST_CASE("a window spans the values and is never empty") {
  Tensor t = Tensor::zeros({1, 1, 1000, 2});
  for (int i = 0; i < 1000; ++i) t.mutable_data<float>()[2 * i + 1] = float(i);
  t.mutable_data<float>()[1999] = 1e9f;
  const Window w = window_of(t, 1);
  CHECK(w.low == Approx(5).margin(1));
  CHECK(w.high == Approx(994).margin(1));
  CHECK(window_of(t, 0).high > window_of(t, 0).low);
}
