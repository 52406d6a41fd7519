#include <algorithm>
#include <map>

#include "augment/phantom/phantom.h"
#include "tests/sample_helpers.h"

using namespace voxgrad;

namespace {

constexpr PhantomKind kKinds[] = {PhantomKind::head, PhantomKind::abdomen, PhantomKind::shapes};

// The largest Dice that any interval of intensities reaches for a class on this very case, from a histogram of 400 equally filled bins.
double best_interval_dice(const Phantom& p, int label) {
  constexpr size_t kBins = 400;
  const auto x = p.image.data<float>();
  const auto l = p.label.data<uint8_t>();
  std::vector<size_t> order(x.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return x[a] < x[b]; });
  std::vector<double> hits(kBins + 1, 0.0);
  double total = 0;
  for (size_t b = 0; b < kBins; ++b) {
    double inside = 0;
    for (size_t i = x.size() * b / kBins; i < x.size() * (b + 1) / kBins; ++i) inside += l[order[i]] == label;
    hits[b + 1] = hits[b] + inside;
    total += inside;
  }
  double best = 0;
  for (size_t a = 0; a < kBins; ++a)
    for (size_t b = a + 1; b <= kBins; ++b) {
      const double predicted = double(x.size() * b / kBins - x.size() * a / kBins);
      best = std::max(best, 2 * (hits[b] - hits[a]) / (predicted + total));
    }
  return best;
}

}  // namespace

TEST_CASE("no threshold solves a phantom", "[long]") {
  // A classifier that knows the label of the case and takes the best interval for each class: 0.5 is far below what a network reaches.
  for (PhantomKind kind : kKinds) {
    double sum = 0;
    int count = 0;
    for (uint64_t seed = 0; seed < 3; ++seed) {
      const Phantom p = make_phantom(kind, {.size = {48, 48, 48}, .seed = seed});
      for (int label = 1; label < int(phantom_labels(kind).size()); ++label) sum += best_interval_dice(p, label), ++count;
    }
    INFO(name_of(kind) << ": " << sum / count);
    CHECK(sum / count < 0.5);
  }
  // The measure itself: a class of its own intensity is found.
  Phantom plain{Tensor::zeros({8, 8, 8, 1}), Tensor::zeros({8, 8, 8}, DType::u8), {1, 1, 1}};
  for (size_t i = 100; i < 228; ++i) plain.image.mutable_data<float>()[i] = 1, plain.label.mutable_data<uint8_t>()[i] = 1;
  CHECK(best_interval_dice(plain, 1) > 0.95);
}

TEST_CASE("phantoms have every class in every case, of a size to be learned, and finite intensities") {
  for (PhantomKind kind : kKinds)
    for (uint64_t seed = 0; seed < 6; ++seed) {
      const Phantom p = make_phantom(kind, {.size = {40, 48, 44}, .seed = seed});
      CHECK(p.image.shape() == Shape{40, 48, 44, 1});
      CHECK(p.label.shape() == Shape{40, 48, 44});
      std::map<int, int64_t> count;
      for (uint8_t l : p.label.data<uint8_t>()) ++count[l];
      CHECK(count.size() == phantom_labels(kind).size());
      for (size_t label = 0; label < phantom_labels(kind).size(); ++label) {
        INFO(name_of(kind) << " seed " << seed << " " << phantom_labels(kind)[label] << ": " << count[int(label)]);
        CHECK(count[int(label)] > 100);
      }
      CHECK(count[0] > p.label.count() / 2);
      for (float v : p.image.data<float>()) REQUIRE(std::isfinite(v));
      for (double mm : p.spacing_mm) CHECK((mm > 1 && mm < 15));
    }
}

TEST_CASE("a phantom is a function of kind, size and seed; seeds differ in anatomy and contrast") {
  for (PhantomKind kind : kKinds) {
    const PhantomOptions o{.size = {32, 36, 40}, .seed = 5};
    const auto with_threads = [&](int n) {
      const Threads scope(n);
      return make_phantom(kind, o);
    };
    const Phantom one = with_threads(1), again = with_threads(3);
    const Phantom other = make_phantom(kind, {.size = o.size, .seed = 6});
    CHECK(same(one.image, again.image));
    CHECK(same(one.label, again.label));
    // Of the foreground of either, a tenth at least belongs to another class in the other.
    int64_t differ = 0, foreground = 0;
    const auto a = one.label.data<uint8_t>(), b = other.label.data<uint8_t>();
    for (size_t i = 0; i < a.size(); ++i) differ += a[i] != b[i], foreground += a[i] != 0 || b[i] != 0;
    CHECK(differ * 10 > foreground);
    CHECK(!(difference(one.image, other.image) < 0.1));
  }
}

TEST_CASE("phantom kinds have names; impossible sizes are refused") {
  for (PhantomKind kind : kKinds) CHECK(parse_phantom_kind(name_of(kind)) == kind);
  CHECK(refuses([] { parse_phantom_kind("heart"); }, {"heart", "head, abdomen, shapes"}));
  CHECK(refuses([] { make_phantom(PhantomKind::head, {.size = {8, 32, 32}}); }, {"make_phantom", "8x32x32"}));
}
