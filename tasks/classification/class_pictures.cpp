#include <algorithm>
#include <cmath>

#include "io/picture/picture.h"
#include "tasks/classification/class_report.h"
#include "tasks/statistics/score_table.h"

namespace voxgrad {
namespace {

constexpr Color kSheet{255, 255, 255}, kDark{40, 44, 52};
constexpr PlotRange kShares{0, 1};

// Classes of which curves are drawn: of two that exclude each other the second.
std::vector<int> drawn_classes(const ClassJudge& judge) {
  if (judge.classes() == 2 && !judge.labels()) return {1};
  std::vector<int> out;
  for (int k = 0; k < judge.classes(); ++k) out.push_back(k);
  return out;
}

Picture roc_picture(const ClassJudge& judge, const std::vector<std::string>& names) {
  std::vector<Curve> curves = {{.name = "", .x = {0, 1}, .y = {0, 1}, .style = Curve::Style::reference}};
  for (int k : drawn_classes(judge)) {
    const RankedScores& r = judge.ranked(k);
    Curve c{.name = names[size_t(k)] + ": AUC " + score_text(r.areas().roc, 3), .x = {0}, .y = {0}};
    for (const RankedScores::Point& p : r.points()) {
      c.x.push_back(double(p.false_positives) / r.negatives());
      c.y.push_back(double(p.true_positives) / r.positives());
    }
    curves.push_back(c);
  }
  return plot_curves(curves, {.title = "ROC",
                              .x_label = "1 - specificity",
                              .y_label = "sensitivity",
                              .width = 560,
                              .height = 560,
                              .x_range = kShares,
                              .y_range = kShares,
                              .legend = PlotOptions::Legend::bottom_right});
}

// Steps, whose area is the average precision.
Picture precision_recall_picture(const ClassJudge& judge, const std::vector<std::string>& names) {
  std::vector<Curve> curves;
  for (int k : drawn_classes(judge)) {
    const RankedScores& r = judge.ranked(k);
    Curve c{.name = names[size_t(k)] + ": AUPRC " + score_text(r.areas().precision_recall, 3), .x = {}, .y = {}};
    double recall = 0;
    for (const RankedScores::Point& p : r.points()) {
      const double precision = double(p.true_positives) / double(p.true_positives + p.false_positives);
      c.x.push_back(recall), c.y.push_back(precision);
      recall = double(p.true_positives) / r.positives();
      c.x.push_back(recall), c.y.push_back(precision);
    }
    curves.push_back(c);
  }
  const RankedScores& first = judge.ranked(drawn_classes(judge)[0]);
  const double prevalence = double(first.positives()) / double(first.positives() + first.negatives());
  if (curves.size() == 1)
    curves.insert(curves.begin(), {.name = "", .x = {0, 1}, .y = {prevalence, prevalence}, .style = Curve::Style::reference});
  return plot_curves(curves, {.title = "Precision and recall",
                              .x_label = "recall",
                              .y_label = "precision",
                              .width = 560,
                              .height = 560,
                              .x_range = kShares,
                              .y_range = kShares,
                              .legend = PlotOptions::Legend::bottom_left});
}

// The reliability diagram, and under it how many cases each bin has.
Picture calibration_picture(const ClassJudge& judge, const std::vector<std::string>& names) {
  std::vector<Curve> curves = {{.name = "", .x = {0, 1}, .y = {0, 1}, .style = Curve::Style::reference}}, counts;
  for (size_t k = 0; k < judge.calibration().size(); ++k) {
    const auto bins = judge.calibration()[k].bins();
    const std::string name = (judge.labels() ? names[k] + ", ECE " : "ECE ") + score_text(expected_calibration_error(bins), 3);
    Curve c{.name = name, .x = {}, .y = {}, .style = Curve::Style::line_and_points}, n{.name = "", .x = {}, .y = {}};
    for (size_t b = 0; b < bins.size(); ++b) {
      for (double edge : {double(b), double(b + 1)}) n.x.push_back(edge / kCalibrationBins), n.y.push_back(bins[b].cases);
      if (bins[b].cases == 0) continue;
      c.x.push_back(bins[b].sureness / bins[b].cases), c.y.push_back(bins[b].right / bins[b].cases);
    }
    curves.push_back(c), counts.push_back(n);
  }
  const std::string x = judge.labels() ? "predicted probability" : "largest probability";
  return stack_pictures(
      {plot_curves(curves, {.title = "Calibration",
                            .x_label = x,
                            .y_label = judge.labels() ? "share that has the label" : "share that is right",
                            .width = 560,
                            .height = 560,
                            .x_range = kShares,
                            .y_range = kShares,
                            .legend = PlotOptions::Legend::bottom_right}),
       plot_curves(counts, {.title = "", .x_label = x, .y_label = "cases", .width = 560, .height = 220, .x_range = kShares})});
}

Color shade(double share) {
  const auto mix = [&](int from, int to) { return uint8_t(std::lround(from + share * (to - from))); };
  return {mix(255, 31), mix(255, 105), mix(255, 190)};
}

void centred(Picture& p, int x, int y, const std::string& text, Color color) {
  const auto size = text_size(text);
  draw_text(p, x - size[0] / 2, y - size[1] / 2, text, color);
}

// A cell for each row and column, its shade its share of the row.
Picture matrix_picture(const std::string& title, const std::string& row_axis, const std::string& column_axis,
                       const std::vector<std::string>& rows, const std::vector<std::string>& columns, const ConfusionMatrix& m) {
  int widest = text_size(row_axis)[0], cell = 56;
  for (auto& name : rows) widest = std::max(widest, text_size(name)[0]);
  for (auto& name : columns) cell = std::max(cell, text_size(name)[0] + 12);
  const int left = widest + 24, top = 84, height = 44;
  Picture p(std::max(left + cell * int(columns.size()) + 20, left + text_size(title, 2)[0]), top + height * int(rows.size()) + 20, kSheet);
  draw_text(p, 12, 12, title, kDark, 2);
  centred(p, left + cell * int(columns.size()) / 2, 48, column_axis, kDark);
  draw_text(p, 12, 68, row_axis, kDark);
  for (size_t j = 0; j < columns.size(); ++j) centred(p, left + cell * int(j) + cell / 2, 71, columns[j], kDark);
  for (size_t i = 0; i < rows.size(); ++i) {
    int64_t all = 0;
    for (int64_t n : m[i]) all += n;
    const int y = top + height * int(i);
    draw_text(p, left - 12 - text_size(rows[i])[0], y + height / 2 - 3, rows[i], kDark);
    for (size_t j = 0; j < m[i].size(); ++j) {
      const double share = all ? double(m[i][j]) / double(all) : 0;
      const int x = left + cell * int(j);
      fill_rectangle(p, x + 1, y + 1, cell - 2, height - 2, shade(share));
      const Color ink = share > 0.55 ? kSheet : kDark;
      centred(p, x + cell / 2, y + height / 2 - 6, std::to_string(m[i][j]), ink);
      centred(p, x + cell / 2, y + height / 2 + 8, score_text(100 * share, 1) + "%", ink);
    }
  }
  return p;
}

Picture confusion_picture(const ClassJudge& judge, const std::vector<std::string>& names) {
  if (!judge.labels())
    return matrix_picture("Confusion", "truth", "predicted", names, names, confusion_matrix(judge.cases(), judge.classes()));
  ConfusionMatrix m;
  for (int k = 0; k < judge.classes(); ++k) {
    const BinaryCounts c = counts_at(judge.cases(), k, judge.threshold());
    m.push_back({int64_t(c.tp), int64_t(c.fn), int64_t(c.fp), int64_t(c.tn)});
  }
  return matrix_picture("Labels", "label", "at the threshold " + score_text(judge.threshold(), 2), names,
                        {"there, found", "there, missed", "absent, called", "absent, spared"}, m);
}

}  // namespace

void write_class_pictures(const std::string& prefix, const ClassJudge& judge, const std::vector<std::string>& names) {
  write_png(prefix + "_roc.png", roc_picture(judge, names));
  write_png(prefix + "_pr.png", precision_recall_picture(judge, names));
  write_png(prefix + "_calibration.png", calibration_picture(judge, names));
  write_png(prefix + "_confusion.png", confusion_picture(judge, names));
}

}  // namespace voxgrad
