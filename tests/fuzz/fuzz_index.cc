// Fed: the bytes of index.faiss.
// Must hold: what ScanIndex() passes, FAISS reads, and a search of it answers
// with as many rows as there are to answer with, each once; what it does not is
// DataLoss or of a kind that is not taken. FAISS itself has no sanitizer in it:
// of what it does wrong those of memory see what meets the allocator.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "core/index/faiss_index.h"
#include "core/index/index_scan.h"
#include "core/rows/row_set.h"
#include "tests/fuzz/must.h"
#include "tests/fuzz/scratch.h"

namespace segue::fuzz {
namespace {

void Search(const VectorIndex& index, const SearchOptions& options,
            int64_t rows) {
  std::vector<float> query(index.dimension());
  for (size_t i = 0; i < query.size(); ++i) {
    query[i] = static_cast<float>(i % 3) - 0.9F;
  }
  const auto found = index.Search(query, options);
  Must(found.ok(), found.status().ToString());
  Must(static_cast<int64_t>(found->neighbors.size()) ==
           std::min<int64_t>(options.k, rows),
       "an answer has k rows");
  std::set<int32_t> once;
  for (const Neighbor& neighbor : found->neighbors) {
    Must(neighbor.row >= 0 && neighbor.row < index.size() &&
             once.insert(neighbor.row).second,
         "rows are of the index, each once");
  }
}

void SearchInEveryWay(const VectorIndex& index) {
  const auto size = static_cast<int32_t>(index.size());
  Search(index, {.k = 3}, size);
  Search(index, {.k = size, .effort = SearchEffort{1, 1}}, size);
  const RowSet half(0, (size + 1) / 2);
  Search(index, {.k = 5, .allowed = &half}, half.size());
  if (!index.has_vectors()) return;
  const auto vectors = index.Vectors({0, size - 1});
  Must(vectors.ok(), vectors.status().ToString());
}

}  // namespace
}  // namespace segue::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace segue;  // NOLINT(google-build-using-namespace)
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto summary = ScanIndex(bytes, "index.faiss");
  fuzz::MustBeOkOr(summary.status(), absl::StatusCode::kDataLoss,
                   absl::StatusCode::kFailedPrecondition);
  if (!summary.ok()) return 0;
  static const fuzz::Scratch* scratch = new fuzz::Scratch("index.faiss");
  scratch->Write(bytes);
  const auto index =
      LoadFaissIndex(scratch->path(), {.dimension = summary->dimension,
                                       .size = summary->size,
                                       .effort = {2, 2}});
  fuzz::MustBeOkOr(index.status(), absl::StatusCode::kFailedPrecondition);
  if (index.ok()) fuzz::SearchInEveryWay(**index);
  return 0;
}
