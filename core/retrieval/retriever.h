// From a request to its items: ids -> rows -> vector -> search -> ids. Knows
// nothing of gRPC; the server and the tests call it.
#ifndef SEGUE_CORE_RETRIEVAL_RETRIEVER_H_
#define SEGUE_CORE_RETRIEVAL_RETRIEVER_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/index/effort_table.h"
#include "core/index/vector_index.h"
#include "core/retrieval/diversity.h"
#include "core/retrieval/serving_snapshot.h"
#include "core/rows/row_set.h"
#include "segue/v1/retrieval.pb.h"

namespace segue {

// A request in rows of one snapshot.
struct ResolvedQuery {
  std::vector<float> user;        // [u], request features filled in
  std::vector<int32_t> window;    // [n] item rows, kPaddingRow where none
  std::vector<float> mask;        // [n]
  std::vector<int64_t> times;     // [n] seconds; empty if not taken
  int64_t now = 0;                // seconds, of the request
  int32_t seed = 0;               // item row
  std::vector<int32_t> excluded;  // item rows never to answer
  std::optional<RowSet> allowed;  // the only ones to answer, if set
  std::chrono::steady_clock::duration filter_time{};  // that finding them took
  DiversityRules diversity;
  int32_t top_k = 0;
  int32_t depth = 0;  // the k whose effort is taken
  SearchEffort effort;
  double expected_overlap = 0;  // 0: not known
  bool own_effort = false;      // the request says how hard to search
  bool lowered = false;         // else: LiveEffort::target_overlap is taken
  int32_t raised = 0;           // points that the effort was raised by
  int32_t unknown_history = 0;
};

// How hard to search for requests that do not say it.
struct LiveEffort {
  // Points beyond what the target asks (EffortTable::Reach).
  int32_t raised = 0;
  // The overlap to find; 0: what the bundle was tuned for.
  double target_overlap = 0;
};

// Stateless functions over one snapshot. Thread-safe.
//
// InvalidArgument, with field and value: a feature that the schema does not
// have, of the wrong kind, twice, or not finite; times that are not parallel to
// the history; a filter or a diversity that makes no sense (filter.h,
// diversity.h). Looks at the clock where the towers take times and the request
// has those of its history but none of its own.
absl::StatusOr<ResolvedQuery> ResolveQuery(const ServingSnapshot& snapshot,
                                           const v1::RetrieveRequest& request,
                                           const LiveEffort& effort = {});
// What the query would be searched with, were the effort raised so much.
EffortPoint DefaultEffort(const ServingSnapshot& snapshot,
                          const ResolvedQuery& query, int32_t raised);

// [queries, d] unit vectors, one forward pass for all.
absl::Status EmbedQueries(const ServingSnapshot& snapshot,
                          absl::Span<const ResolvedQuery* const> queries,
                          std::vector<float>& vectors);

// How the index is searched for it; refers to both.
SearchOptions OptionsOf(const ServingSnapshot& snapshot,
                        const ResolvedQuery& query);

// Searches one vector and fills the response with what it returns.
absl::StatusOr<Found> SearchAndFill(const ServingSnapshot& snapshot,
                                    absl::Span<const float> vector,
                                    const ResolvedQuery& query,
                                    v1::RetrieveResponse& response);

// NotFound if the catalogue lacks the item.
absl::StatusOr<v1::SimilarItemsResponse> FindSimilarItems(
    const ServingSnapshot& snapshot, const v1::SimilarItemsRequest& request);

// The display columns of each item asked for, in order.
v1::DescribeItemsResponse DescribeItems(
    const ServingSnapshot& snapshot, const v1::DescribeItemsRequest& request);

}  // namespace segue

#endif  // SEGUE_CORE_RETRIEVAL_RETRIEVER_H_
