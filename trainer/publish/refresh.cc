#include "trainer/publish/refresh.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/index_build/index_append.h"
#include "core/retrieval/serving_snapshot.h"
#include "trainer/data/dataset_reader.h"
#include "trainer/evaluation/item_vectors.h"
#include "trainer/model/warm_start_bundle.h"
#include "trainer/publish/bundle_files.h"
#include "trainer/publish/exporter.h"
#include "trainer/publish/fused_rows.h"
#include "trainer/publish/refresh_check.h"
#include "trainer/publish/refresh_plan.h"
#include "trainer/publish/refresh_tables.h"
#include "trainer/publish/report_files.h"

namespace segue {
namespace {

// Old vectors that the fit of new ones is held against.
constexpr int64_t kFitSample = 2000;

// The same sum in another order differs by so much.
bool SameRow(absl::Span<const float> a, absl::Span<const float> b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::abs(a[i] - b[i]) > 1e-4f * (1 + std::abs(a[i]))) return false;
  }
  return true;
}

// One refresh.
class Refresh {
 public:
  Refresh(const v1::TrainerConfig& config, const RefreshOptions& options,
          int32_t threads, Progress& progress)
      : config_(config),
        options_(options),
        threads_(threads),
        progress_(progress) {}

  absl::StatusOr<Refreshed> Run(const std::string& folder,
                                const OpenOptions& source);

 private:
  absl::Status Open(const std::string& folder, const OpenOptions& source);
  absl::Status FindFates();
  absl::Status WriteIndex(const RefreshedTables& tables, BundleWriter& writer,
                          v1::Content& content);
  absl::Status CheckVectors(absl::Span<const float> vectors,
                            int64_t first) const;
  absl::Status CheckFloors() const;
  absl::Status Measure(const ServingSnapshot& refreshed);

  const v1::TrainerConfig& config_;
  v1::ItemsConfig items_;  // as they are read
  const RefreshOptions& options_;
  const int32_t threads_;
  Progress& progress_;

  WarmStartBundle learnt_;
  std::shared_ptr<const ServingSnapshot> before_;
  Catalogue catalogue_;
  std::optional<FusedRows> fused_;
  std::vector<ItemFate> fates_;
  RefreshPlan plan_;
  std::vector<float> appended_;  // [appended rows, d]
  BuiltIndex rebuilt_;           // if plan_.rebuild
  v1::RefreshReport report_;
};

absl::Status Refresh::Open(const std::string& folder,
                           const OpenOptions& source) {
  ASSIGN_OR_RETURN(learnt_, OpenWarmStartBundle(folder, source));
  ASSIGN_OR_RETURN(before_, LoadServingSnapshot(learnt_.bundle));
  // What an item is called is the bundle's to say: its schema has the columns.
  items_ = config_.items();
  *items_.mutable_display_columns() = learnt_.schema.display_columns();
  ASSIGN_OR_RETURN(catalogue_, ReadCatalogue(items_, before_->items,
                                             [&](absl::string_view line) {
                                               progress_.Line(line);
                                             }));
  KeepVectorScales(learnt_.schema, catalogue_.data);
  ASSIGN_OR_RETURN(fused_, FusedRows::Create(learnt_, catalogue_.data));
  for (int i = 0; i < items_.features_size(); ++i) {
    if (items_.features(i).source() == v1::ItemFeature::EVENTS) {
      fused_->Keep(i);
    }
  }
  return absl::OkStatus();
}

absl::Status Refresh::FindFates() {
  const int32_t known = before_->items.size();
  const int32_t items = catalogue_.data.items.size();
  fates_.assign(items, ItemFate::kSame);
  std::vector<float> row(fused_->width());
  int32_t lost = 0, alive = 0;
  for (int32_t item = 0; item < items; ++item) {
    const bool answered = item < known && (!before_->available.has_value() ||
                                           before_->available->Contains(item));
    alive += answered;
    if (!catalogue_.listed[item]) {
      fates_[item] = ItemFate::kRemoved;
      lost += answered;
      continue;
    }
    if (item >= known) {
      fates_[item] = ItemFate::kNew;
      report_.set_added(report_.added() + 1);
      if (!fused_->KnowsAnyValue(item))
        report_.set_unknown(report_.unknown() + 1);
      continue;
    }
    if (!answered) report_.set_added(report_.added() + 1);
    const absl::Span<const float> old = before_->item_rows.Row(item);
    fused_->Compose(item, old.data(), absl::MakeSpan(row));
    if (!SameRow(old, row)) {
      fates_[item] = ItemFate::kChanged;
      report_.set_changed(report_.changed() + 1);
    }
  }
  report_.set_removed(lost);
  if (lost > options_.max_removed * alive) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "not published: %s lacks %d of the bundle's %d items. It has to list "
        "the whole catalogue; --max-removed=1 removes them all the same",
        config_.items().path(), lost, alive));
  }
  return absl::OkStatus();
}

absl::Status Refresh::CheckVectors(absl::Span<const float> vectors,
                                   int64_t first) const {
  const size_t d = before_->shape.dimension;
  for (size_t i = 0; i * d < vectors.size(); ++i) {
    float squares = 0;
    for (const float x : vectors.subspan(i * d, d)) squares += x * x;
    if (std::isfinite(squares) && squares > 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "the vector of item \"",
        catalogue_.data.items.id(plan_.rows[first + i].item), "\" is ",
        squares == 0 ? "zero: it has no direction" : "not finite"));
  }
  return absl::OkStatus();
}

absl::Status Refresh::WriteIndex(const RefreshedTables& tables,
                                 BundleWriter& writer, v1::Content& content) {
  const auto total = static_cast<int64_t>(plan_.rows.size());
  const int64_t first = plan_.rebuild ? 0 : plan_.appended;
  ASSIGN_OR_RETURN(std::vector<float> vectors,
                   EmbedItems(
                       *before_, total - first,
                       [&](int64_t i, absl::Span<float> to) {
                         tables.ReadRow(first + i, to);
                       },
                       threads_));
  if (plan_.rebuild) {
    ASSIGN_OR_RETURN(const std::vector<float> queries,
                     TuningQueries(learnt_.bundle));
    ASSIGN_OR_RETURN(
        rebuilt_,
        ExportIndex(
            IdsOf(plan_, catalogue_.data.items), vectors, queries, config_,
            threads_, [&](absl::string_view line) { progress_.Line(line); },
            writer, content));
    return UpdateStagedConfig(writer, [&](v1::TrainerConfig& staged) {
      *staged.mutable_index() = config_.index();
    });
  }
  RETURN_IF_ERROR(CheckVectors(vectors, plan_.appended));
  const int64_t sample = std::min(plan_.appended, kFitSample);
  ASSIGN_OR_RETURN(const std::vector<float> known,
                   EmbedItems(
                       *before_, sample,
                       [&](int64_t i, absl::Span<float> to) {
                         tables.ReadRow(i * plan_.appended / sample, to);
                       },
                       threads_));
  ASSIGN_OR_RETURN(
      const AppendedIndex index,
      AppendToIndex(learnt_.bundle.Path(layout::kIndex),
                    writer.Add(layout::kIndex, FileRole::kServed), vectors,
                    known, before_->shape.dimension, threads_));
  appended_ = std::move(vectors);
  report_.set_fit(index.fit);
  report_.set_known_fit(index.known_fit);
  return absl::OkStatus();
}

absl::Status Refresh::Measure(const ServingSnapshot& refreshed) {
  ASSIGN_OR_RETURN(const std::vector<float> queries,
                   TuningQueries(learnt_.bundle));
  ASSIGN_OR_RETURN(const RefreshOverlap measured,
                   MeasureRefresh(refreshed, queries, appended_,
                                  config_.index().at_k(), threads_));
  report_.set_overlap(measured.overlap);
  report_.set_new_overlap(measured.new_overlap);
  return CheckFloors();
}

absl::Status Refresh::CheckFloors() const {
  constexpr char kAdvice[] = "; --rebuild builds the index anew";
  if (report_.new_overlap() < options_.min_overlap) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "not published: the index finds %.3f of the new and changed items that "
        "exact answers have, --min-overlap is %.3f%s",
        report_.new_overlap(), options_.min_overlap, kAdvice));
  }
  if (!appended_.empty() &&
      report_.fit() < options_.min_fit * report_.known_fit()) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "not published: new and changed items lie at a mean cosine of %.3f "
        "from the nearest cell, the others at %.3f; --min-fit is %.3f of that"
        "%s, and if they are of another kind, train",
        report_.fit(), report_.known_fit(), options_.min_fit, kAdvice));
  }
  return absl::OkStatus();
}

absl::StatusOr<Refreshed> Refresh::Run(const std::string& folder,
                                       const OpenOptions& source) {
  const auto start = std::chrono::steady_clock::now();
  // Before the bundle is read: nobody publishes a newer one meanwhile.
  ASSIGN_OR_RETURN(auto writer, CreateWriter(config_, progress_));
  RETURN_IF_ERROR(Open(folder, source));
  RETURN_IF_ERROR(FindFates());
  plan_ = PlanRefresh(fates_, options_.max_dead, options_.rebuild);
  const auto rows = static_cast<double>(plan_.rows.size());
  report_.set_from_version(learnt_.bundle.version());
  report_.set_items(static_cast<int32_t>(
      static_cast<int64_t>(plan_.rows.size()) - plan_.dead));
  report_.set_rebuilt(plan_.rebuild);
  report_.set_dead_share(rows > 0 ? static_cast<double>(plan_.dead) / rows : 0);
  progress_.Line(absl::StrFormat(
      "%d items: %d new (%d of which have no known value), %d changed, %d "
      "removed; %s",
      report_.items(), report_.added(), report_.unknown(), report_.changed(),
      report_.removed(),
      plan_.rebuild ? "the index is built anew"
                    : absl::StrFormat("%.1f %% of the index's rows are dead",
                                      100 * report_.dead_share())));
  if (report_.items() == 0) {
    return absl::FailedPreconditionError("not published: no item is left");
  }

  std::set<std::string> others = {
      layout::kItemIds,        layout::kItemRows,     layout::kItemDisplay,
      layout::kItemAttributes, layout::kRemovedItems, layout::kIndex,
      layout::kGoldenAnswers};
  if (plan_.rebuild) {
    others.insert({layout::kEfforts, layout::kTuningQueries});
  }
  RETURN_IF_ERROR(CopyBundleFiles(learnt_.bundle, others, *writer));
  RETURN_IF_ERROR(UpdateStagedConfig(*writer, [&](v1::TrainerConfig& staged) {
    *staged.mutable_items()->mutable_attributes() = items_.attributes();
  }));
  const RefreshedTables tables(learnt_, *before_, items_, catalogue_, *fused_,
                               fates_, plan_);
  RETURN_IF_ERROR(tables.Write(*writer));
  v1::Content content = learnt_.bundle.content();
  content.set_items(static_cast<int64_t>(plan_.rows.size()));
  RETURN_IF_ERROR(WriteIndex(tables, *writer, content));
  // The same towers over other rows.
  content.mutable_index()->clear_tower_hash();
  for (const auto& [name, version] : LibraryVersions()) {
    (*content.mutable_library_versions())[name] = version;
  }
  ASSIGN_OR_RETURN(SealedBundle sealed, SealWithAnswers(content, *writer));
  RETURN_IF_ERROR(Measure(*sealed.snapshot));
  sealed.snapshot.reset();
  report_.set_seconds(
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count());
  RETURN_IF_ERROR(UpdateStagedReport(*writer, [&](v1::Report& report) {
    report.set_bundle_version(sealed.manifest.version());
    if (plan_.rebuild) ReplaceIndexReport(rebuilt_, report);
    // The newest first.
    *report.add_refreshes() = report_;
    auto* refreshes = report.mutable_refreshes();
    for (int i = refreshes->size() - 1; i > 0; --i) {
      refreshes->SwapElements(i, i - 1);
    }
    FillLibraryVersions(report);
  }));
  RETURN_IF_ERROR(writer->Seal(std::move(content)).status());
  RETURN_IF_ERROR(writer->Publish(config_.publish().keep_versions()));
  return Refreshed{.version = writer->published_version(), .report = report_};
}

}  // namespace

absl::StatusOr<Refreshed> RefreshBundle(const std::string& bundle_folder,
                                        const OpenOptions& source,
                                        const v1::TrainerConfig& config,
                                        const RefreshOptions& options,
                                        int32_t threads, Progress& progress) {
  if (config.items().path().empty()) {
    return absl::InvalidArgumentError(
        "items.path is not set; it has to list the whole catalogue");
  }
  return Refresh(config, options, threads, progress).Run(bundle_folder, source);
}

}  // namespace segue
