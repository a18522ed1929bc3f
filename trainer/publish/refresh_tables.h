// What a refresh writes about items, but for their vectors.
#ifndef SEGUE_TRAINER_PUBLISH_REFRESH_TABLES_H_
#define SEGUE_TRAINER_PUBLISH_REFRESH_TABLES_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "core/bundle/bundle_writer.h"
#include "core/retrieval/serving_snapshot.h"
#include "segue/v1/config.pb.h"
#include "trainer/data/dataset_reader.h"
#include "trainer/model/warm_start_bundle.h"
#include "trainer/publish/fused_rows.h"
#include "trainer/publish/refresh_plan.h"

namespace segue {

// A bundle, the catalogue that it is to have, and which row each item gets.
// Borrows everything. Const members from any thread.
class RefreshedTables {
 public:
  // `fates` by item of the catalogue; `items` as they are read, which says what
  // their attributes are.
  RefreshedTables(const WarmStartBundle& learnt, const ServingSnapshot& before,
                  const v1::ItemsConfig& items, const Catalogue& catalogue,
                  const FusedRows& fused, const std::vector<ItemFate>& fates,
                  const RefreshPlan& plan)
      : learnt_(learnt),
        before_(before),
        items_(items),
        catalogue_(catalogue),
        fused_(fused),
        fates_(fates),
        plan_(plan) {}

  // The fused feature row [f] of row `row` of the plan.
  void ReadRow(int64_t row, absl::Span<float> out) const;

  // Ids, fused rows, what is displayed, attributes, removed rows.
  absl::Status Write(BundleWriter& writer) const;

 private:
  absl::Status WriteRows(BundleWriter& writer) const;
  absl::Status WriteDisplay(BundleWriter& writer) const;
  absl::Status WriteAttributes(BundleWriter& writer) const;
  absl::Status WriteRemoved(BundleWriter& writer) const;

  const WarmStartBundle& learnt_;
  const ServingSnapshot& before_;
  const v1::ItemsConfig& items_;
  const Catalogue& catalogue_;
  const FusedRows& fused_;
  const std::vector<ItemFate>& fates_;
  const RefreshPlan& plan_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_PUBLISH_REFRESH_TABLES_H_
