#include "tests/bench/index_filters.h"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/exact_search.h"
#include "core/retrieval/diversity.h"
#include "tests/bench/index_timing.h"

namespace segue::bench {
namespace {

constexpr double kShares[] = {.5, .1, .01, .001, .0001};
constexpr int32_t kItemsOfAnArtist = 20;

// Rows that a filter leaves: drawn evenly, or those nearest to one of them.
std::vector<int32_t> Kept(const IndexData& data, double share, bool near,
                          uint32_t seed) {
  const int64_t items = data.size();
  const auto count = std::max<int64_t>(
      1, static_cast<int64_t>(share * static_cast<double>(items)));
  std::vector<int32_t> rows(items);
  for (int64_t row = 0; row < items; ++row) {
    rows[row] = static_cast<int32_t>(row);
  }
  std::mt19937 random(seed);
  if (near) {
    const size_t centre = random() % items;
    const std::vector<float> scores =
        InnerProducts(absl::MakeConstSpan(data.items)
                          .subspan(centre * data.dimension, data.dimension),
                      data.items);
    std::nth_element(
        rows.begin(), rows.begin() + count - 1, rows.end(),
        [&](int32_t a, int32_t b) { return scores[a] > scores[b]; });
  } else {
    for (int64_t i = 0; i < count; ++i) {
      std::swap(rows[i], rows[i + random() % (items - i)]);
    }
  }
  rows.resize(count);
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Artists of so many items each, the rows in their order.
absl::StatusOr<AttributeIndex> MakeArtists(int32_t items) {
  v1::Attributes attributes;
  v1::AttributeColumn& artist = *attributes.add_columns();
  artist.set_name("artist");
  artist.set_kind(v1::AttributeColumn::CATEGORICAL);
  artist.add_begins(0);
  for (int32_t row = 0; row < items; ++row) artist.add_rows(row);
  for (int32_t end = kItemsOfAnArtist; end < items + kItemsOfAnArtist;
       end += kItemsOfAnArtist) {
    artist.add_values(absl::StrCat(end));
    artist.add_begins(std::min(end, items));
  }
  return AttributeIndex::Create(attributes, items);
}

}  // namespace

absl::Status MeasureFilters(const ServingSnapshot& snapshot,
                            const IndexData& data, int32_t k,
                            int32_t repetitions, int32_t threads) {
  const VectorIndex& index = *snapshot.index;
  const SearchEffort effort = snapshot.EffortFor(k).effort;
  ASSIGN_OR_RETURN(const Lists whole, ExactLists(data, k, threads));
  const auto without = [&] {
    return Measure(data, whole, k, AnswerOf(index, {.k = k, .effort = effort}));
  };
  uint32_t seed = 1;
  for (const bool near : {false, true}) {
    for (const double share : kShares) {
      const std::vector<int32_t> rows = Kept(data, share, near, seed++);
      ASSIGN_OR_RETURN(const Lists exact, ExactLists(data, rows, k, threads));
      const RowSet allowed(rows);
      std::vector<double> ways(4);
      const InTurns turns = MeasureInTurns(repetitions, without, [&] {
        return Measure(data, exact, k, [&](absl::Span<const float> query) {
          const auto found = index.Search(
              query, {.k = k, .allowed = &allowed, .effort = effort});
          if (!found.ok()) return std::vector<int32_t>();
          ++ways[static_cast<int>(found->by)];
          return RowsOf(found->neighbors);
        });
      });
      const double all = ways[0] + ways[1] + ways[2] + ways[3];
      Line("filter", near ? "near one item" : "evenly drawn")
          .Add("share", share)
          .Add("items", static_cast<double>(rows.size()))
          .Add("overlap", turns.other_overlap)
          .Add("microseconds", turns.other_microseconds)
          .Add("times_unfiltered", turns.ratios)
          .Add("by_more_candidates", ways[1] / all)
          .Add("by_cells", ways[2] / all)
          .Add("by_exact", ways[3] / all)
          .Print();
    }
  }
  ASSIGN_OR_RETURN(const AttributeIndex artists,
                   MakeArtists(static_cast<int32_t>(data.size())));
  const std::vector<std::pair<std::string, DiversityRules>> kinds = {
      {"caps", {.caps = {{.attribute = 0, .at_most = 1}}}},
      {"mmr", {.mmr = .3}}};
  const SearchEffort deeper = snapshot.EffortFor(k * kDiversityPool).effort;
  for (const auto& [name, rules] : kinds) {
    const InTurns turns =
        MeasureInTurns(repetitions, without, [&, &applied = rules] {
          return Measure(data, whole, k, [&](absl::Span<const float> query) {
            const auto found = SearchDiversely(index, artists, query, applied,
                                               {.k = k, .effort = deeper});
            return found.ok() ? RowsOf(found->neighbors)
                              : std::vector<int32_t>();
          });
        });
    Line("diversity", name)
        .Add("microseconds", turns.other_microseconds)
        .Add("times_without", turns.ratios)
        .Print();
  }
  return absl::OkStatus();
}

}  // namespace segue::bench
