#include <charconv>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <sstream>

#include "cli/commands.h"
#include "core/device/parallel.h"
#include "io/image.h"

namespace voxgrad {
namespace {

constexpr int kLargestExtent = 4096;

std::optional<Int3> extents_of(const std::string& text) {
  Int3 out;
  int axes = 0;
  const char *at = text.data(), *end = at + text.size();
  while (axes < 3) {
    const auto [next, error] = std::from_chars(at, end, out[axes]);
    if (error != std::errc{} || out[axes] < 1 || out[axes] > kLargestExtent) return {};
    ++axes;
    if (next == end) break;
    if (*next != 'x') return {};
    at = next + 1;
  }
  if (axes == 1) return Int3{out.d, out.d, out.d};
  const bool complete = axes == 3 && std::count(text.begin(), text.end(), 'x') == 2 && text.back() != 'x';
  return complete ? std::optional(out) : std::nullopt;
}

// Empty where the text is a number of T from low to high.
template <class T>
std::string refusal(const std::string& text, const char* kind, T low, T high) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data(), end, value);
  const bool octal = text.size() > 1 && text[0] == '0' && text.find_first_not_of("0123456789") == text.npos;  // to CLI11
  if (error == std::errc{} && read == end && !octal && value >= low && value <= high) return "";
  std::ostringstream out;
  out << '"' << text << "\" is no " << kind << " from " << low << " to " << high;
  return out.str();
}

}  // namespace

std::string check_extents(const std::string& text) {
  return extents_of(text) ? "" : "\"" + text + "\" is no size; 96 or 64x96x96 (depth x height x width) is wanted";
}
Int3 parse_extents(const std::string& text) { return extents_of(text).value(); }

std::function<std::string(const std::string&)> number_within(double low, double high) {
  return [low, high](const std::string& text) { return refusal(text, "number", low, high); };
}
std::function<std::string(const std::string&)> whole_number_within(uint64_t low, uint64_t high) {
  return [low, high](const std::string& text) { return refusal(text, "whole number", low, high); };
}

void add_threads(CLI::App& command) {
  command
      .add_option_function<int>(
          "--threads", [](const int& n) { set_threads(n); }, "Threads to compute with; results do not depend on it (all cores)")
      ->check(whole_number_within(1, 1024))
      ->type_name("N");
}

void add_series(CLI::App& command, std::string& series) {
  command
      .add_option("--series", series,
                  "Which DICOM series of a folder with several: its number in the list of the message, its UID or the end of that")
      ->type_name("NUMBER_or_UID");
}

void add_device(CLI::App& command, std::string& device) {
  const auto is_device = [](const std::string& text) -> std::string {
    const bool numbered =
        text.starts_with("cuda:") && text.size() > 5 && text.size() < 9 && text.find_first_not_of("0123456789", 5) == text.npos;
    return text == "cpu" || text == "auto" || text == "cuda" || numbered
               ? ""
               : "\"" + text + "\" is no device; cpu, auto, cuda or cuda:N is wanted";
  };
  command.add_option("--device", device, "Where to compute: cpu, cuda, cuda:N or auto (a GPU if there is one)")
      ->check(is_device)
      ->type_name("NAME")
      ->capture_default_str();
}

void add_conv(CLI::App& command, std::string& conv) {
  command.add_option("--conv", conv, "Convolutions on a GPU: voxgrad's own, or those of cuDNN where the build has it")
      ->check(CLI::IsMember({"own", "cudnn"}))
      ->type_name("own|cudnn")
      ->capture_default_str();
}
ConvBackendScope conv_scope(const std::string& conv, Device device) {
  check(conv == "own" || !device.is_cpu(), "--conv ", conv, ": is for CUDA devices, not for ", device);
  return ConvBackendScope(conv == "cudnn" ? ConvBackend::cudnn : ConvBackend::own);
}

Device chosen_device(const std::string& text) {
  const Device device = parse_device(text);
  if (kCuda && text == "auto" && device.is_cpu())
    std::fprintf(stderr, "computing on the CPU: this machine has 0 CUDA devices: %s\n", why_no_cuda().c_str());
  return device;
}

}  // namespace voxgrad
