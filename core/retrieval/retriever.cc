#include "core/retrieval/retriever.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/history/window.h"
#include "core/retrieval/filter.h"
#include "core/schema/numeric_scale.h"

namespace segue {
namespace {

using Columns = google::protobuf::RepeatedPtrField<v1::FeatureColumn>;
using Features = google::protobuf::RepeatedPtrField<v1::Feature>;

constexpr int32_t kDefaultTopK = 100;

int32_t TopK(int32_t requested) {
  return requested == 0 ? kDefaultTopK : requested;
}

absl::StatusOr<const v1::FeatureColumn*> FindColumn(const Columns& columns,
                                                    absl::string_view field,
                                                    const std::string& name) {
  for (const v1::FeatureColumn& column : columns) {
    if (column.name() == name) return &column;
  }
  std::string known;
  for (const v1::FeatureColumn& column : columns) {
    absl::StrAppend(&known, known.empty() ? "" : ", ", column.name());
  }
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": the bundle has no feature \"", name.substr(0, 64),
                   "\"; it has ", known.empty() ? "none" : known));
}

// Writes one feature's segment of the user row.
absl::Status FillFeature(const v1::FeatureColumn& column,
                         const v1::Feature& feature, absl::string_view field,
                         std::vector<float>& row) {
  const bool number = column.kind() == v1::FeatureColumn::NUMERIC;
  if (feature.value_case() !=
      (number ? v1::Feature::kNumber : v1::Feature::kCategory)) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ": feature \"", column.name(), "\" takes a ",
                     number ? "number" : "category"));
  }
  if (number) {
    if (!std::isfinite(feature.number())) {
      return absl::InvalidArgumentError(
          absl::StrCat(field, ": feature \"", column.name(), "\" is ",
                       feature.number(), ", not a finite number"));
    }
    row[column.offset()] = ApplyScale(column.scale(), feature.number());
    return absl::OkStatus();
  }
  const auto value = std::find(column.values().begin(), column.values().end(),
                               feature.category());
  const int64_t place = value - column.values().begin();
  std::copy_n(column.embeddings().begin() + place * column.width(),
              column.width(), row.begin() + column.offset());
  return absl::OkStatus();
}

absl::Status FillFeatures(const Columns& columns, const Features& features,
                          absl::string_view field, std::vector<float>& row) {
  std::set<std::string> seen;
  for (const v1::Feature& feature : features) {
    if (!seen.insert(feature.name()).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          field, ": feature \"", feature.name().substr(0, 64), "\" twice"));
    }
    ASSIGN_OR_RETURN(const v1::FeatureColumn* column,
                     FindColumn(columns, field, feature.name()));
    RETURN_IF_ERROR(FillFeature(*column, feature, field, row));
  }
  return absl::OkStatus();
}

// The events of the history that the catalogue knows, oldest first.
struct KnownHistory {
  std::vector<int32_t> rows;
  std::vector<int64_t> times;  // of each; empty: not sent
  int32_t unknown = 0;         // the other events
};

absl::StatusOr<KnownHistory> FindKnown(const ServingSnapshot& snapshot,
                                       const v1::RetrieveRequest& request) {
  if (!request.history_times().empty() &&
      request.history_times_size() != request.history_size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("history_times: ", request.history_times_size(),
                     " elements; history has ", request.history_size()));
  }
  KnownHistory known;
  for (int i = 0; i < request.history_size(); ++i) {
    if (const auto row = snapshot.items.Find(request.history(i))) {
      known.rows.push_back(*row);
      if (!request.history_times().empty()) {
        known.times.push_back(request.history_times(i));
      }
    } else {
      ++known.unknown;
    }
  }
  return known;
}

// The window's items, their mask and, where the towers take them, their times.
void FillHistory(const ServingSnapshot& snapshot, const KnownHistory& known,
                 int64_t request_time, ResolvedQuery& query) {
  const int32_t n = snapshot.shape.history_length;
  query.window.resize(n);
  query.mask.resize(n);
  query.seed =
      FillWindow(known.rows, snapshot.items.unknown_row(),
                 absl::MakeSpan(query.window), absl::MakeSpan(query.mask));
  if (!snapshot.shape.history_times) return;
  query.now = request_time;
  if (request_time == 0 && !known.times.empty()) {
    query.now = absl::ToUnixSeconds(absl::Now());
  }
  query.times.resize(n);
  FillWindowTimes(absl::MakeConstSpan(known.times), query.now,
                  absl::MakeSpan(query.times));
}

void AddExcluded(const ServingSnapshot& snapshot,
                 const google::protobuf::RepeatedPtrField<std::string>& ids,
                 std::vector<int32_t>& excluded) {
  for (const std::string& id : ids) {
    if (const auto row = snapshot.items.Find(id)) excluded.push_back(*row);
  }
}

v1::FoundBy ToProto(FoundBy by) {
  switch (by) {
    case FoundBy::kIndex:
      return v1::INDEX;
    case FoundBy::kMoreCandidates:
      return v1::MORE_CANDIDATES;
    case FoundBy::kCells:
      return v1::CELLS;
    case FoundBy::kExact:
      return v1::EXACT;
  }
  return v1::FOUND_BY_UNSPECIFIED;
}

// The rows that a search keeps to: those that a filter left, which may be
// answered; null: all.
const RowSet* RowsToSearch(const ServingSnapshot& snapshot,
                           const std::optional<RowSet>& filtered) {
  return filtered.has_value() ? &*filtered : snapshot.allowed();
}

// The rows that a request's filter leaves; unset: it has none.
absl::StatusOr<std::optional<RowSet>> Filtered(const ServingSnapshot& snapshot,
                                               bool has_filter,
                                               const v1::Filter& filter) {
  if (!has_filter) return std::nullopt;
  ASSIGN_OR_RETURN(RowSet rows,
                   ApplyFilter(filter, snapshot.attributes, snapshot.items));
  if (snapshot.available.has_value()) rows.IntersectWith(*snapshot.available);
  return rows;
}

absl::StatusOr<DiversityRules> FindRules(const ServingSnapshot& snapshot,
                                         const v1::Diversity& diversity,
                                         int32_t k) {
  ASSIGN_OR_RETURN(DiversityRules rules,
                   ResolveDiversity(diversity, snapshot.attributes, k));
  if (rules.mmr > 0 && !snapshot.index->has_vectors()) {
    return absl::InvalidArgumentError(
        "diversity.mmr: the bundle's index has no vectors to compare; build it "
        "with a refinement");
  }
  return rules;
}

// How deep rules look into the answer.
int32_t Depth(int32_t k, const DiversityRules& rules) {
  return rules.empty() ? k : k * kDiversityPool;
}

// Fills the effort and what it promises.
void ResolveEffort(const ServingSnapshot& snapshot,
                   const v1::RetrieveRequest& request, const LiveEffort& live,
                   ResolvedQuery& query) {
  // What is excluded stands before what is answered.
  const int32_t depth = Depth(query.top_k, query.diversity) +
                        static_cast<int32_t>(query.excluded.size());
  query.own_effort = request.has_effort() || request.target_overlap() > 0;
  query.lowered = !query.own_effort && live.target_overlap > 0;
  query.depth = depth;
  query.raised = query.own_effort || query.lowered ? 0 : live.raised;
  const EffortPoint point = snapshot.EffortFor(
      depth, query.lowered ? live.target_overlap : request.target_overlap(),
      query.raised);
  query.effort = point.effort;
  query.expected_overlap = point.overlap;
  if (!request.has_effort()) return;
  const v1::Effort& asked = request.effort();
  if (asked.nprobe() > 0) query.effort.nprobe = asked.nprobe();
  if (asked.k_factor() > 0) query.effort.k_factor = asked.k_factor();
  if (query.effort != point.effort) query.expected_overlap = 0;
}

// `out` grows by one: only the response's own fields know their types.
template <typename Response>
void AppendFound(const ServingSnapshot& snapshot, const Found& found,
                 Response& response) {
  const int count = static_cast<int>(found.neighbors.size());
  response.mutable_scores()->Reserve(count);
  response.mutable_item_ids()->Reserve(count);
  for (const Neighbor& neighbor : found.neighbors) {
    const absl::string_view id = snapshot.items.id(neighbor.row);
    response.add_item_ids(id.data(), id.size());
    response.add_scores(neighbor.score);
  }
  response.set_bundle_version(snapshot.version);
  response.set_found_by(ToProto(found.by));
  response.set_allowed_items(found.allowed);
}

}  // namespace

absl::StatusOr<ResolvedQuery> ResolveQuery(const ServingSnapshot& snapshot,
                                           const v1::RetrieveRequest& request,
                                           const LiveEffort& effort) {
  ResolvedQuery query;
  query.top_k = TopK(request.top_k());
  if (snapshot.shape.user_width > 0) {
    const absl::Span<const float> user = snapshot.user_rows.Row(
        request.user_id().empty()
            ? snapshot.users.unknown_row()
            : snapshot.users.FindOrUnknown(request.user_id()));
    query.user.assign(user.begin(), user.end());
  }
  RETURN_IF_ERROR(FillFeatures(snapshot.schema.user_features(),
                               request.user_features(), "user_features",
                               query.user));
  RETURN_IF_ERROR(FillFeatures(snapshot.schema.request_features(),
                               request.request_features(), "request_features",
                               query.user));

  ASSIGN_OR_RETURN(const KnownHistory known, FindKnown(snapshot, request));
  query.unknown_history = known.unknown;
  FillHistory(snapshot, known, request.request_time(), query);
  AddExcluded(snapshot, request.exclude_item_ids(), query.excluded);
  if (request.exclude_history()) {
    query.excluded.insert(query.excluded.end(), known.rows.begin(),
                          known.rows.end());
  }
  if (!request.seed_item().empty()) {
    if (const auto row = snapshot.items.Find(request.seed_item())) {
      query.seed = *row;
      if (request.exclude_history()) query.excluded.push_back(*row);
    } else {
      ++query.unknown_history;
    }
  }
  ASSIGN_OR_RETURN(query.diversity,
                   FindRules(snapshot, request.diversity(), query.top_k));
  ResolveEffort(snapshot, request, effort, query);
  const auto start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(query.allowed,
                   Filtered(snapshot, request.has_filter(), request.filter()));
  query.filter_time = std::chrono::steady_clock::now() - start;
  return query;
}

absl::Status EmbedQueries(const ServingSnapshot& snapshot,
                          absl::Span<const ResolvedQuery* const> queries,
                          std::vector<float>& vectors) {
  const TowerShape& shape = snapshot.shape;
  const int64_t f = shape.item_width, n = shape.history_length;
  std::vector<float> user, mask, seed;
  std::vector<int64_t> times, now;
  std::vector<float> history(queries.size() * n * f, 0.0f);
  float* to = history.data();
  for (const ResolvedQuery* query : queries) {
    user.insert(user.end(), query->user.begin(), query->user.end());
    mask.insert(mask.end(), query->mask.begin(), query->mask.end());
    times.insert(times.end(), query->times.begin(), query->times.end());
    now.push_back(query->now);
    const absl::Span<const float> seed_row =
        snapshot.item_rows.Row(query->seed);
    seed.insert(seed.end(), seed_row.begin(), seed_row.end());
    for (int32_t row : query->window) {
      if (row != kPaddingRow) {
        std::copy_n(snapshot.item_rows.Row(row).data(), f, to);
      }
      to += f;
    }
  }
  const std::vector<float> age(queries.size(), snapshot.schema.serving_age());
  vectors.resize(queries.size() * shape.dimension);
  return snapshot.query_tower->Embed(
      {.batch = static_cast<int32_t>(queries.size()),
       .user = user,
       .history = history,
       .mask = mask,
       .seed = seed,
       .age = age,
       .times = times,
       .now = now},
      absl::MakeSpan(vectors));
}

SearchOptions OptionsOf(const ServingSnapshot& snapshot,
                        const ResolvedQuery& query) {
  return {.k = query.top_k,
          .excluded = query.excluded,
          .allowed = RowsToSearch(snapshot, query.allowed),
          .effort = query.effort};
}

EffortPoint DefaultEffort(const ServingSnapshot& snapshot,
                          const ResolvedQuery& query, int32_t raised) {
  return snapshot.EffortFor(query.depth, /*target=*/0, raised);
}

absl::StatusOr<Found> SearchAndFill(const ServingSnapshot& snapshot,
                                    absl::Span<const float> vector,
                                    const ResolvedQuery& query,
                                    v1::RetrieveResponse& response) {
  ASSIGN_OR_RETURN(
      Found found,
      SearchDiversely(*snapshot.index, snapshot.attributes, vector,
                      query.diversity, OptionsOf(snapshot, query)));
  AppendFound(snapshot, found, response);
  response.mutable_effort()->set_nprobe(query.effort.nprobe);
  response.mutable_effort()->set_k_factor(query.effort.k_factor);
  response.set_expected_overlap(query.expected_overlap);
  response.set_unknown_history(query.unknown_history);
  return found;
}

absl::StatusOr<v1::SimilarItemsResponse> FindSimilarItems(
    const ServingSnapshot& snapshot, const v1::SimilarItemsRequest& request) {
  const auto row = snapshot.items.Find(request.item_id());
  if (!row.has_value()) {
    return absl::NotFoundError(absl::StrCat(
        "item_id: the catalogue has no item \"", request.item_id(), "\""));
  }
  std::vector<float> vector(snapshot.shape.dimension);
  RETURN_IF_ERROR(snapshot.item_tower->Embed(1, snapshot.item_rows.Row(*row),
                                             absl::MakeSpan(vector)));
  std::vector<int32_t> excluded = {*row};
  AddExcluded(snapshot, request.exclude_item_ids(), excluded);
  const int32_t k = TopK(request.top_k());
  ASSIGN_OR_RETURN(const DiversityRules rules,
                   FindRules(snapshot, request.diversity(), k));
  ASSIGN_OR_RETURN(const std::optional<RowSet> filtered,
                   Filtered(snapshot, request.has_filter(), request.filter()));
  ASSIGN_OR_RETURN(
      const Found found,
      SearchDiversely(*snapshot.index, snapshot.attributes, vector, rules,
                      {.k = k,
                       .excluded = excluded,
                       .allowed = RowsToSearch(snapshot, filtered),
                       .effort = snapshot.EffortFor(Depth(k, rules)).effort}));
  v1::SimilarItemsResponse response;
  AppendFound(snapshot, found, response);
  return response;
}

v1::DescribeItemsResponse DescribeItems(
    const ServingSnapshot& snapshot, const v1::DescribeItemsRequest& request) {
  v1::DescribeItemsResponse response;
  response.set_bundle_version(snapshot.version);
  for (const std::string& id : request.item_ids()) {
    v1::ItemDescription& item = *response.add_items();
    item.set_item_id(id);
    const auto row = snapshot.items.Find(id);
    item.set_known(row.has_value());
    if (!row.has_value()) continue;
    for (int c = 0; c < snapshot.schema.display_columns_size(); ++c) {
      (*item.mutable_columns())[snapshot.schema.display_columns(c)] =
          std::string(snapshot.display.Value(c, *row));
    }
  }
  return response;
}

}  // namespace segue
