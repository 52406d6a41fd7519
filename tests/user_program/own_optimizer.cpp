#include <voxgrad/optim/optimizer.h>

using namespace voxgrad;

namespace {

struct SignOptions {
  double learning_rate = 1e-3, dead_zone = 0;
};

// p -= learning_rate sign(g) where |g| > dead_zone; f32 on the CPU.
class SignDescent : public Optimizer {
 public:
  SignDescent(const std::vector<Parameter>& p, const SignOptions& o)
      : Optimizer("SignDescent", {{.parameters = p}}, o.learning_rate), options_(o) {}
  std::vector<Parameter> state() const override { return {}; }

 private:
  void update() override {
    for (const Due& d : due(0)) {
      const auto p = d.parameter.mutable_data<float>();
      const auto g = d.gradient.data<float>();
      for (size_t i = 0; i < p.size(); ++i)
        if (std::abs(g[i]) > options_.dead_zone) p[i] -= float(g[i] > 0 ? d.learning_rate : -d.learning_rate);
    }
  }

  SignOptions options_;
};

void add_keys(ConfigTable& t, SignOptions& o) {
  t.number("learning_rate", o.learning_rate, 0, 10, "the step");
  t.number("dead_zone", o.dead_zone, 0, 1, "gradients up to this are taken as 0");
}

}  // namespace

OptimizerEntry own_optimizer() {
  return {.name = "sign",
          .summary = "steps of one size against the sign of the gradient",
          .options = [] { return Options::of<SignOptions>(add_keys); },
          .make = [](const std::vector<Parameter>& p, const Options& o) { return std::make_unique<SignDescent>(p, o.as<SignOptions>()); }};
}
