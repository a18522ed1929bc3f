// Which row each item has after a refresh. Pure; no files.
#ifndef SEGUE_TRAINER_PUBLISH_REFRESH_PLAN_H_
#define SEGUE_TRAINER_PUBLISH_REFRESH_PLAN_H_

#include <cstdint>
#include <vector>

#include "core/schema/vocabulary.h"

namespace segue {

// What became of an item of the catalogue, which lists those of the bundle, in
// their order, and new ones behind them.
enum class ItemFate : uint8_t {
  kSame,     // its vector is that of before
  kChanged,  // its fused row is another
  kNew,
  kRemoved,  // the file has no row of it
};

// A row of the bundle that is written.
struct RefreshedRow {
  int32_t item = 0;  // of the catalogue
  // False: never answered. Removed items keep their rows, so that histories
  // still know them; so do the old rows of changed ones, whose ids have moved.
  bool alive = true;
  bool moved = false;  // the old row of a changed item
};

struct RefreshPlan {
  // Built anew: rows of dead items are gone, `appended` is the first row.
  bool rebuild = false;
  std::vector<RefreshedRow> rows;
  // Rows from this one on are not in the bundle's index.
  int64_t appended = 0;
  int64_t dead = 0;  // rows that are not alive
};

// `fates` by item. A changed item moves behind the others, for an index cannot
// forget a vector: its old row is dead. Where more than `max_dead` of the rows
// would be, or `rebuild`, all is built anew, in the order of the catalogue.
RefreshPlan PlanRefresh(const std::vector<ItemFate>& fates, double max_dead,
                        bool rebuild);

// The ids of the rows, in their order. Those of moved rows are names that no
// item has.
Vocabulary IdsOf(const RefreshPlan& plan, const Vocabulary& catalogue);

// The row of each item of the catalogue in the plan, the living one of a
// changed item; -1: it has none.
std::vector<int32_t> RowsOf(const RefreshPlan& plan, int32_t items);

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_REFRESH_PLAN_H_
