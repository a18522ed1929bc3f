#include "tests/bench/index_data.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/retrieval/retriever.h"
#include "core/retrieval/serving_snapshot.h"
#include "tests/bench/sample_requests.h"
#include "trainer/evaluation/item_vectors.h"
#include "trainer/publish/bundle_files.h"

namespace segue::bench {
namespace {

// Of the angle that a made vector is turned by, as a tangent.
constexpr float kTurn = 0.4f;

// The requests as vectors.
absl::StatusOr<std::vector<float>> EmbedRequests(
    const ServingSnapshot& snapshot, const std::string& path, int32_t count) {
  ASSIGN_OR_RETURN(const v1::BatchRetrieveRequest batch,
                   ReadSampleRequests(path));
  std::vector<ResolvedQuery> resolved;
  for (const v1::RetrieveRequest& request : batch.requests()) {
    if (static_cast<int32_t>(resolved.size()) == count) break;
    ASSIGN_OR_RETURN(ResolvedQuery query, ResolveQuery(snapshot, request));
    resolved.push_back(std::move(query));
  }
  std::vector<const ResolvedQuery*> pointers;
  for (const ResolvedQuery& query : resolved) pointers.push_back(&query);
  std::vector<float> vectors;
  RETURN_IF_ERROR(EmbedQueries(snapshot, pointers, vectors));
  return vectors;
}

// Appends vectors until there are `items`.
void MakeMore(int64_t items, int32_t d, std::vector<float>& vectors) {
  const auto given = static_cast<int64_t>(vectors.size()) / d;
  vectors.resize(items * d);
  std::mt19937 random(1);
  for (int64_t row = given; row < items; ++row) {
    const float* from = vectors.data() + row % given * d;
    float* to = vectors.data() + row * d;
    // Uniform numbers of variance 1 / d: about a unit vector.
    const float size = kTurn * std::sqrt(12.0f / static_cast<float>(d));
    float squares = 0;
    for (int32_t i = 0; i < d; ++i) {
      const float uniform =
          static_cast<float>(random() >> 8) / static_cast<float>(1 << 24) - .5f;
      to[i] = from[i] + size * uniform;
      squares += to[i] * to[i];
    }
    for (int32_t i = 0; i < d; ++i) to[i] /= std::sqrt(squares);
  }
}

}  // namespace

absl::StatusOr<IndexData> LoadIndexData(const std::string& folder,
                                        const std::string& requests,
                                        int64_t items, int32_t queries,
                                        int32_t threads) {
  ASSIGN_OR_RETURN(const Bundle bundle,
                   OpenBundle(folder, VerifyScope::kServed));
  ASSIGN_OR_RETURN(const auto snapshot, LoadServingSnapshot(bundle));
  IndexData data{.dimension = snapshot->shape.dimension};
  ASSIGN_OR_RETURN(data.items, EmbedCatalogue(*snapshot, threads));
  ASSIGN_OR_RETURN(data.tuning, TuningQueries(bundle));
  ASSIGN_OR_RETURN(data.queries, EmbedRequests(*snapshot, requests, queries));
  if (data.size() < items) {
    MakeMore(items, data.dimension, data.items);
  } else {
    data.items.resize(items * data.dimension);
    data.items.shrink_to_fit();
  }
  return data;
}

}  // namespace segue::bench
