#include <algorithm>
#include <vector>

#include "core/device/parallel.h"
#include "kernels/class_loss/class_loss_formulas.h"

namespace voxgrad {
namespace {

constexpr int64_t kChunk = 1 << 10;

bool counts(const ClassLoss& p, View targets, int64_t row) { return p.soft || class_counts(p, targets.as<int64_t>()[row]); }

struct Part {
  double sum = 0;
  int64_t rows = 0, bad = kNoBadClass;
};

}  // namespace

int64_t class_loss(Cpu, const ClassLoss& p, View logits, View targets, View weights, View loss, View divisor) {
  std::vector<Part> parts(size_t(chunk_count(p.rows, kChunk)));
  Part all;
  on_dtype(logits.dtype, [&]<class T>() {
    using A = accum_t<T>;
    parallel_chunks(p.rows, kChunk, [&](int64_t c, int64_t begin, int64_t end) {
      Part& part = parts[size_t(c)];
      for (int64_t row = begin; row < end; ++row) {
        if (!counts(p, targets, row)) {
          const int64_t label = targets.as<int64_t>()[row];
          if (class_is_bad(p, label)) part.bad = std::min(part.bad, label);
          continue;
        }
        part.sum += double(ClassRow<T>(p, row, logits.as<T>(), targets.data, weights.as<A>()).value());
        ++part.rows;
      }
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
    const A g = *seed.as<A>() / *divisor.as<A>();
    parallel_for(p.rows, kChunk, [&](int64_t row) {
      T* const z = gz ? gz.as<T>() + row * p.classes : nullptr;
      T* const t = gt ? gt.as<T>() + row * p.classes : nullptr;
      if (counts(p, targets, row)) ClassRow<T>(p, row, logits.as<T>(), targets.data, weights.as<A>()).gradient(g, z, t);
      else std::fill_n(z, p.classes, T(0.f));
    });
  });
}

}  // namespace voxgrad
