#include "augment/phantom/phantom.h"

#include "augment/phantom/phantom_canvas.h"

namespace voxgrad {
namespace {

constexpr PhantomKind kKinds[] = {PhantomKind::head, PhantomKind::abdomen, PhantomKind::shapes};

struct Recipe {
  double mm;  // of the scene's unit
  phantom::View view;
  float deformation;
  phantom::Tissue background;
  void (*paint)(phantom::Canvas&, phantom::Draw&);
};
Recipe recipe_of(PhantomKind kind) {
  switch (kind) {
    case PhantomKind::head: return {110, {{0.14f, -0.06f, 0}, {0.84f, 0.9f, 0.84f}}, 0.025f, {0.01f}, phantom::paint_head};
    case PhantomKind::abdomen: return {160, {{0, -0.02f, 0}, {0.95f, 0.8f, 0.95f}}, 0.03f, {-990, 0, 5}, phantom::paint_abdomen};
    default: return {50, {}, 0.03f, {0.4f, 0.05f, 0.03f}, phantom::paint_shapes};
  }
}

phantom::Imaging imaging_of(PhantomKind kind, phantom::Draw& draw) {
  const double blur = draw.between(0.4, 0.7);
  switch (kind) {
    case PhantomKind::head:
      return {.bias = draw.between(0.05, 0.1),
              .blur = {blur, blur, blur},
              .noise = draw.between(0.02, 0.045),
              .rician = true,
              .scale = draw.between(200, 1500)};
    case PhantomKind::abdomen: return {.blur = {blur, blur, blur}, .noise = draw.between(12, 24), .shift = draw.between(-10, 10)};
    default:
      return {
          .bias = draw.between(0.05, 0.12), .blur = {blur, blur, blur}, .noise = draw.between(0.03, 0.05), .scale = draw.between(50, 500)};
  }
}

}  // namespace

std::vector<std::string> phantom_labels(PhantomKind kind) {
  switch (kind) {
    case PhantomKind::head: return {"background", "grey matter", "white matter", "ventricles", "lesion"};
    case PhantomKind::abdomen: return {"background", "liver", "spleen", "kidneys", "aorta"};
    default: return {"background", "ball", "block", "ring"};
  }
}

Phantom make_phantom(PhantomKind kind, const PhantomOptions& o) {
  check(o.size.d >= 16 && o.size.h >= 16 && o.size.w >= 16 && o.size.d <= 2048 && o.size.h <= 2048 && o.size.w <= 2048,
        "make_phantom: a size of ", o.size, " voxels, from 16 to 2048 per axis are possible");
  const Recipe recipe = recipe_of(kind);
  phantom::Draw draw(Rng(o.seed).at(uint64_t(kind)));
  phantom::Canvas canvas(o.size, recipe.view, recipe.deformation, recipe.background, draw.split());
  recipe.paint(canvas, draw);
  const phantom::Imaging imaging = imaging_of(kind, draw);
  phantom::take_image(canvas.image(), imaging, draw.split());
  Phantom p{canvas.image(), canvas.label(), {}};
  const phantom::Vec3 half = recipe.view.half;
  p.spacing_mm = {2 * recipe.mm * half.d / o.size.d, 2 * recipe.mm * half.h / o.size.h, 2 * recipe.mm * half.w / o.size.w};
  return p;
}

const char* name_of(PhantomKind kind) { return kind == PhantomKind::head ? "head" : kind == PhantomKind::abdomen ? "abdomen" : "shapes"; }

PhantomKind parse_phantom_kind(const std::string& name) {
  for (PhantomKind kind : kKinds)
    if (name == name_of(kind)) return kind;
  fail("phantom kind: \"", name, "\" is none of head, abdomen, shapes");
}

}  // namespace voxgrad
