#include "trainer/evaluation/examples.h"

#include <algorithm>
#include <string>

#include "absl/strings/string_view.h"
#include "trainer/data/permute_index.h"

namespace segue {
namespace {

constexpr int64_t kExamples = 6;
constexpr int64_t kHistory = 10;
constexpr size_t kAnswers = 10;

// `row` is the data's; -1: it has nothing to show of the item.
v1::ExampleItem Show(absl::string_view id, const Dataset& data, int32_t row) {
  v1::ExampleItem item;
  item.set_id(std::string(id));
  if (row < 0) return item;
  for (const std::vector<std::string>& column : data.display) {
    item.add_display(column[row]);
  }
  return item;
}

v1::ExampleItem ShowEvent(const Dataset& data, int64_t event) {
  const int32_t row = data.log.items[event];
  return Show(data.items.id(row), data, row);
}

v1::ExampleReport MakeExample(const ServingSnapshot& snapshot,
                              const Dataset& data, const RowMap& map,
                              const EvaluationQuery& query,
                              const std::vector<Neighbor>& answers) {
  v1::ExampleReport example;
  example.set_user(std::string(data.users.id(query.user)));
  for (int64_t e =
           std::max(data.log.user_begins[query.user], query.target - kHistory);
       e < query.target; ++e) {
    *example.add_history() = ShowEvent(data, e);
  }
  int64_t target = query.target + query.gap;
  while (!data.log.IsTarget(target)) ++target;
  *example.mutable_target() = ShowEvent(data, target);
  for (size_t place = 0; place < answers.size(); ++place) {
    const auto& [row, score] = answers[place];
    const int32_t data_row = map.to_data[row];
    if (place < kAnswers) {
      v1::ExampleItem& answer = *example.add_answers();
      answer = Show(snapshot.items.id(row), data, data_row);
      answer.set_score(score);
    }
    if (data_row == data.log.items[target]) {
      example.mutable_target()->set_score(score);
      example.set_target_rank(static_cast<int32_t>(place) + 1);
    }
  }
  return example;
}

}  // namespace

void AddExamples(const ServingSnapshot& snapshot, const Dataset& data,
                 const EvaluationSet& set, size_t first, size_t all,
                 const RowMap& map,
                 const std::vector<std::vector<Neighbor>>& answers,
                 uint64_t seed, v1::EvaluationReport& report) {
  const auto n = static_cast<int64_t>(all);
  for (size_t q = 0; q < set.size(); ++q) {
    const auto number = static_cast<int64_t>(first + q);
    if (PermuteIndex(number, n, seed) >= kExamples) continue;
    *report.add_examples() =
        MakeExample(snapshot, data, map, set.queries[q], answers[q]);
  }
}

}  // namespace segue
