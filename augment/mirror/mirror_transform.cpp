#include "augment/mirror/mirror.h"
#include "augment/spatial/extract_patch.h"
#include "augment/transform.h"

namespace voxgrad {

Bool3 random_mirror(const MirrorOptions& o, Rng rng) {
  Bool3 axes;
  for (int a = 0; a < 3; ++a) axes[a] = rng.coin(o.probability) && o.axes[a];
  return axes;
}

Sample mirror(const Sample& sample, const Bool3& axes) {
  check_sample("mirror", sample);
  if (!axes[0] && !axes[1] && !axes[2]) return sample;
  const Int3 size = volume_size(sample.image());
  return extract_patch(sample, {.centre = {(size.d - 1) / 2.0, (size.h - 1) / 2.0, (size.w - 1) / 2.0}, .mirror = axes}, size);
}

namespace {

void add_keys(ConfigTable& t, MirrorOptions& o) {
  t.number("mirror", o.probability, 0, 1, "probability of mirroring, for each of the three axes");
}

void turn(const MirrorOptions& o, const PatchFacts&, Rng rng, PatchPose& pose) {
  const Bool3 axes = random_mirror(o, rng);
  for (size_t a = 0; a < 3; ++a) pose.mirror[a] = pose.mirror[a] != axes[a];
}

}  // namespace

TransformEntry mirror_transform() {
  return SpaceTransform<MirrorOptions>{
      .name = "mirror", .summary = "reverses axes", .keys = add_keys, .pose = turn, .stream = 1};
}

}  // namespace voxgrad
