#include "tasks/image_loss/image_loss.h"

#include <algorithm>

#include "core/config/json_values.h"
#include "kernels/binary/binary.h"
#include "kernels/differences/differences.h"
#include "kernels/mse_loss/mse_loss.h"
#include "kernels/reduce/reduce.h"
#include "layers/ssim.h"

namespace voxgrad {
namespace {

const std::vector<std::string> kVoxelKinds = {"l1", "l2", "charbonnier"};
const std::vector<std::string> kLossKinds = {"l1", "l2", "charbonnier", "gradient", "ssim", "ms_ssim"};

bool is_one_of(const std::string& kind, const std::vector<std::string>& kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// Where the mask is 0 both images are 0, and so is every term of voxels: its mean over all of them is that over the mask times `share`,
// which stays on the device. Absent: all count.
Tensor voxel_term(const LossTerm& t, const ImagePair& p, const Tensor& share) {
  const Tensor loss = t.kind == "l1"   ? l1_loss(p.image, p.reference)
                      : t.kind == "l2" ? mse_loss(p.image, p.reference)
                                       : mean(sqrt(square(p.image - p.reference) + t.epsilon * t.epsilon) - t.epsilon);
  return share ? loss * t.weight / share.to(loss.dtype()) : loss * t.weight;
}

Tensor precise(const Tensor& x) { return x.dtype() == DType::f64 ? x : x.to(DType::f32); }

Tensor gradient_term(const LossTerm& t, const ImagePair& p) {
  const Tensor d = precise(p.image - p.reference);
  const int axes = d.dim(1) > 1 ? 3 : 2;
  return mean(abs(differences(d, axes))) * t.weight;
}

Tensor similarity_term(const LossTerm& t, const ImagePair& p) {
  const auto whole = [&](const Tensor& x) { return p.base ? precise(x) + precise(p.base) : precise(x); };
  const Tensor x = whole(p.image), y = whole(p.reference);
  const Tensor like = t.kind == "ssim" ? ssim(x, y, {.range = t.range, .volume = t.volume})
                                       : multi_scale_ssim(x, y, {.range = t.range, .volume = t.volume});
  return (1.0 - like) * t.weight;
}

}  // namespace

Tensor image_loss(const ImageLoss& loss, const ImagePair& given) {
  check(!loss.empty(), "image_loss: has no terms");
  check(!given.mask || is_of_voxels(loss), "image_loss: of masked voxels l1, l2 and charbonnier are possible");
  ImagePair p = given;
  Tensor share;
  if (p.mask) {
    const Tensor mask = p.mask.to(p.image.dtype());
    share = mean(p.mask.detach());
    p.image = p.image * mask, p.reference = p.reference * mask;
  }
  Tensor sum;
  for (const LossTerm& t : loss) {
    const Tensor term = is_one_of(t.kind, kVoxelKinds) ? voxel_term(t, p, share)
                        : t.kind == "gradient"         ? gradient_term(t, p)
                                                       : similarity_term(t, p);
    sum = sum ? sum + term : term;
  }
  return sum;
}

bool is_of_voxels(const ImageLoss& loss) {
  return std::all_of(loss.begin(), loss.end(), [](const LossTerm& t) { return is_one_of(t.kind, kVoxelKinds); });
}

ImageLoss image_loss_from(const Json& j) {
  if (j.is_string()) {
    const std::string kind = j.get<std::string>();
    if (kind == "l1_ssim") return {{.kind = "l1"}, {.kind = "ssim", .weight = 0.1}};
    std::string known;
    for (auto& k : kLossKinds) known += k + ", ";
    check(is_one_of(kind, kLossKinds), known, "l1_ssim or a list of terms is wanted");
    return {{.kind = kind}};
  }
  check(j.is_array() && !j.empty(), "the name of a loss is wanted, or a list such as [{\"kind\": \"l1\"}, {\"kind\": \"ssim\", ",
        "\"weight\": 0.1}]");
  ImageLoss out;
  for (size_t i = 0; i < j.size(); ++i) {
    const std::string where = "term " + std::to_string(i);
    check(j[i].is_object(), where, ": an object is wanted");
    LossTerm term;
    ConfigTable t;
    t.choice("kind", term.kind, kLossKinds, "");
    t.number("weight", term.weight, 0, 1e6, "");
    t.number("epsilon", term.epsilon, 1e-12, 1e6, "");
    t.number("range", term.range, 1e-12, 1e12, "");
    t.flag("volume", term.volume, "");
    for (auto& [name, value] : j[i].items()) set_key(t.keys, name, value, where);
    out.push_back(term);
  }
  return out;
}

Json json_of(const ImageLoss& loss) {
  if (loss.size() == 1 && loss[0] == LossTerm{.kind = loss[0].kind}) return loss[0].kind;
  Json out = Json::array();
  for (const LossTerm& t : loss)
    out.push_back({{"kind", t.kind}, {"weight", t.weight}, {"epsilon", t.epsilon}, {"range", t.range}, {"volume", t.volume}});
  return out;
}

void add_loss_key(ConfigTable& table, ImageLoss& loss) {
  table.add_json(
      "loss",
      "l1, l2, charbonnier, gradient (of edges), ssim or ms_ssim (1 - similarity), l1_ssim (l1 + 0.1 ssim), or a sum of "
      "them: [{\"kind\": \"l1\"}, {\"kind\": \"ssim\", \"weight\": 0.1, \"range\": 1}, ..]; tasks/image_loss/image_loss.h has "
      "the formulas",
      [&loss] { return json_of(loss); }, [&loss](const Json& v) { loss = image_loss_from(v); });
}

}  // namespace voxgrad
