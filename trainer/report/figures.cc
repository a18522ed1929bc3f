#include "trainer/report/figures.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace segue {

std::vector<int32_t> Depths(const v1::RankingReport& ranking) {
  std::vector<int32_t> depths;
  for (const auto& [key, value] : ranking.recall()) {
    int32_t k = 0;
    if (absl::SimpleAtoi(key, &k)) depths.push_back(k);
  }
  std::sort(depths.begin(), depths.end());
  return depths;
}

std::optional<double> At(const FiguresByK& figures, int32_t k) {
  const auto found = figures.find(absl::StrCat(k));
  if (found == figures.end()) return std::nullopt;
  return found->second;
}

Cell FigureAt(const FiguresByK& figures, int32_t k) {
  const std::optional<double> value = At(figures, k);
  return {value ? absl::StrFormat("%.4f", *value) : kNone};
}

Cell FigureAt(const FiguresByK& figures, const IntervalsByK& intervals,
              int32_t k) {
  const std::optional<double> value = At(figures, k);
  const auto interval = intervals.find(absl::StrCat(k));
  if (!value || interval == intervals.end()) return FigureAt(figures, k);
  return Figure(*value, interval->second);
}

Cell RecallAt(const v1::RankingReport& ranking, int32_t k) {
  return FigureAt(ranking.recall(), ranking.recall_interval(), k);
}

Cell NdcgAt(const v1::RankingReport& ranking, int32_t k) {
  return FigureAt(ranking.ndcg(), ranking.ndcg_interval(), k);
}

Cell Figure(double value, const v1::Interval& interval) {
  return {absl::StrFormat("%.4f", value),
          absl::StrFormat("[%.4f, %.4f]", interval.low(), interval.high())};
}

std::vector<NamedRanking> BaselinesOf(const v1::SplitReport& test) {
  const v1::Baselines& all = test.baselines();
  std::vector<NamedRanking> found;
  const auto add = [&](absl::string_view field, const v1::RankingReport& one) {
    if (!one.recall().empty()) found.push_back({BaselineName(field), &one});
  };
  add("popularity", all.popularity());
  add("recent_popularity", all.recent_popularity());
  add("item_knn", all.item_knn());
  add("transitions", all.transitions());
  return found;
}

std::string BaselineName(absl::string_view field) {
  if (field == "popularity") return "most popular";
  if (field == "recent_popularity") return "most popular of late";
  if (field == "item_knn") return "item kNN";
  return absl::StrReplaceAll(field, {{"_", " "}});
}

std::vector<std::string> LostTo(const v1::SplitReport& test) {
  std::vector<std::string> names;
  const auto add = [&names](std::string name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      names.push_back(std::move(name));
    }
  };
  for (const std::string& field : test.lost_to()) add(BaselineName(field));
  for (NamedRanking& baseline : BaselinesOf(test)) {
    for (int32_t k : {10, 100}) {
      const auto model = At(test.exact().recall(), k);
      const auto other = At(baseline.ranking->recall(), k);
      if (model && other && *other > *model) add(baseline.name);
    }
  }
  return names;
}

const v1::SliceReport* UnseenSlice(const v1::SplitReport& test) {
  for (const v1::SliceReport& slice : test.slices()) {
    if (slice.dimension() == "new item" && slice.label() == "yes") {
      return &slice;
    }
  }
  return nullptr;
}

Cell BestBaseline(const v1::SliceReport& slice, int32_t k) {
  Cell best{kNone};
  double highest = -1;
  for (const v1::SliceBaseline& baseline : slice.baselines()) {
    const double recall = At(baseline.recall(), k).value_or(-1);
    if (recall <= highest) continue;
    highest = recall;
    // Several that find nothing are no best one.
    best = {absl::StrFormat("%.4f", recall),
            recall > 0 ? BaselineName(baseline.name()) : ""};
  }
  best.bad = highest > At(slice.exact().recall(), k).value_or(highest);
  return best;
}

std::optional<double> PublishedLoss(const v1::TrainingReport& training) {
  const int epoch =
      training.best_epoch() > 0 ? training.best_epoch() : training.loss_size();
  if (epoch < 1 || epoch > training.loss_size()) return std::nullopt;
  return training.loss(epoch - 1);
}

std::string Count(double value) {
  std::string digits = absl::StrFormat("%.0f", value);
  const int first = digits.front() == '-' ? 1 : 0;
  if (!std::isfinite(value)) return digits;
  for (int at = static_cast<int>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string Megabytes(double bytes) {
  return absl::StrFormat("%.1f MB", bytes / 1e6);
}

std::string Seconds(double seconds) {
  std::string text = absl::StrFormat("%.*f s", seconds < 100 ? 1 : 0, seconds);
  if (!(seconds >= 120)) return text;
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 7200) {
    return absl::StrFormat("%s (%d min %d s)", text, whole / 60, whole % 60);
  }
  return absl::StrFormat("%s (%d h %d min)", text, whole / 3600,
                         whole / 60 % 60);
}

}  // namespace segue
