// Answers that are not all alike: caps on the values of attributes, and maximal
// marginal relevance.
#ifndef SEGUE_CORE_RETRIEVAL_DIVERSITY_H_
#define SEGUE_CORE_RETRIEVAL_DIVERSITY_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "core/catalog/attribute_index.h"
#include "core/index/vector_index.h"
#include "segue/v1/retrieval.pb.h"

namespace segue {

// Caps and MMR choose among so many times k.
inline constexpr int32_t kDiversityPool = 4;

// A request's Diversity, its attributes found.
struct DiversityRules {
  struct Cap {
    int attribute = 0;
    int32_t at_most = 0;
  };
  std::vector<Cap> caps;
  double mmr = 0;  // weight of being unlike; 0: none

  bool empty() const { return caps.empty() && mmr == 0; }
};

// InvalidArgument, with field and value: an attribute that there is not, that
// is a number or that is there twice, at_most < 1, mmr outside [0, 1) or, with
// so large a top_k, costing more than a request may.
absl::StatusOr<DiversityRules> ResolveDiversity(
    const v1::Diversity& diversity, const AttributeIndex& attributes,
    int32_t top_k);

// The options.k that the rules take of an answer of kDiversityPool times as
// many; where caps leave fewer, of four times as many again, up to 10,000.
// Without rules, VectorIndex::Search(). Unimplemented if MMR is asked of an
// index that does not know its vectors.
absl::StatusOr<Found> SearchDiversely(const VectorIndex& index,
                                      const AttributeIndex& attributes,
                                      absl::Span<const float> query,
                                      const DiversityRules& rules,
                                      const SearchOptions& options);

// The first `most` of `ranked`, best first, that the caps allow: an item is
// passed over if it has a value of which at_most items were taken. An item
// without a value is not capped.
std::vector<Neighbor> ApplyCaps(absl::Span<const Neighbor> ranked,
                                const std::vector<DiversityRules::Cap>& caps,
                                const AttributeIndex& attributes, int32_t most);

// The k of `ranked` (best first, `vectors` [n, d] parallel to it, of unit
// length) that Carbonell and Goldstein 1998 would take, in the order of taking:
// each next one has the largest (1 - mmr) score - mmr (the largest cosine with
// one that was taken).
std::vector<Neighbor> TakeByMmr(absl::Span<const Neighbor> ranked,
                                absl::Span<const float> vectors, double mmr,
                                int32_t k);

}  // namespace segue

#endif  // SEGUE_CORE_RETRIEVAL_DIVERSITY_H_
