#include "core/retrieval/diversity.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/index/exact_search.h"

namespace segue {
namespace {

constexpr int32_t kLargestPool = 10000;
// Each item taken is compared with the pool: 100 ms or so for so many.
constexpr int32_t kMostByMmr = 1000;

}  // namespace

absl::StatusOr<DiversityRules> ResolveDiversity(
    const v1::Diversity& diversity, const AttributeIndex& attributes,
    int32_t top_k) {
  const auto refuse = [](const auto&... what) {
    return absl::InvalidArgumentError(absl::StrCat("diversity.", what...));
  };
  DiversityRules rules;
  for (int i = 0; i < diversity.caps_size(); ++i) {
    const v1::Diversity::Cap& cap = diversity.caps(i);
    const std::optional<int> attribute = attributes.Find(cap.attribute());
    if (!attribute.has_value()) {
      return refuse("caps[", i, "]: the bundle has no attribute \"",
                    cap.attribute().substr(0, 64), "\"");
    }
    if (attributes.kind(*attribute) != v1::AttributeColumn::CATEGORICAL) {
      return refuse("caps[", i, "]: attribute \"", cap.attribute(),
                    "\" is a number; caps are for values");
    }
    if (cap.at_most() < 1) {
      return refuse("caps[", i, "].at_most: ", cap.at_most(),
                    "; it must be at least 1");
    }
    for (const DiversityRules::Cap& before : rules.caps) {
      if (before.attribute == *attribute) {
        return refuse("caps[", i, "]: attribute \"", cap.attribute(),
                      "\" twice");
      }
    }
    rules.caps.push_back({*attribute, cap.at_most()});
  }
  // Not a comparison that NaN passes.
  if (!(diversity.mmr() >= 0 && diversity.mmr() < 1)) {
    return refuse("mmr: ", diversity.mmr(), "; it must be in [0, 1)");
  }
  if (diversity.mmr() > 0 && top_k > kMostByMmr) {
    return refuse("mmr: for top_k ", top_k, "; it is for ", kMostByMmr,
                  " at most");
  }
  rules.mmr = diversity.mmr();
  return rules;
}

std::vector<Neighbor> ApplyCaps(absl::Span<const Neighbor> ranked,
                                const std::vector<DiversityRules::Cap>& caps,
                                const AttributeIndex& attributes,
                                int32_t most) {
  std::vector<absl::flat_hash_map<int32_t, int32_t>> taken(caps.size());
  const auto allowed = [&](int32_t row) {
    for (size_t c = 0; c < caps.size(); ++c) {
      for (const int32_t value : attributes.ValuesOf(caps[c].attribute, row)) {
        const auto count = taken[c].find(value);
        if (count != taken[c].end() && count->second >= caps[c].at_most) {
          return false;
        }
      }
    }
    return true;
  };
  std::vector<Neighbor> kept;
  for (const Neighbor& one : ranked) {
    if (static_cast<int32_t>(kept.size()) == most) break;
    if (!allowed(one.row)) continue;
    kept.push_back(one);
    for (size_t c = 0; c < caps.size(); ++c) {
      for (const int32_t value :
           attributes.ValuesOf(caps[c].attribute, one.row)) {
        ++taken[c][value];
      }
    }
  }
  return kept;
}

std::vector<Neighbor> TakeByMmr(absl::Span<const Neighbor> ranked,
                                absl::Span<const float> vectors, double mmr,
                                int32_t k) {
  const size_t n = ranked.size();
  if (n == 0) return {};
  const size_t d = vectors.size() / n;
  const auto weight = static_cast<float>(mmr);
  // Of each: the largest cosine with one that was taken; none yet: 0.
  std::vector<float> nearest(n, 0);
  std::vector<bool> gone(n);
  std::vector<Neighbor> taken;
  while (taken.size() < std::min<size_t>(k, n)) {
    size_t next = n;
    float best = -std::numeric_limits<float>::infinity();
    for (size_t i = 0; i < n; ++i) {
      const float value = (1 - weight) * ranked[i].score - weight * nearest[i];
      if (!gone[i] && value > best) {
        best = value;
        next = i;
      }
    }
    gone[next] = true;
    const std::vector<float> cosines =
        InnerProducts(vectors.subspan(next * d, d), vectors);
    for (size_t i = 0; i < n; ++i) {
      nearest[i] =
          taken.empty() ? cosines[i] : std::max(nearest[i], cosines[i]);
    }
    taken.push_back(ranked[next]);
  }
  return taken;
}

absl::StatusOr<Found> SearchDiversely(const VectorIndex& index,
                                      const AttributeIndex& attributes,
                                      absl::Span<const float> query,
                                      const DiversityRules& rules,
                                      const SearchOptions& options) {
  if (rules.empty()) return index.Search(query, options);
  const int64_t k = options.k;
  const int64_t candidates = rules.mmr > 0 ? k * kDiversityPool : k;
  int64_t pool = k * kDiversityPool;
  while (true) {
    pool = std::clamp<int64_t>(pool, k, std::max<int64_t>(k, kLargestPool));
    SearchOptions wider = options;
    wider.k = static_cast<int32_t>(pool);
    ASSIGN_OR_RETURN(Found found, index.Search(query, wider));
    const bool all = static_cast<int64_t>(found.neighbors.size()) < pool ||
                     pool >= kLargestPool;
    found.neighbors = ApplyCaps(found.neighbors, rules.caps, attributes,
                                static_cast<int32_t>(candidates));
    if (static_cast<int64_t>(found.neighbors.size()) < k && !all) {
      pool *= kDiversityPool;
      continue;
    }
    if (rules.mmr > 0) {
      ASSIGN_OR_RETURN(const std::vector<float> vectors,
                       index.Vectors(RowsOf(found.neighbors)));
      found.neighbors =
          TakeByMmr(found.neighbors, vectors, rules.mmr, options.k);
    }
    return found;
  }
}

}  // namespace segue
