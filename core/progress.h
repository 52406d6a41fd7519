#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace voxgrad {

struct ProgressOptions {
  std::string what;           // "predict", "train"
  std::string unit = "step";  // of the counter
  int64_t total = 0;          // 0: unknown
  std::FILE* out = stderr;
  double line_seconds = 5;  // where `out` is no terminal: plain lines, at most one in this time besides the first and the last
  bool quiet = false;       // nothing at all
};

// A counter with a rate and the time left: a bar that redraws itself on a terminal, plain lines elsewhere. Used from one thread.
class Progress {
 public:
  explicit Progress(ProgressOptions);
  ~Progress();  // ends the line of the bar
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` units are complete; `note` is shown at the end of the line. done = total shows the last line.
  // Where the total is unknown, `fraction` says how much of all is done; below 0: unknown too, and there is no bar.
  void update(int64_t done, const std::string& note = "", double fraction = -1);
  void set_total(int64_t total);
  // Where a run resumes: the rate counts from here.
  void start_at(int64_t done);
  // A line of its own, above the bar.
  void message(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;
  void show(bool last);

  ProgressOptions options_;
  bool terminal_, bar_shown_ = false, ended_ = false, any_line_ = false;
  int64_t first_ = 0, done_ = 0;
  Clock::time_point start_, shown_;
  std::string note_;
  double fraction_ = -1;
};

// "0:07", "12:05", "3:02:01".
std::string duration_text(double seconds);
// One line of the display: "predict  3/12 tile  1.4 tile/s  0:06 left  note". rate <= 0: not known yet.
struct ProgressState {
  int64_t done = 0, total = 0;
  double rate = 0, elapsed_s = 0;
  double fraction = -1;  // of the bar; below 0: done / total
};
std::string progress_line(const ProgressOptions&, const ProgressState&, const std::string& note);
// The same with a bar of `width` columns in all.
std::string progress_bar(const ProgressOptions&, const ProgressState&, const std::string& note, int width);

}  // namespace voxgrad
