#include "data/pictures/colours.h"

#include "data/case_store.h"
#include "data/preprocess.h"
#include "io/image.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace voxgrad;

TEST_CASE("a picture has the colours that are wanted, whatever it was stored with") {
  const auto picture = [](const std::vector<double>& values, int64_t channels) {
    return Tensor::from(values, {1, 1, int64_t(values.size()) / channels, channels}).to(DType::f32);
  };
  using Values = std::vector<double>;
  const Tensor grey = picture({10, 200}, 1), faint = picture({10, 255, 200, 0}, 2), colours = picture({10, 20, 30, 200, 100, 0}, 3),
               seen = picture({10, 20, 30, 255, 200, 100, 0, 7}, 4);
  CHECK(with_colours(grey, 3).values() == Values{10, 10, 10, 200, 200, 200});
  CHECK(with_colours(faint, 3).values() == Values{10, 10, 10, 200, 200, 200});
  CHECK(with_colours(faint, 1).values() == Values{10, 200});
  CHECK(with_colours(seen, 3).values() == colours.values());
  for (const Tensor& t : {colours, seen}) {
    const Values luminance = with_colours(t, 1).values();
    REQUIRE(luminance.size() == 2);
    CHECK(luminance[0] == Approx(18.15));
    CHECK(luminance[1] == Approx(118.5));
  }
  CHECK(with_colours(picture({7, 7, 7}, 3), 1).values()[0] == Approx(7));
  CHECK(with_colours(colours, 3).values() == colours.values());
  CHECK(with_colours(grey, 2).dim(-1) == 1);
  const Tensor volume = Tensor::zeros({2, 3, 4, 1});
  CHECK(with_colours(volume, 3).dim(-1) == 1);
  CHECK((colours_of(1) == 1 && colours_of(2) == 1 && colours_of(3) == 3 && colours_of(4) == 3 && colours_of(5) == 5));
}

TEST_CASE("folders of pictures stored with colours and without are learned with colours") {
  const TemporaryFolder folder;
  const auto put = [&](const char* name, int64_t channels) {
    std::filesystem::create_directories((folder / name).parent_path());
    Tensor pixels = Tensor::zeros({1, 4, 5, channels}, DType::u8);
    pixels.mutable_data<uint8_t>()[0] = 51;
    write_volume(folder / name, {pixels, {}});
  };
  put("a/1.png", 1), put("a/2.png", 3), put("b/1.png", 1);
  const Dataset d = read_dataset(folder.path());
  CHECK(d.channel_names == std::vector<std::string>{"red", "green", "blue"});
  ModelDescription m;
  m.channels = d.channel_names;
  m.normalization.assign(3, {.kind = "none"});
  for (const DatasetCase& c : d.cases) {
    const Tensor image = preprocess(read_case_image(c), m, c.images[0].string()).image;
    CHECK(image.shape() == Shape{1, 4, 5, 3});
    const std::vector<double> values = image.values();
    double sums[3] = {};
    for (size_t i = 0; i < values.size(); ++i) sums[i % 3] += values[i];
    CHECK(sums[0] == 51);
    CHECK((sums[1] == sums[2] && sums[1] == (c.id == "a_2" ? 0 : 51)));  // red alone, and grey
  }
  put("a/2.png", 1);
  CHECK(read_dataset(folder.path()).channel_names == std::vector<std::string>{"image"});
}
