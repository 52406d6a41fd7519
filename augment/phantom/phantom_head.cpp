#include "augment/phantom/phantom_canvas.h"

// A T1-weighted head. Muscle looks like grey matter, fat and marrow like white matter, eyes and the fluid around the brain like
// ventricles; lesions look like grey matter with a bright rim.
namespace voxgrad::phantom {
namespace {

enum HeadLabel { kGrey = 1, kWhite, kVentricle, kLesion };

struct Tissues {
  Tissue fluid, grey, white, fat, muscle, bone, air;
};
Tissues tissues_of(Draw& draw) {
  const float grey = draw.between(0.50, 0.58), white = grey + draw.between(0.19, 0.26);
  return {.fluid = {draw.between(0.2, 0.28), 0.01f, 0.01f},
          .grey = {grey, 0.02f, 0.02f},
          .white = {white, 0.015f, 0.015f},
          .fat = {white + draw.between(-0.05, 0.08), 0.05f, 0.04f},
          .muscle = {grey + draw.between(-0.08, 0.03), 0.04f, 0.04f},
          .bone = {draw.between(0.08, 0.14), 0.01f, 0.01f},
          .air = {0.02f, 0, 0}};
}

// The hemispheres with the space for the cerebellum below them.
struct Brain {
  Ellipsoid hemispheres, cerebellum;
  float cavity(Vec3 x) const { return merge(hemispheres(x), cerebellum(x), 0.1f); }
};

// Everything outside the skull: scalp, face and neck with muscle, marrow, eyes and airways.
void paint_outside(Canvas& canvas, Draw& draw, const Tissues& t, const Brain& brain) {
  const Ellipsoid face{draw.near({-0.42f, 0.16f, 0}, 0.03), draw.scaled({0.52f, 0.66f, 0.56f}, 0.05)};
  const Capsule neck{{-0.4f, -0.15f, 0}, {-1.4f, -0.2f, 0}, draw.about(0.46, 0.08)};
  const float skull = draw.between(0.09, 0.11), scalp = skull + draw.between(0.06, 0.08), skin = draw.between(0.04, 0.07);
  const auto outer = [&](Vec3 x) { return merge(merge(brain.cavity(x) - scalp, face(x), 0.15f), neck(x), 0.1f); };
  canvas.paint(Region{}, t.fat, kNone, [&](Vec3 x, int64_t) { return outer(x); });
  canvas.paint(Region{}, t.muscle, kNone, [&](Vec3 x, int64_t) {
    // Muscle under the fat of the face and neck; the scalp over the skull is fat throughout.
    return std::max(outer(x) + skin, scalp - 0.01f - brain.cavity(x));
  });
  for (int i = 0; i < 7; ++i) {  // marrow and fat pads in the face
    const Ellipsoid pad{{draw.between(-0.9, -0.3), draw.between(-0.2, 0.6), draw.between(-0.4, 0.4)},
                        draw.scaled({0.11f, 0.13f, 0.11f}, 0.4),
                        draw.between(-1, 1)};
    canvas.paint(pad, i % 3 == 2 ? t.bone : t.fat, kNone);
  }
  canvas.paint(Capsule{{-0.35f, 0.45f, 0}, {-1.2f, 0.05f, 0}, draw.between(0.06, 0.09)}, t.air, kNone);
  canvas.paint(Region{}, t.bone, kNone, [&](Vec3 x, int64_t) { return brain.cavity(x) - skull; });
  const float apart = draw.between(0.26, 0.32), eye = draw.between(0.12, 0.15);
  for (float side : {-1.f, 1.f}) {
    const Vec3 centre = draw.near({-0.33f, 0.62f, side * apart}, 0.02);
    canvas.paint(Ellipsoid{centre, {eye, eye, eye}}, t.fluid, kNone);
    canvas.paint(Ellipsoid{centre + Vec3{0, 0.1f, 0}, {0.04f, 0.03f, 0.04f}}, t.muscle, kNone);
  }
}

void paint_brain(Canvas& canvas, Draw& draw, const Tissues& t, const Brain& brain) {
  const float shell = draw.between(0.04, 0.06), ribbon = draw.between(0.12, 0.15);
  const Tensor folds = canvas.noise(10, draw.split()), gyri = canvas.noise(9, draw.split());
  const float *fold = folds.view().as<float>(), *gyrus = gyri.view().as<float>();
  canvas.paint(Region{}, t.fluid, kNone, [&](Vec3 x, int64_t) { return brain.cavity(x) - shell; });

  // The two halves, apart above the middle; their surface is folded, and white matter reaches into the folds.
  const float fluid = draw.between(0.01, 0.04), gap = 0.02f;
  const auto apart = [](Vec3 x) { return std::clamp((x.d - 0.25f) * 4, 0.f, 1.f); };
  const auto surface = [&](Vec3 x, int64_t i) { return brain.hemispheres(x) + fluid + 0.03f * fold[i]; };
  canvas.paint(Region{}, t.grey, kGrey,
               [&](Vec3 x, int64_t i) { return std::max(surface(x, i), (gap + 0.01f) * apart(x) - 0.01f - std::abs(x.w)); });
  canvas.paint(Region{}, t.white, kWhite, [&](Vec3 x, int64_t i) {
    return std::max(surface(x, i) + ribbon * (1 + 0.3f * gyrus[i]), apart(x) * (gap + 0.7f * ribbon) - std::abs(x.w));
  });

  const auto cerebellum = [&](Vec3 x, int64_t i) { return brain.cerebellum(x) + 0.02f + 0.012f * fold[i]; };
  canvas.paint(region_of(brain.cerebellum), t.grey, kGrey, cerebellum);
  canvas.paint(region_of(brain.cerebellum), t.white, kWhite,
               [&](Vec3 x, int64_t i) { return cerebellum(x, i) + 0.12f + 0.03f * gyrus[i]; });
  canvas.paint(Capsule{{-0.05f, -0.1f, 0}, {-1.3f, -0.22f, 0}, draw.between(0.11, 0.14)}, t.white, kWhite);

  // Deep grey matter on both sides.
  const Vec3 thalamus = draw.scaled({0.12f, 0.17f, 0.11f}, 0.1), putamen = draw.scaled({0.14f, 0.22f, 0.08f}, 0.1);
  const float tilt = draw.between(0.2, 0.4);
  for (float side : {-1.f, 1.f}) {
    canvas.paint(Ellipsoid{draw.near({0.08f, -0.1f, side * 0.14f}, 0.015), thalamus, side * tilt}, t.grey, kGrey);
    canvas.paint(Ellipsoid{draw.near({0.1f, 0.1f, side * 0.34f}, 0.015), putamen, -side * tilt}, t.grey, kGrey);
  }
}

void paint_lesions(Canvas& canvas, Draw& draw, const Tissues& t, const Brain& brain) {
  const Tensor rough = canvas.noise(8, draw.split());
  const float* r = rough.view().as<float>();
  const int64_t count = 1 + draw.below(2);
  const Tissue core{t.grey.mean * draw.between(0.75, 0.95), 0.05f, 0.03f}, rim{t.white.mean + draw.between(0.1, 0.18), 0.03f, 0.03f};
  float side = draw.below(2) ? 1.f : -1.f;
  for (int64_t k = 0; k < count; ++k, side = -side) {
    const Ellipsoid lesion{{draw.between(0.15, 0.45), draw.between(-0.42, 0.38), side * draw.between(0.27, 0.4)},
                           (k == 0 ? 1.f : 0.7f) * draw.scaled({0.27f, 0.28f, 0.27f}, 0.15),
                           draw.between(-1, 1)};
    const float wall = draw.between(0.05, 0.08);
    const auto body = [&](Vec3 x, int64_t i) { return std::max(lesion(x) + 0.02f * r[i], brain.hemispheres(x) + 0.06f); };
    canvas.paint(region_of(lesion), rim, kLesion, body);
    canvas.paint(region_of(lesion), core, kLesion, [&](Vec3 x, int64_t i) { return body(x, i) + wall; });
  }
}

void paint_ventricles(Canvas& canvas, Draw& draw, const Tissues& t) {
  const float size = draw.between(1.2, 1.7);
  for (float side : {-1.f, 1.f}) {
    const float s = size * draw.about(1, 0.08);
    const Ellipsoid body{{0.24f, 0.02f, side * (0.06f + 0.06f * s)}, {0.1f * s, 0.34f, 0.075f * s}, -side * 0.15f};
    const Capsule horn{{0.2f, -0.25f, side * (0.1f + 0.06f * s)}, {-0.05f, -0.3f, side * 0.3f}, 0.055f * s};
    canvas.paint(Region{{0.1f, -0.02f, side * 0.2f}, {0.5f, 0.55f, 0.4f}}, t.fluid, kVentricle,
                 [&](Vec3 x, int64_t) { return merge(body(x), horn(x), 0.05f); });
  }
}

}  // namespace

void paint_head(Canvas& canvas, Draw& draw) {
  const Tissues t = tissues_of(draw);
  const Brain brain{{draw.near({0.17f, -0.06f, 0}, 0.03), draw.scaled({0.6f, 0.68f, 0.62f}, 0.05)},
                    {draw.near({-0.38f, -0.34f, 0}, 0.02), draw.scaled({0.23f, 0.28f, 0.42f}, 0.06)}};
  paint_outside(canvas, draw, t, brain);
  paint_brain(canvas, draw, t, brain);
  paint_lesions(canvas, draw, t, brain);
  paint_ventricles(canvas, draw, t);
}

}  // namespace voxgrad::phantom
