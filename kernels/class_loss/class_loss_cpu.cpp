#include <algorithm>
#include <vector>

#include "core/device/parallel.h"
#include "kernels/class_loss/class_loss_formulas.h"
#include "kernels/class_loss/class_loss_isa.h"

namespace voxgrad {
namespace {

constexpr int64_t kChunk = 1 << 10, kRows = ClassTile<float>::kRows;

struct Part {
  double sum = 0;
  int64_t rows = 0, bad = kNoBadClass;
};

// The tiles of [begin, end), as one thread walks them.
template <class T>
class Tiles {
 public:
  using A = accum_t<T>;
  Tiles(const ClassLoss& p, View logits, View targets, View weights)
      : p_(p), logits_(logits.as<T>()), soft_(p.soft ? targets.as<T>() : nullptr), labels_(p.soft ? nullptr : targets.as<int64_t>()),
        weights_(weights.as<A>()), z_(size_t(p.classes * kRows)), t_(size_t(p.soft ? p.classes * kRows : 0)),
        w_(size_t(std::max(p.classes, kRows)), A(1)) {
    if (weights_) std::copy_n(weights_, p.soft ? p.classes : 0, w_.data());
  }

  // f(tile, first row, rows): rows that do not count have label 0.
  template <class F>
  void each(int64_t begin, int64_t end, F&& f) {
    for (int64_t row = begin; row < end; row += kRows) {
      const int64_t n = std::min(kRows, end - row);
      side_by_side(logits_ + row * p_.classes, n, z_.data());
      if (p_.soft) side_by_side(soft_ + row * p_.classes, n, t_.data());
      else
        for (int64_t v = 0; v < kRows; ++v) {
          label_[v] = v < n && class_counts(p_, labels_[row + v]) ? labels_[row + v] : 0;
          if (weights_) w_[size_t(v)] = weights_[label_[v]];
        }
      f(ClassTile<A>{z_.data(), t_.data(), label_, w_.data()}, row, n);
    }
  }
  bool counts(int64_t row) const { return p_.soft || class_counts(p_, labels_[row]); }

 private:
  void side_by_side(const T* from, int64_t n, A* planes) const {
    for (int64_t k = 0; k < p_.classes; ++k) {
      for (int64_t v = 0; v < n; ++v) planes[k * kRows + v] = A(from[v * p_.classes + k]);
      std::fill(planes + k * kRows + n, planes + (k + 1) * kRows, A(0));
    }
  }

  const ClassLoss& p_;
  const T *logits_, *soft_;
  const int64_t* labels_;
  const A* weights_;
  std::vector<A> z_, t_, w_;
  int64_t label_[kRows] = {};
};

}  // namespace

int64_t class_loss(Cpu, const ClassLoss& p, View logits, View targets, View weights, View loss, View divisor) {
  std::vector<Part> parts(size_t(chunk_count(p.rows, kChunk)));
  Part all;
  on_dtype(logits.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const ClassLossIsa<A> kernels = VOXGRAD_BY_ISA(class_loss_kernels, kernels<A>());
    parallel_chunks(p.rows, kChunk, [&](int64_t c, int64_t begin, int64_t end) {
      Part& part = parts[size_t(c)];
      Tiles<T> tiles(p, logits, targets, weights);
      tiles.each(begin, end, [&](const ClassTile<A>& tile, int64_t first, int64_t n) {
        A losses[kRows];
        kernels.values(p, tile, losses);
        for (int64_t v = 0; v < n; ++v) {
          if (!tiles.counts(first + v)) {
            const int64_t label = targets.as<int64_t>()[first + v];
            if (class_is_bad(p, label)) part.bad = std::min(part.bad, label);
            continue;
          }
          part.sum += double(losses[v]);
          ++part.rows;
        }
      });
    });
    for (const Part& part : parts) {
      all.sum += part.sum;
      all.rows += part.rows;
      all.bad = std::min(all.bad, part.bad);
    }
    const double rows = double(std::max<int64_t>(1, all.rows));
    *loss.as<A>() = A(all.sum / rows);
    *divisor.as<A>() = A(rows);
  });
  return all.bad;
}

void class_loss_backward(Cpu, const ClassLoss& p, View logits, View targets, View weights, View divisor, View seed, View gz, View gt) {
  on_dtype(logits.dtype, [&]<class T>() {
    using A = accum_t<T>;
    const ClassLossIsa<A> kernels = VOXGRAD_BY_ISA(class_loss_kernels, kernels<A>());
    const A g = *seed.as<A>() / *divisor.as<A>();
    parallel_chunks(p.rows, kChunk, [&](int64_t, int64_t begin, int64_t end) {
      Tiles<T> tiles(p, logits, targets, weights);
      std::vector<A> of_logits(size_t(gz ? p.classes * kRows : 0)), of_targets(size_t(gt ? p.classes * kRows : 0));
      tiles.each(begin, end, [&](const ClassTile<A>& tile, int64_t first, int64_t n) {
        kernels.gradients(p, tile, g, gz ? of_logits.data() : nullptr, gt ? of_targets.data() : nullptr);
        for (int64_t v = 0; v < n; ++v) {
          const bool counts = tiles.counts(first + v);
          const int64_t at = (first + v) * p.classes;
          for (int64_t k = 0; k < p.classes && gz; ++k) gz.as<T>()[at + k] = counts ? T(of_logits[size_t(k * kRows + v)]) : T(0.f);
          for (int64_t k = 0; k < p.classes && gt; ++k) gt.as<T>()[at + k] = T(of_targets[size_t(k * kRows + v)]);
        }
      });
    });
  });
}

}  // namespace voxgrad
