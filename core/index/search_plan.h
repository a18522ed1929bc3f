// Which way a search takes and how far it goes, by what each way is estimated
// to cost. Private to core/index.
#ifndef SEGUE_CORE_INDEX_SEARCH_PLAN_H_
#define SEGUE_CORE_INDEX_SEARCH_PLAN_H_

#include <cmath>
#include <cstdint>

#include "core/index/allowed_rows.h"
#include "core/index/search_cost.h"
#include "core/index/vector_index.h"

namespace segue {

// Of so many expected, no fewer than these are there but by chance (two
// standard deviations).
inline double LeastByChance(double expected) {
  return expected - 2 * std::sqrt(expected);
}

// Of one search. Borrows what it is made of.
class SearchPlan {
 public:
  SearchPlan(const IndexShape& shape, int32_t k, const SearchEffort& effort,
             const AllowedRows& allowed)
      : shape_(shape), k_(k), effort_(effort), allowed_(allowed) {}

  FoundBy Cheapest() const;

  // Candidates to rank by their codes before refinement, of rows that may be
  // answered.
  double Ranked() const;
  // Those asked for, so that as many of them may be answered.
  int64_t Wanted() const;
  // Of those, as many as a filter that is not against the query would leave of
  // the rows in the cells.
  double Enough() const;
  // Cells to search first.
  int64_t Probes() const;
  // Rows in so many cells.
  double Scanned(int64_t probes) const;
  // Whether to score what is allowed of so many cells costs less than to score
  // all that is allowed.
  bool CellsCostLess(int64_t probes) const {
    return CostOfCells(probes) < CostOfAll();
  }

 private:
  double CostOfCells(int64_t probes) const;
  double CostOfAll() const;

  const IndexShape& shape_;
  int32_t k_;
  SearchEffort effort_;
  const AllowedRows& allowed_;
};

}  // namespace segue

#endif  // SEGUE_CORE_INDEX_SEARCH_PLAN_H_
