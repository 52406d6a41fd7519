// Runs every op case through every check. Usage: op_case_test [--verbose] [--list] [--device cpu|cuda] [FILTER]
// FILTER: part of "op/name".
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/exact_f32.h"
#include "core/isa.h"
#include "tests/op_checks.h"

using namespace voxgrad;

namespace {

struct Tally {
  int passed = 0, failed = 0;
  bool verbose = false;
};

std::string error_line(const char* what, double value, double limit) {
  if (value < limit) return "";  // false for NaN
  char text[160];
  std::snprintf(text, sizeof text, "%s %.3g, limit %.3g", what, value, limit);
  return text;
}

void run_case(const OpCase& c, Device d, Tally& tally) {
  std::vector<std::string> faults;
  const auto note = [&](const std::string& where, const std::string& fault) {
    if (!fault.empty()) faults.push_back(where + fault);
  };
  double gradient = 0;
  std::string precisions;
  try {
    if (c.differentiable && d.is_cpu()) {
      for (uint64_t seed = 1; seed <= 3; ++seed) gradient = worse(gradient, gradient_error(c, seed));
      note("", error_line("gradient error in f64", gradient, 1e-6));
    }
    for (DType t : c.dtypes) {
      const std::string where = std::string(name_of(t)) + ": ";
      const auto check_precision = [&](const std::string& how, double product_epsilon) {
        const PrecisionErrors e = precision_errors(c, t, d, product_epsilon);
        note(how, error_line("forward error as a fraction of its limit", e.forward, 1));
        note(how, error_line("gradient error as a fraction of its limit", e.gradient, 1));
        return e;
      };
      if (!d.is_cpu() && t == DType::f32) check_precision("tf32: ", 0x1p-10);
      const PrecisionErrors e = [&] {
        const ExactF32 exact;
        return check_precision(where, 0);
      }();
      char text[64];
      std::snprintf(text, sizeof text, "  %s %.2f/%.2f", name_of(t), e.forward, e.gradient);
      precisions += text;
      note(where, memory_fault(c, t, d));
      note(where, repeat_fault(c, t, d));
    }
    note("", needs_fault(c, d));
    note("", saved_bytes_fault(c, d));
  } catch (const std::exception& e) {
    faults.push_back(std::string("threw: ") + e.what());
  }
  const std::string title = c.op + "/" + c.name + (d.is_cpu() ? "" : " on cuda");
  if (tally.verbose)
    std::printf("%-4s %-48s f64 gradient %.1e%s\n", faults.empty() ? "ok" : "FAIL", title.c_str(), gradient, precisions.c_str());
  for (auto& f : faults) std::printf("FAIL %s: %s\n", title.c_str(), f.c_str());
  ++(faults.empty() ? tally.passed : tally.failed);
}

}  // namespace

int main(int argc, char** argv) try {
  setenv("VOXGRAD_CHECK_MEMORY", "1", 1);
  Tally tally;
  bool list = false;
  std::string filter, device;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--verbose")) tally.verbose = true;
    else if (!std::strcmp(argv[i], "--list")) list = true;
    else if (!std::strcmp(argv[i], "--device") && i + 1 < argc) device = argv[++i];
    else filter = argv[i];
  }
  const auto wanted = [&](const std::string& op, const std::string& name) { return (op + "/" + name).find(filter) != std::string::npos; };
  // A tensor made while the tables were filled would have fixed the settings of memory before main, and with them the checks off.
  const size_t before_main = memory_stats(Device{}).peak;
  check(before_main == 0, "the tables of cases: tensors of ", before_main, " bytes were made before main; make them in run");
  check(memory_checks_on(), "VOXGRAD_CHECK_MEMORY=1 came too late: memory is not checked");
  std::vector<Device> devices;
  if (device != "cuda") devices.push_back(Device{});
  if (device == "cuda" || (device.empty() && cuda_device_count() > 0)) devices.push_back(parse_device("cuda"));
  else if (!list && device.empty()) std::puts("no CUDA device: the cases run on the CPU alone");
  if (!list) std::printf("instruction set %s\n", name_of(isa()));
  for (auto& c : op_cases()) {
    if (c.bench || !wanted(c.op, c.name)) continue;
    if (list) std::printf("%s/%s\n", c.op.c_str(), c.name.c_str());
    else
      for (Device d : devices) run_case(c, d, tally);
  }
  for (auto& r : op_rejects()) {
    if (device == "cuda" || !wanted(r.op, r.name)) continue;
    const std::string title = r.op + "/rejects " + r.name;
    if (list) {
      std::puts(title.c_str());
      continue;
    }
    const std::string fault = reject_fault(r);
    if (!fault.empty()) std::printf("FAIL %s: %s\n", title.c_str(), fault.c_str());
    else if (tally.verbose) std::printf("ok   %s\n", title.c_str());
    ++(fault.empty() ? tally.passed : tally.failed);
  }
  if (list) return 0;
  if (tally.passed + tally.failed == 0) {
    std::printf("no case matches \"%s\"\n", filter.c_str());
    return 1;
  }
  std::printf("%d passed, %d failed\n", tally.passed, tally.failed);
  return tally.failed != 0;
} catch (const Error& e) {
  std::puts(e.what());
  return 1;
}
