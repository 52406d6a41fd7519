#include "augment/phantom/phantom_canvas.h"

// Balls, blocks and rings of one brightness among rods, sheets and specks of that brightness.
namespace voxgrad::phantom {
namespace {

enum ShapeLabel { kBall = 1, kBlock, kRing };

// An orthonormal frame.
struct Frame {
  Vec3 axis[3];
};
Frame random_frame(Draw& draw) {
  const auto unit = [](Vec3 v) { return (1 / std::max(1e-3f, length(v))) * v; };
  const Vec3 a = unit({draw.between(-1, 1), draw.between(-1, 1), draw.between(0.2, 1)}),
             b = {draw.between(0.2, 1), draw.between(-1, 1), draw.between(-1, 1)};
  const auto cross = [](Vec3 x, Vec3 y) { return Vec3{x.h * y.w - x.w * y.h, x.w * y.d - x.d * y.w, x.d * y.h - x.h * y.d}; };
  const Vec3 c = unit(cross(a, b));
  return {{a, cross(c, a), c}};
}
Vec3 within(const Frame& f, Vec3 v) { return {dot(f.axis[0], v), dot(f.axis[1], v), dot(f.axis[2], v)}; }

float box(Vec3 p, Vec3 half) {
  const Vec3 q{std::abs(p.d) - half.d, std::abs(p.h) - half.h, std::abs(p.w) - half.w};
  const Vec3 beyond{std::max(q.d, 0.f), std::max(q.h, 0.f), std::max(q.w, 0.f)};
  return length(beyond) + std::min(0.f, std::max({q.d, q.h, q.w}));
}

// Places at least so far from each other, as far as a few tries find them.
class Places {
 public:
  explicit Places(Draw& draw) : dice_(draw) {}
  Vec3 next(float radius) {
    Vec3 best;
    float most = -2;
    for (int k = 0; k < 40; ++k) {
      const float r = 0.95f - radius;
      const Vec3 at{dice_.between(-r, r), dice_.between(-r, r), dice_.between(-r, r)};
      float room = 2;
      for (const auto& t : taken_) room = std::min(room, length(at - t.centre) - t.radius - radius);
      if (room > most) most = room, best = at;
    }
    taken_.push_back({best, radius});
    return best;
  }

 private:
  struct Taken {
    Vec3 centre;
    float radius;
  };
  Draw& dice_;
  std::vector<Taken> taken_;
};

}  // namespace

void paint_shapes(Canvas& canvas, Draw& draw) {
  const float bright = draw.between(0.72, 0.85);
  const auto look = [&] { return Tissue{bright + draw.between(-0.08, 0.08), 0.04f, 0.03f}; };
  const auto around = [](Vec3 centre, float reach) { return Region{centre, {reach, reach, reach}}; };
  Places places(draw);

  struct Object {
    ShapeLabel label;
    Vec3 centre;
    float radius;
  };
  std::vector<Object> objects;
  for (int k = 0; k < 3; ++k)
    for (ShapeLabel label : {kBlock, kRing, kBall}) {
      if (k == 2 && draw.below(2) == 0) continue;
      const float radius = label == kRing ? draw.between(0.25, 0.31) : label == kBlock ? draw.between(0.24, 0.3) : draw.between(0.2, 0.27);
      objects.push_back({label, places.next(radius), radius});
    }
  const int64_t rods = 3 + draw.below(3), sheets = 2 + draw.below(2), specks = 12 + draw.below(8);
  for (int64_t k = 0; k < sheets; ++k) {
    const Frame frame = random_frame(draw);
    const Vec3 centre{draw.between(-0.8, 0.8), draw.between(-0.8, 0.8), draw.between(-0.8, 0.8)};
    const Vec3 half{draw.between(0.3, 0.6), draw.between(0.3, 0.6), 0.045f};
    canvas.paint(around(centre, 0.9f), look(), kNone, [&](Vec3 x, int64_t) { return box(within(frame, x - centre), half); });
  }
  for (int64_t k = 0; k < rods; ++k) {
    const Vec3 along = draw.between(0.4, 0.8) * random_frame(draw).axis[0];
    const Vec3 centre{draw.between(-0.8, 0.8), draw.between(-0.8, 0.8), draw.between(-0.8, 0.8)};
    canvas.paint(Capsule{centre - along, centre + along, draw.between(0.06, 0.09)}, look(), kNone);
  }
  for (int64_t k = 0; k < specks; ++k) {
    const float r = draw.between(0.05, 0.09);
    canvas.paint(Ellipsoid{{draw.between(-0.95, 0.95), draw.between(-0.95, 0.95), draw.between(-0.95, 0.95)}, {r, r, r}}, look(), kNone);
  }
  for (const Object& o : objects) {
    const Frame frame = random_frame(draw);
    const Tissue tissue = look();
    if (o.label == kBall) {
      canvas.paint(Ellipsoid{o.centre, draw.scaled({o.radius, o.radius, o.radius}, 0.1)}, tissue, kBall);
    } else if (o.label == kBlock) {
      const float side = 0.68f * o.radius;
      const Vec3 half = draw.scaled({side, side, side}, 0.15);
      canvas.paint(around(o.centre, 1.3f * o.radius), tissue, kBlock,
                   [&](Vec3 x, int64_t) { return box(within(frame, x - o.centre), half); });
    } else {
      const float tube = 0.36f * o.radius, ring = o.radius - tube;
      canvas.paint(around(o.centre, o.radius), tissue, kRing, [&](Vec3 x, int64_t) {
        const Vec3 p = within(frame, x - o.centre);
        return std::hypot(std::hypot(p.d, p.h) - ring, p.w) - tube;
      });
    }
  }
}

}  // namespace voxgrad::phantom
