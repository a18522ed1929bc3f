#include "trainer/publish/refresh_plan.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"

namespace segue {
namespace {

RefreshPlan Append(const std::vector<ItemFate>& fates) {
  RefreshPlan plan;
  std::vector<RefreshedRow> behind;
  for (size_t i = 0; i < fates.size(); ++i) {
    const auto item = static_cast<int32_t>(i);
    switch (fates[i]) {
      case ItemFate::kSame:
        plan.rows.push_back({.item = item});
        break;
      case ItemFate::kRemoved:
        plan.rows.push_back({.item = item, .alive = false});
        break;
      case ItemFate::kChanged:
        plan.rows.push_back({.item = item, .alive = false, .moved = true});
        behind.push_back({.item = item});
        break;
      case ItemFate::kNew:
        behind.push_back({.item = item});
        break;
    }
  }
  plan.appended = static_cast<int64_t>(plan.rows.size());
  plan.dead = std::count_if(plan.rows.begin(), plan.rows.end(),
                            [](const RefreshedRow& row) { return !row.alive; });
  plan.rows.insert(plan.rows.end(), behind.begin(), behind.end());
  return plan;
}

RefreshPlan Rebuild(const std::vector<ItemFate>& fates) {
  RefreshPlan plan{.rebuild = true};
  for (size_t i = 0; i < fates.size(); ++i) {
    if (fates[i] == ItemFate::kRemoved) continue;
    plan.rows.push_back({.item = static_cast<int32_t>(i)});
  }
  return plan;
}

}  // namespace

RefreshPlan PlanRefresh(const std::vector<ItemFate>& fates, double max_dead,
                        bool rebuild) {
  if (rebuild) return Rebuild(fates);
  RefreshPlan plan = Append(fates);
  const double share =
      static_cast<double>(plan.dead) /
      std::max<double>(1, static_cast<double>(plan.rows.size()));
  return share > max_dead ? Rebuild(fates) : plan;
}

Vocabulary IdsOf(const RefreshPlan& plan, const Vocabulary& catalogue) {
  Vocabulary ids(catalogue.unknown_buckets());
  for (const RefreshedRow& row : plan.rows) {
    if (!row.moved) {
      ids.Add(catalogue.id(row.item));
      continue;
    }
    std::string name = absl::StrCat("\x01moved ", ids.size());
    while (catalogue.Find(name).has_value()) name += "'";
    ids.Add(name);
  }
  return ids;
}

std::vector<int32_t> RowsOf(const RefreshPlan& plan, int32_t items) {
  std::vector<int32_t> rows(items, -1);
  for (size_t r = 0; r < plan.rows.size(); ++r) {
    if (!plan.rows[r].moved) {
      rows[plan.rows[r].item] = static_cast<int32_t>(r);
    }
  }
  return rows;
}

}  // namespace segue
