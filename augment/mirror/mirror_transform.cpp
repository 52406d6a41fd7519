#include "augment/mirror/mirror.h"
#include "augment/spatial/extract_patch.h"
#include "augment/transform.h"
#include "core/config/json_values.h"

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
  t.number("mirror", o.probability, 0, 1, "probability of mirroring, for each of the axes mirror_axes");
  t.add_json("mirror_axes", "axes that may be mirrored, of 0 (D), 1 (H) and 2 (W), in training and by predict.mirror",
             [&o] {
               Json axes = Json::array();
               for (int a = 0; a < 3; ++a)
                 if (o.axes[size_t(a)]) axes.push_back(a);
               return axes;
             },
             [&o](const Json& v) {
               Bool3 axes = {false, false, false};
               check(v.is_array(), "a list of axes is wanted");
               for (auto& a : v) {
                 check(a.is_number_integer() && a.get<int64_t>() >= 0 && a.get<int64_t>() < 3, "axes are 0, 1 and 2");
                 axes[a.get<size_t>()] = true;
               }
               o.axes = axes;
             });
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
