// The report's figures as people read them: on the page and in a terminal.
#ifndef SEGUE_TRAINER_REPORT_FIGURES_H_
#define SEGUE_TRAINER_REPORT_FIGURES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/map.h"
#include "segue/v1/report.pb.h"
#include "trainer/report/html.h"

namespace segue {

// Figures by k, as the report has them.
using FiguresByK = google::protobuf::Map<std::string, double>;
using IntervalsByK = google::protobuf::Map<std::string, v1::Interval>;

// What stands where a report has no figure.
inline constexpr char kNone[] = "-";

// A list of answers that was measured, and what it is called.
struct NamedRanking {
  std::string name;
  const v1::RankingReport* ranking = nullptr;
};

// The depths k of a ranking's recall, ascending.
std::vector<int32_t> Depths(const v1::RankingReport& ranking);

std::optional<double> At(const FiguresByK& figures, int32_t k);

// "0.2811" with the note "[0.2700, 0.2920]"; no note without an interval.
Cell FigureAt(const FiguresByK& figures, const IntervalsByK& intervals,
              int32_t k);
Cell FigureAt(const FiguresByK& figures, int32_t k);
Cell RecallAt(const v1::RankingReport& ranking, int32_t k);
Cell NdcgAt(const v1::RankingReport& ranking, int32_t k);
Cell Figure(double value, const v1::Interval& interval);

// The baselines that were measured; they live as long as `test`.
std::vector<NamedRanking> BaselinesOf(const v1::SplitReport& test);
// "item kNN" for lost_to's "item_knn".
std::string BaselineName(absl::string_view field);
// The names of the baselines that the model loses to: those that the report
// names, and any whose recall@10 or recall@100 is above the model's (reports of
// older form name none).
std::vector<std::string> LostTo(const v1::SplitReport& test);

// The part of the queries that ask for items not seen in training; it lives as
// long as `test`. Null: there is none.
const v1::SliceReport* UnseenSlice(const v1::SplitReport& test);
// The best recall@k of a baseline in the slice, named in the note; red where it
// is above the model's.
Cell BestBaseline(const v1::SliceReport& slice, int32_t k);

// The mean loss of the epoch that was published: the best, or the last.
std::optional<double> PublishedLoss(const v1::TrainingReport& training);

// 1,234,567 of any count.
std::string Count(double value);
// "12.5 MB" (10^6 bytes).
std::string Megabytes(double bytes);
// "678 s (11 min 18 s)"; the bracket from two minutes on.
std::string Seconds(double seconds);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_FIGURES_H_
