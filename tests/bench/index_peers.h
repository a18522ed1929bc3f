// Other ways to find the nearest of many vectors, as one would use them.
#ifndef SEGUE_TESTS_BENCH_INDEX_PEERS_H_
#define SEGUE_TESTS_BENCH_INDEX_PEERS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"

namespace segue::bench {

// One way, with a setting that finds more and costs more. One thread searches.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual std::string name() const = 0;
  // `vectors` [N, d] of unit length, which outlive it.
  virtual void Build(absl::Span<const float> vectors, int32_t d) = 0;
  // Ascending; at least one.
  virtual std::vector<int32_t> Settings() const = 0;
  virtual std::vector<int32_t> Search(const float* query, int32_t k,
                                      int32_t setting) = 0;
  // That it needs in memory.
  virtual double bytes() const = 0;
};

// FAISS's IndexFlatIP; what the notebook builds (IVF1024,PQ16, nprobe set by
// hand); FAISS's HNSW; hnswlib, if it was there when this was built.
std::vector<std::unique_ptr<Peer>> Peers();

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_INDEX_PEERS_H_
