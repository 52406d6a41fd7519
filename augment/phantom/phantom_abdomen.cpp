#include "augment/phantom/phantom_canvas.h"

// A CT of the abdomen in the portal venous phase, in Hounsfield units. Bowel, muscle, stomach wall and the inferior vena cava have the
// values of the organs.
namespace voxgrad::phantom {
namespace {

enum AbdomenLabel { kLiver = 1, kSpleen, kKidney, kAorta };

const Tissue kFat{-98, 6, 6}, kMuscle{62, 8, 8}, kCortical{420, 40, 30}, kMarrow{190, 40, 30}, kGas{-900, 10, 10};

void paint_body(Canvas& canvas, Draw& draw) {
  const float thick = draw.about(0.68, 0.06), wide = draw.about(0.88, 0.05), fat = draw.between(0.05, 0.13),
              wall = draw.between(0.06, 0.09);
  // Distance from an elliptic cylinder along D.
  const auto body = [&](Vec3 x) { return Ellipsoid{{x.d, 0, 0}, {1, thick, wide}}(x); };
  canvas.paint(Region{{0, 0, 0}, {2, 1, 1}}, {25, 8, 8}, kNone, [&](Vec3 x, int64_t) { return body(x); });
  canvas.paint(Region{}, kFat, kNone, [&](Vec3 x, int64_t) { return body(x) + 0.03f; });
  canvas.paint(Region{}, kMuscle, kNone, [&](Vec3 x, int64_t) { return body(x) + 0.03f + fat; });
  canvas.paint(Region{}, kFat, kNone, [&](Vec3 x, int64_t) { return body(x) + 0.03f + fat + wall; });
  // Ribs: bands that fall towards the front.
  const float slope = draw.between(0.3, 0.6), phase = draw.between(0, 1);
  canvas.paint(Region{}, kCortical, kNone, [&](Vec3 x, int64_t) {
    const float band = std::abs(std::fmod(3 * (x.d + slope * x.h) + phase + 12, 1.f) - 0.5f) - 0.12f;
    return std::max({std::abs(body(x) + 0.03f + fat + 0.5f * wall) - 0.028f, band, -x.d + 0.1f, -std::abs(x.w) + 0.3f});
  });
}

void paint_spine(Canvas& canvas, Draw& draw) {
  const float phase = draw.between(0, 1), radius = draw.between(0.15, 0.18);
  const auto column = [&](Vec3 x) { return Ellipsoid{{x.d, -0.36f, 0}, {1, radius, 1.15f * radius}}(x); };
  const auto disc = [&](Vec3 x) { return 0.09f - std::abs(std::fmod(3 * x.d + phase + 12, 1.f) - 0.5f); };  // below 0 within a vertebra
  for (float side : {-1.f, 1.f}) canvas.paint(Ellipsoid{{-0.35f, -0.33f, side * 0.27f}, {0.6f, 0.13f, 0.11f}}, kMuscle, kNone);  // psoas
  for (float side : {-1.f, 1.f}) canvas.paint(Ellipsoid{{0, -0.52f, side * 0.2f}, {3, 0.1f, 0.16f}}, kMuscle, kNone);
  canvas.paint(Region{{0, -0.36f, 0}, {2, 0.3f, 0.3f}}, {80, 10, 10}, kNone, [&](Vec3 x, int64_t) { return column(x); });
  canvas.paint(Region{{0, -0.36f, 0}, {2, 0.3f, 0.3f}}, kCortical, kNone,
               [&](Vec3 x, int64_t) { return std::max(column(x), -0.3f * disc(x) - 0.1f); });
  canvas.paint(Region{{0, -0.36f, 0}, {2, 0.3f, 0.3f}}, kMarrow, kNone,
               [&](Vec3 x, int64_t) { return std::max(column(x) + 0.04f, -0.3f * disc(x) - 0.1f); });
  const Capsule canal{{-2, -0.545f, 0}, {2, -0.545f, 0}, 0.05f};
  canvas.paint(Region{{0, -0.54f, 0}, {2, 0.2f, 0.2f}}, kCortical, kNone, [&](Vec3 x, int64_t) { return canal(x) - 0.035f; });
  canvas.paint(canal, {20, 5, 5}, kNone);
}

// Loops of bowel with wall, content and gas, all over the front: values from fluid to contrast medium.
void paint_bowel(Canvas& canvas, Draw& draw) {
  const int64_t loops = 12 + draw.below(6);
  for (int64_t k = 0; k < loops; ++k) {
    const Vec3 at{draw.between(-0.95, 0.1), draw.between(-0.05, 0.4), draw.between(-0.6, 0.6)};
    const Vec3 along{draw.between(-0.2, 0.2), draw.between(-0.12, 0.12), draw.between(-0.3, 0.3)};
    const float radius = draw.between(0.07, 0.12), content = draw.between(10, 190);
    const Capsule loop{at - along, at + along, radius};
    canvas.paint(loop, {draw.between(70, 140), 10, 8}, kNone);
    canvas.paint(Capsule{loop.from, loop.to, radius - 0.03f}, {content, 14, 10}, kNone);
    if (draw.below(4) == 0)
      canvas.paint(Ellipsoid{at + Vec3{0, 0.3f * radius, 0}, {0.6f * radius, 0.4f * radius, 0.6f * radius}}, kGas, kNone);
  }
}

void paint_stomach(Canvas& canvas, Draw& draw) {
  const Ellipsoid stomach{draw.near({0.35f, 0.25f, -0.38f}, 0.04), draw.scaled({0.34f, 0.2f, 0.24f}, 0.12), draw.between(-0.5, 0.5)};
  canvas.paint(stomach, {draw.between(70, 120), 10, 8}, kNone);
  canvas.paint(region_of(stomach), {draw.between(5, 120), 12, 8}, kNone, [&](Vec3 x, int64_t) { return stomach(x) + 0.045f; });
  const float level = stomach.centre.h + draw.between(0.04, 0.14);  // gas rises
  canvas.paint(region_of(stomach), kGas, kNone, [&](Vec3 x, int64_t) { return std::max(stomach(x) + 0.045f, level - x.h); });
}

void paint_liver(Canvas& canvas, Draw& draw) {
  const float value = draw.between(92, 125);
  const Ellipsoid right{draw.near({0.28f, 0.0f, 0.45f}, 0.03), draw.scaled({0.52f, 0.42f, 0.33f}, 0.09), draw.between(-0.2, 0.2)};
  const Ellipsoid left{draw.near({0.48f, 0.28f, 0.02f}, 0.03), draw.scaled({0.26f, 0.19f, 0.38f}, 0.12), draw.between(-0.2, 0.2)};
  const Tensor rough = canvas.noise(6, draw.split());
  const float* r = rough.view().as<float>();
  const auto liver = [&](Vec3 x, int64_t i) { return merge(right(x), left(x), 0.12f) + 0.012f * r[i]; };
  canvas.paint(Region{}, {value, 7, 6}, kLiver, liver);
  for (int k = 0; k < 5; ++k) {  // vessels, part of the liver
    const Vec3 from{draw.between(0.2, 0.4), 0.02f, 0.25f}, to{draw.between(-0.1, 0.7), draw.between(-0.3, 0.35), draw.between(0.3, 0.75)};
    const Capsule vessel{from, to, draw.between(0.025, 0.04)};
    canvas.paint(region_of(vessel), {value + draw.between(25, 50), 5, 5}, kLiver,
                 [&](Vec3 x, int64_t i) { return std::max(vessel(x), liver(x, i) + 0.06f); });
  }
  for (int64_t k = draw.below(3); k > 0; --k) {  // cysts, part of the liver
    const Ellipsoid cyst{{draw.between(0.1, 0.5), draw.between(-0.2, 0.2), draw.between(0.35, 0.6)},
                         draw.scaled({0.08f, 0.08f, 0.08f}, 0.3)};
    canvas.paint(region_of(cyst), {draw.between(10, 60), 6, 5}, kLiver,
                 [&](Vec3 x, int64_t i) { return std::max(cyst(x), liver(x, i) + 0.05f); });
  }
}

void paint_spleen(Canvas& canvas, Draw& draw) {
  const Ellipsoid spleen{draw.near({0.3f, -0.24f, -0.57f}, 0.03), draw.scaled({0.36f, 0.27f, 0.16f}, 0.1), draw.between(0.3, 0.6)};
  const Ellipsoid dent{spleen.centre + Vec3{0.05f, 0.12f, 0.22f}, {0.3f, 0.2f, 0.14f}};
  canvas.paint(region_of(spleen), {draw.between(95, 135), 7, 6}, kSpleen, [&](Vec3 x, int64_t) { return std::max(spleen(x), -dent(x)); });
}

void paint_kidneys(Canvas& canvas, Draw& draw) {
  const float cortex = draw.between(130, 190), medulla = cortex - draw.between(30, 55);
  for (float side : {-1.f, 1.f}) {
    const Ellipsoid kidney{draw.near({-0.22f - 0.05f * side, -0.26f, side * 0.45f}, 0.03), draw.scaled({0.3f, 0.16f, 0.17f}, 0.09),
                           side * draw.between(0.2, 0.6)};
    const Ellipsoid hilum{kidney.centre + Vec3{0, 0.05f, -side * 0.17f}, {0.1f, 0.08f, 0.1f}};
    const auto body = [&](Vec3 x, int64_t) { return std::max(kidney(x), -hilum(x)); };
    canvas.paint(region_of(kidney), {cortex, 7, 6}, kKidney, body);
    canvas.paint(region_of(kidney), {medulla, 8, 6}, kKidney, [&](Vec3 x, int64_t i) { return body(x, i) + 0.065f; });
  }
}

// The aorta left of the middle in front of the spine, round; the vena cava right of it, flatter and less bright.
void paint_vessels(Canvas& canvas, Draw& draw) {
  const float aorta = draw.between(150, 215), cava = draw.between(100, 165);
  const Vec3 top{1.5f, draw.between(-0.14, -0.1), draw.between(-0.13, -0.07)},
      bottom{-1.5f, draw.between(-0.14, -0.1), draw.between(-0.1, -0.04)};
  canvas.paint(Ellipsoid{{0, draw.between(-0.1, -0.05), draw.between(0.17, 0.22)}, {3, draw.between(0.06, 0.08), draw.between(0.1, 0.13)}},
               {cava, 6, 6}, kNone);
  canvas.paint(Capsule{top, bottom, draw.between(0.1, 0.13)}, {aorta, 6, 6}, kAorta);
}

}  // namespace

void paint_abdomen(Canvas& canvas, Draw& draw) {
  paint_body(canvas, draw);
  paint_bowel(canvas, draw);
  paint_stomach(canvas, draw);
  paint_spine(canvas, draw);
  paint_vessels(canvas, draw);
  paint_kidneys(canvas, draw);
  paint_spleen(canvas, draw);
  paint_liver(canvas, draw);
}

}  // namespace voxgrad::phantom
