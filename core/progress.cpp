#include "core/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace voxgrad {
namespace {

double seconds_between(std::chrono::steady_clock::time_point a, std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

std::string rate_text(double rate, const std::string& unit) {
  if (!(rate > 0)) return "";
  char text[64];
  if (rate >= 1) std::snprintf(text, sizeof text, "%.*f %s/s", rate < 10 ? 1 : 0, rate, unit.c_str());
  else std::snprintf(text, sizeof text, "%.*f s/%s", 1 / rate < 10 ? 1 : 0, 1 / rate, unit.c_str());
  return text;
}

// Rate, time left (or, at the end, time taken) and note, each after two spaces.
std::string tail_of(const ProgressOptions& o, const ProgressState& s, const std::string& note) {
  std::string text;
  const std::string rate = rate_text(s.rate, o.unit);
  if (!rate.empty()) text += "  " + rate;
  if (s.total > 0 && s.done >= s.total) text += "  in " + duration_text(s.elapsed_s);
  else if (s.total > 0 && s.rate > 0) text += "  " + duration_text(double(s.total - s.done) / s.rate) + " left";
  if (!note.empty()) text += "  " + note;
  return text;
}

std::string count_of(const ProgressOptions& o, const ProgressState& s) {
  return std::to_string(s.done) + (s.total > 0 ? "/" + std::to_string(s.total) : "") + " " + o.unit;
}

int columns_of(std::FILE* out) {
  winsize size = {};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string duration_text(double seconds) {
  const int64_t s = std::isfinite(seconds) ? int64_t(std::clamp(seconds + 0.5, 0.0, 3.6e8)) : 0;
  char text[32];
  if (s >= 3600) std::snprintf(text, sizeof text, "%lld:%02d:%02d", static_cast<long long>(s / 3600), int(s / 60 % 60), int(s % 60));
  else std::snprintf(text, sizeof text, "%d:%02d", int(s / 60), int(s % 60));
  return text;
}

std::string progress_line(const ProgressOptions& o, const ProgressState& s, const std::string& note) {
  return o.what + "  " + count_of(o, s) + tail_of(o, s, note);
}

std::string progress_bar(const ProgressOptions& o, const ProgressState& s, const std::string& note, int width) {
  const std::string head = o.what + " ", tail = " " + count_of(o, s) + tail_of(o, s, note);
  std::string bar;
  const int room = width - int(head.size()) - int(tail.size()) - 2;
  const double fraction = s.fraction < 0 && s.total > 0 ? double(s.done) / double(s.total) : s.fraction;
  if (fraction >= 0 && room >= 5) {
    const int cells = std::min(room, 30), full = int(std::min(fraction, 1.0) * cells);
    bar = "[" + std::string(size_t(full), '=') + std::string(full < cells ? ">" : "") +
          std::string(size_t(std::max(0, cells - full - 1)), ' ') + "]";
  }
  return (head + bar + tail).substr(0, size_t(std::max(1, width)));
}

Progress::Progress(ProgressOptions o)
    : options_(std::move(o)), terminal_(isatty(fileno(options_.out)) == 1), start_(Clock::now()), shown_(start_) {}

Progress::~Progress() {
  if (bar_shown_) std::fputc('\n', options_.out);
}

void Progress::set_total(int64_t total) { options_.total = total; }

void Progress::start_at(int64_t done) {
  first_ = done_ = done;
  start_ = Clock::now();
}

void Progress::update(int64_t done, const std::string& note, double fraction) {
  done_ = done;
  note_ = note;
  fraction_ = fraction;
  const bool last = options_.total > 0 && done >= options_.total;
  if (options_.quiet || ended_) return;
  const double wait = terminal_ ? 0.1 : options_.line_seconds;
  if (!last && any_line_ && seconds_between(shown_, Clock::now()) < wait) return;
  show(last);
}

void Progress::show(bool last) {
  shown_ = Clock::now();
  any_line_ = true;
  ended_ = last;
  const double elapsed = seconds_between(start_, shown_);
  const ProgressState state{done_, options_.total, elapsed > 0 ? double(done_ - first_) / elapsed : 0, elapsed, fraction_};
  if (terminal_) {
    std::fprintf(options_.out, "\r%s\033[K", progress_bar(options_, state, note_, columns_of(options_.out) - 1).c_str());
    bar_shown_ = !last;
    if (last) std::fputc('\n', options_.out);
  } else {
    std::fprintf(options_.out, "%s\n", progress_line(options_, state, note_).c_str());
  }
  std::fflush(options_.out);
}

void Progress::message(const std::string& line) {
  if (options_.quiet) return;
  std::fprintf(options_.out, bar_shown_ ? "\r\033[K%s\n" : "%s\n", line.c_str());
  if (bar_shown_) show(false);
  std::fflush(options_.out);
}

}  // namespace voxgrad
