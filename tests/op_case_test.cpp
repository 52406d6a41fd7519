// Runs every op case through every check. Usage:
//   op_case_test [--verbose] [--list] [--device cpu|cuda] [--conv own|cudnn] [--launching KERNEL] [--brief N] [--huge] [FILTER]
// FILTER: part of "op/name". --launching: on CUDA, those cases, dtypes and precisions alone that launch a kernel whose name holds KERNEL,
// and with sanitizers without the checks of what the op keeps for backward and of gradients that are not wanted. --brief: N cases of each
// op, forward and backward once in every dtype, for tools that watch the kernels. --huge: the huge cases alone, beyond 2^31 elements.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "core/device/conv_backend.h"
#include "core/cuda/launch_log.h"
#include "core/cuda/runtime.h"
#include "core/device/exact_f32.h"
#include "core/device/isa.h"
#include "tests/op_checks.h"

using namespace voxgrad;

namespace {

#ifdef VOXGRAD_EMULATED
constexpr bool kEmulated = true;
#else
constexpr bool kEmulated = false;
#endif
#ifdef __SANITIZE_ADDRESS__
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif
constexpr int64_t kHugeElements = (int64_t(1) << 31) + 12345, kFewElements = 23456;

struct Tally {
  int passed = 0, failed = 0, left_out = 0;
  bool verbose = false;
};

std::string error_line(const char* what, double value, double limit) {
  if (value < limit) return "";  // false for NaN
  char text[160];
  std::snprintf(text, sizeof text, "%s %.3g, limit %.3g", what, value, limit);
  return text;
}

// The dtypes in which the case launches such a kernel.
std::vector<DType> launching(const OpCase& c, Device d, const std::string& kernel) {
  std::vector<DType> out;
  if constexpr (kCuda)
    for (const DType t : c.dtypes) {
      const cuda::LaunchLog log;
      give_once(c, t, d);
      if (std::any_of(log.launches.begin(), log.launches.end(), [&](auto& l) { return l.kernel.find(kernel) != std::string::npos; }))
        out.push_back(t);
    }
  return out;
}

// kernel: none, or what --launching asks for.
void run_case(const OpCase& c, Device d, const std::string& kernel, Tally& tally) {
  std::vector<std::string> faults;
  const auto note = [&](const std::string& where, const std::string& fault) {
    if (!fault.empty()) faults.push_back(where + fault);
  };
  double gradient = 0;
  std::string precisions;
  const auto start = std::chrono::steady_clock::now();
  try {
    if (d.is_cpu()) note("", reference_fault(c));
    if (c.differentiable && d.is_cpu()) {
      for (uint64_t seed = 1; seed <= 3; ++seed) gradient = worse(gradient, gradient_error(c, seed));
      note("", error_line("gradient error in f64", gradient, 1e-6));
    }
    OpRun in_f32;
    for (DType t : c.dtypes) {
      const std::string where = std::string(name_of(t)) + ": ";
      OpRun first, exact;
      const auto check_precision = [&](const std::string& how, double product_epsilon) {
        const OpRun got = run_once(c, t, d);
        if (!first.y) first = got, exact = run_exactly(c, t, got);
        const PrecisionErrors e = precision_errors(c, t, got, exact, product_epsilon);
        note(how, error_line("forward error as a fraction of its limit", e.forward, 1));
        note(how, error_line("gradient error as a fraction of its limit", e.gradient, 1));
        return e;
      };
      if (!d.is_cpu() && t == DType::f32) check_precision("tf32: ", 0x1p-10);
      {
        const ExactF32 exact_f32;
        OpCase one = c;
        one.dtypes = {t};
        if (t != DType::f32 || kernel.empty() || !launching(one, d, kernel).empty()) {
          const PrecisionErrors e = check_precision(where, 0);
          char text[64];
          std::snprintf(text, sizeof text, "  %s %.2f/%.2f", name_of(t), e.forward, e.gradient);
          precisions += text;
        }
      }
      note(where, red_zone_fault());
      note(where, repeat_fault(c, t, d, first, kEmulated && kSanitized ? std::vector{3} : std::vector{1, 2, 3}));
      if (t == DType::f32) in_f32 = first;
    }
    if (kernel.empty() || !kSanitized) {
      note("", needs_fault(c, d, in_f32));
      note("", saved_bytes_fault(c, d));
    }
  } catch (const std::exception& e) { faults.push_back(std::string("threw: ") + e.what()); }
  const std::string title = c.op + "/" + c.name + (d.is_cpu() ? "" : " on cuda");
  if (tally.verbose)
    std::printf("%-4s %-48s %6.2f s  f64 gradient %.1e%s\n", faults.empty() ? "ok" : "FAIL", title.c_str(),
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), gradient, precisions.c_str());
  for (auto& f : faults) std::printf("FAIL %s: %s\n", title.c_str(), f.c_str());
  ++(faults.empty() ? tally.passed : tally.failed);
}

// Up to `most` cases of each op, spread over its list.
std::vector<const OpCase*> some_cases(int most) {
  std::map<std::string, std::vector<const OpCase*>> of_op;
  for (auto& c : op_cases())
    if (!c.bench) of_op[c.op].push_back(&c);
  std::vector<const OpCase*> some;
  for (auto& [op, all] : of_op) {
    const size_t n = std::min(all.size(), size_t(most));
    for (size_t i = 0; i < n; ++i) some.push_back(all[i * all.size() / n]);
  }
  return some;
}

void run_briefly(const OpCase& c, Device d, Tally& tally) {
  std::string fault;
  try {
    for (DType t : c.dtypes)
      if (fault.empty()) fault = run_fault(c, t, d);
  } catch (const std::exception& e) { fault = e.what(); }
  if (!fault.empty()) std::printf("FAIL %s/%s: %s\n", c.op.c_str(), c.name.c_str(), fault.c_str());
  ++(fault.empty() ? tally.passed : tally.failed);
}

// Bytes that tensors may take.
double room_on(Device d) {
  if constexpr (kCuda)
    if (!d.is_cpu()) return double(cuda::device_info(d.cuda_index).free_memory);
  return double(sysconf(_SC_AVPHYS_PAGES)) * double(sysconf(_SC_PAGE_SIZE));
}

void run_huge(const HugeCase& c, Device d, int64_t elements, Tally& tally) {
  const double wanted = c.bytes_per_element * double(elements), there = room_on(d);
  const std::string title = c.op + "/huge " + c.name + (d.is_cpu() ? "" : " on cuda");
  if (wanted > there) {
    std::printf("%s is left out: it needs %.1f GB, and %.1f are free\n", title.c_str(), wanted * 1e-9, there * 1e-9);
    ++tally.left_out;
    return;
  }
  std::string fault;
  try {
    fault = c.fault(d, elements);
  } catch (const std::exception& e) { fault = e.what(); }
  trim_memory(d);
  if (!fault.empty()) std::printf("FAIL %s: %s\n", title.c_str(), fault.c_str());
  else if (tally.verbose) std::printf("ok   %s\n", title.c_str());
  ++(fault.empty() ? tally.passed : tally.failed);
}

struct Options {
  bool list = false, huge = false;
  int brief = 0;
  std::string filter, device, conv = "own", launching;
};

}  // namespace

int main(int argc, char** argv) try {
  Tally tally;
  Options o;
  for (int i = 1; i < argc; ++i) {
    const auto is = [&](const char* option) { return !std::strcmp(argv[i], option); };
    if (is("--verbose")) tally.verbose = true;
    else if (is("--list")) o.list = true;
    else if (is("--huge")) o.huge = true;
    else if (is("--device") && i + 1 < argc) o.device = argv[++i];
    else if (is("--conv") && i + 1 < argc) o.conv = argv[++i];
    else if (is("--launching") && i + 1 < argc) o.launching = argv[++i];
    else if (is("--brief") && i + 1 < argc) o.brief = std::atoi(argv[++i]);
    else o.filter = argv[i];
  }
  // Huge tensors are compared, not poisoned; tools that watch the kernels want to see memory as it is.
  setenv("VOXGRAD_CHECK_MEMORY", o.huge || o.brief > 0 ? "0" : "1", 1);
  const auto wanted = [&](const std::string& op, const std::string& name) { return (op + "/" + name).find(o.filter) != std::string::npos; };
  // A tensor made while the tables were filled would have fixed the settings of memory before main, and with them the checks off.
  const size_t before_main = memory_stats(Device{}).peak;
  check(before_main == 0, "the tables of cases: tensors of ", before_main, " bytes were made before main; make them in run");
  check(memory_checks_on() || o.huge || o.brief > 0, "VOXGRAD_CHECK_MEMORY=1 came too late: memory is not checked");
  check(o.conv == "own" || o.conv == "cudnn", "--conv ", o.conv, ": own or cudnn is wanted");
  const ConvBackendScope scope(o.conv == "cudnn" ? ConvBackend::cudnn : ConvBackend::own);
  std::vector<Device> devices;
  if (o.device != "cuda") devices.push_back(Device{});
  if (o.device == "cuda" || (o.device.empty() && cuda_device_count() > 0)) devices.push_back(parse_device("cuda"));
  else if (!o.list && o.device.empty()) std::puts("no CUDA device: the cases run on the CPU alone");
  if (!o.list) std::printf("instruction set %s\n", name_of(isa()));
  std::vector<const OpCase*> chosen = some_cases(o.brief > 0 ? o.brief : 1 << 20);
  for (const OpCase* c : chosen) {
    if (o.huge || !wanted(c->op, c->name)) continue;
    if (o.list) std::printf("%s/%s\n", c->op.c_str(), c->name.c_str());
    else
      for (Device d : devices) {
        if (kEmulated && c->for_cpu && !d.is_cpu()) continue;
        OpCase one = *c;
        if (!o.launching.empty()) one.dtypes = launching(one, d, o.launching);
        if (one.dtypes.empty()) ++tally.left_out;
        else o.brief > 0 ? run_briefly(one, d, tally) : run_case(one, d, o.launching, tally);
      }
  }
  for (auto& c : huge_cases()) {
    if (!wanted(c.op, "huge " + c.name)) continue;
    if (o.list) std::printf("%s/huge %s\n", c.op.c_str(), c.name.c_str());
    else
      for (Device d : devices) run_huge(c, d, o.huge ? kHugeElements : kFewElements, tally);
  }
  for (auto& r : op_rejects()) {
    if (o.device == "cuda" || o.huge || !wanted(r.op, r.name)) continue;
    const std::string title = r.op + "/rejects " + r.name;
    if (o.list) {
      std::puts(title.c_str());
      continue;
    }
    const std::string fault = reject_fault(r);
    if (!fault.empty()) std::printf("FAIL %s: %s\n", title.c_str(), fault.c_str());
    else if (tally.verbose) std::printf("ok   %s\n", title.c_str());
    ++(fault.empty() ? tally.passed : tally.failed);
  }
  if (o.list) return 0;
  if (tally.passed + tally.failed == 0 && tally.left_out > 0) return 77;  // nothing could be run: a skipped test
  if (tally.passed + tally.failed == 0) {
    std::printf("no case matches \"%s\"\n", o.filter.c_str());
    return 1;
  }
  std::printf("%d passed, %d failed\n", tally.passed, tally.failed);
  return tally.failed != 0;
} catch (const Error& e) {
  std::puts(e.what());
  return 1;
}
