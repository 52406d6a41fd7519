#include <voxgrad/augment/transform.h>

using namespace voxgrad;

namespace {

struct CutoutOptions {
  double probability = 0.5;
  int size = 4;
};

// The box [begin, begin + size) of one sample.
struct Box {
  Int3 begin, size;
};

void add_keys(ConfigTable& t, CutoutOptions& o) {
  t.number("cutout", o.probability, 0, 1, "probability of a box without signal");
  t.integer("cutout_size", o.size, 1, 256, "its extents in voxels");
}

std::optional<Box> draw(const CutoutOptions& o, const PatchFacts& facts, Rng rng) {
  if (!rng.coin(o.probability)) return {};
  Box box;
  for (int a = 0; a < 3; ++a) {
    box.size[a] = std::min(o.size, facts.size[a]);
    box.begin[a] = int(rng.below(facts.size[a] - box.size[a] + 1));
  }
  return box;
}

// image {D, H, W, C}: 0 within the box (DeVries and Taylor 2017).
void apply(const Tensor& image, const Box& box) {
  const auto x = image.mutable_data<float>();
  const int64_t row = box.size.w * image.dim(3);
  for (int d = 0; d < box.size.d; ++d)
    for (int h = 0; h < box.size.h; ++h) {
      const int64_t at = (((box.begin.d + d) * image.dim(1) + box.begin.h + h) * image.dim(2) + box.begin.w) * image.dim(3);
      std::fill_n(x.begin() + at, row, 0.f);
    }
}

}  // namespace

TransformEntry own_transform() {
  return IntensityTransform<CutoutOptions, Box>{
      .name = "cutout", .summary = "sets a box to 0", .keys = add_keys, .draw = draw, .apply = apply};
}
