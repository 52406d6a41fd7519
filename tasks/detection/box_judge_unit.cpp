#include "tasks/detection/box_judge.h"
#include "tests/catch.h"
#include "tests/close.h"

using namespace voxgrad;

namespace {

// The same numbers as a few lines of Python draw.
struct Drawn {
  int64_t state = 12345;
  int below(int n) {
    state = (state * 1103515245 + 12345) % 2147483648;
    return int((state >> 8) % n);
  }
  ObjectBox box() {
    int low[3], size[3];
    for (int& l : low) l = below(40);
    for (int& s : size) s = 4 + below(12);
    ObjectBox b;
    for (size_t a = 0; a < 3; ++a) b.low[a] = low[a], b.high[a] = low[a] + size[a];
    return b;
  }
  // Edges moved by up to two voxels.
  ObjectBox near(const ObjectBox& b) {
    ObjectBox out = b;
    for (double* edges : {out.low.data(), out.high.data()})
      for (int a = 0; a < 3; ++a) edges[a] += below(5) - 2;
    for (size_t a = 0; a < 3; ++a) out.high[a] = std::max(out.high[a], out.low[a] + 1);
    return out;
  }
};

std::vector<JudgedBoxes> drawn_images() {
  Drawn draw;
  std::vector<JudgedBoxes> out(6);
  for (JudgedBoxes& image : out) {
    const int real = 4 + draw.below(4);
    for (int k = 0; k < real; ++k) {
      image.real.push_back(draw.box());
      image.real.back().label = draw.below(2);
    }
    for (const ObjectBox& r : image.real) {
      if (draw.below(10) >= 8) continue;
      ObjectBox b = draw.near(r);
      b.label = draw.below(10) < 9 ? r.label : 1 - r.label;
      b.score = draw.below(1000) / 1000.0;
      image.found.push_back(b);
    }
    const int wrong = draw.below(4);
    for (int k = 0; k < wrong; ++k) {
      ObjectBox b = draw.box();
      b.label = draw.below(2);
      b.score = draw.below(600) / 1000.0;
      image.found.push_back(b);
    }
  }
  return out;
}

double score_of(const BoxJudge& judge, const std::vector<int>& counts, const std::string& key) {
  const auto keys = judge.keys();
  for (size_t i = 0; i < keys.size(); ++i)
    if (keys[i] == key) return judge.scores(counts)[i];
  FAIL("there is no score " << key);
  return 0;
}

ObjectBox cube(double low, double high, double score = 1, int label = 0) { return {{low, low, low}, {high, high, high}, label, score}; }

}  // namespace

TEST_CASE("average precision of boxes is that of MONAI's COCO metric") {
  const BoxJudge judge(drawn_images(), {"a", "b"});
  const std::vector<int> once(6, 1);
  // monai 1.5.1, COCOMetric(iou_range 0.1 to 0.5 by 0.05) of matching_batch, of the same boxes.
  CHECK(close(score_of(judge, once, "map"), 0.2645504719616542, 1e-9));
  CHECK(close(score_of(judge, once, "ap_10"), 0.4394553708764542, 1e-9));
  CHECK(close(score_of(judge, once, "ap_50"), 0.10713939040962919, 1e-9));
  CHECK(close(score_of(judge, once, "ap_50_a"), 0.0792079207920792, 1e-9));
  CHECK(close(score_of(judge, once, "ap_50_b"), 0.1350708600271792, 1e-9));
}

TEST_CASE("an image that counts twice is as good as another one with its boxes") {
  std::vector<JudgedBoxes> images = drawn_images();
  const BoxJudge judge(images, {"a", "b"});
  images.insert(images.begin() + 3, images[2]);
  const std::vector<double> twice = judge.scores({1, 1, 2, 1, 1, 1}), copied = BoxJudge(images, {"a", "b"}).scores();
  for (size_t i = 0; i < twice.size(); ++i) CHECK(close(twice[i], copied[i], 1e-12));
}

TEST_CASE("a real box is found once, by the best box that overlaps it, and errors are in millimetres") {
  JudgedBoxes image{.found = {cube(1, 11, 0.6), cube(0, 10, 0.9), cube(40, 50, 0.3)},
                    .real = {cube(0, 10), cube(20, 30)},
                    .spacing = {3, 1, 2}};
  std::sort(image.found.begin(), image.found.end(), [](const ObjectBox& a, const ObjectBox& b) { return a.score > b.score; });
  image.found[0].low[2] += 1, image.found[0].high[2] += 1;
  const BoxJudge judge({image}, {"cube"});
  CHECK(score_of(judge, {1}, "found") == 0.5);
  CHECK(close(score_of(judge, {1}, "centre_error"), 2, 1e-12));
  CHECK(score_of(judge, {1}, "froc_1") == 0.5);
  CHECK(score_of(judge, {1}, "ap_50") == 51 / 101.0);  // recalls 0 to 0.5 at precision 1
  const BoxJudge::Counts c = judge.counts(0);
  CHECK((c.real == 2 && c.found == 1 && c.wrong == 1));
  const BoxMatches m = match_boxes({cube(0, 10), cube(0, 10)}, {cube(0, 9), cube(0, 10)}, 0.5);
  CHECK(m.of_real == std::vector<int64_t>{1, 0});
  CHECK(match_boxes({cube(0, 10)}, {cube(5, 15)}, 0.5).of_real[0] == -1);
}

TEST_CASE("boxes take real ones as a walk over all pairs says, on 10,000 random sets, degenerate boxes among them") {
  Drawn draw;
  int64_t wrong = 0, taken = 0, degenerate = 0;
  for (int set = 0; set < 10000; ++set) {
    // Whole edges from 0 to 4, so that overlaps are counts of voxels and often equal.
    const auto some = [&](int n) {
      std::vector<ObjectBox> out(static_cast<size_t>(n));
      for (ObjectBox& b : out)
        for (size_t a = 0; a < 3; ++a) {
          b.low[a] = draw.below(5), b.high[a] = draw.below(5);
          if (set % 4 != 0 && b.low[a] > b.high[a]) std::swap(b.low[a], b.high[a]);
          degenerate += b.low[a] >= b.high[a];
        }
      return out;
    };
    const std::vector<ObjectBox> found = some(4), real = some(3);
    const auto voxels = [](const ObjectBox& x, const ObjectBox& y, bool both) {
      int n = 0;
      for (int v = 0; v < 64; ++v) {
        const auto in = [&](const ObjectBox& b) {
          const int at[3] = {v / 16, v / 4 % 4, v % 4};
          return at[0] >= b.low[0] && at[1] >= b.low[1] && at[2] >= b.low[2] && at[0] < b.high[0] && at[1] < b.high[1] && at[2] < b.high[2];
        };
        n += both ? in(x) && in(y) : in(x) || in(y);
      }
      return n;
    };
    std::vector<int64_t> expected(3, -1);
    for (size_t f = 0; f < found.size(); ++f) {
      int64_t best = -1;
      for (size_t r = 0; r < real.size(); ++r) {
        const int both = voxels(found[f], real[r], true), either = voxels(found[f], real[r], false);
        if (expected[r] >= 0 || 10 * both < 3 * either || either == 0) continue;
        const size_t b = size_t(std::max<int64_t>(best, 0));
        if (best < 0 || both * voxels(found[f], real[b], false) > voxels(found[f], real[b], true) * either) best = int64_t(r);
      }
      if (best >= 0) expected[size_t(best)] = int64_t(f), ++taken;
    }
    wrong += match_boxes(found, real, 0.3).of_real != expected;
  }
  CHECK(wrong == 0);
  CHECK((taken > 500 && degenerate > 10000));
}

TEST_CASE("a class without a real box has no average precision, and one of another class finds nothing") {
  const BoxJudge judge({{.found = {cube(0, 10, 0.9, 1)}, .real = {cube(0, 10)}, .spacing = {1, 1, 1}}}, {"a", "b"});
  CHECK(score_of(judge, {1}, "ap_50_a") == 0);
  CHECK(std::isnan(score_of(judge, {1}, "ap_50_b")));
  CHECK(score_of(judge, {1}, "ap_50") == 0);
}
