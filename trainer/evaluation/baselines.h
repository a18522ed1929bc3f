// What a model has to beat.
#ifndef SEGUE_TRAINER_EVALUATION_BASELINES_H_
#define SEGUE_TRAINER_EVALUATION_BASELINES_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"
#include "trainer/data/dataset.h"
#include "trainer/data/split.h"
#include "trainer/evaluation/answer_spread.h"
#include "trainer/evaluation/evaluation_set.h"
#include "trainer/evaluation/popularity.h"
#include "trainer/evaluation/slices.h"

namespace segue {

// Most popular, recently popular (where times are seconds), item kNN and
// transitions, measured a block of queries at a time. Where the latter two know
// too few items, the most popular ones follow.
//
// All rank by what is to be predicted: events that can be targets
// (EventLog::IsTarget). Other events are history: what follows on them, or
// stands near them, counts as it does for a model.
//
// Borrows everything that it is made of. One thread calls; it works on
// `threads`.
class Baselines {
 public:
  Baselines(const EventLog& log, const Split& split, const ItemCounts& counts,
            const std::vector<Slice>& slices, const v1::TrainerConfig& config,
            int32_t threads);
  Baselines(const Baselines&) = delete;
  Baselines& operator=(const Baselines&) = delete;

  // Answers each query of the set in each way. Lists are kept until it returns,
  // those of one baseline at a time: 4 KB a query.
  void Add(const EvaluationSet& set);

  // Fills report.baselines, and their recall in each of its slices, which those
  // of the model have made; a line of progress each.
  void Fill(const std::function<void(absl::string_view)>& progress,
            v1::SplitReport& report) const;

 private:
  struct Baseline {
    std::string name;  // of the report's field
    v1::RankingReport* (v1::Baselines::*field)();
    // Begin lists; `order` fills them up.
    std::function<RankedLists(const EvaluationSet&)> answer;
    const std::vector<int32_t>& order;
    RankingMetrics metrics;
    AnswerSpread spread;
    SliceRecalls slices;
    double seconds = 0;
  };

  const v1::TrainerConfig& config_;
  const std::vector<int32_t> popular_, recent_;  // items, best first
  const std::vector<int32_t> more_popular_;
  std::vector<Baseline> all_;
};

// Names in `report` the baselines whose recall@10 or recall@100 is above the
// exact one of the model, each with a line of progress.
void FindLosses(const std::function<void(absl::string_view)>& progress,
                v1::SplitReport& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_EVALUATION_BASELINES_H_
