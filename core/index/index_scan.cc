#include "core/index/index_scan.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/index/index_bytes.h"
#include "core/index/index_parts.h"

namespace segue {
namespace {

constexpr int64_t kMaxVectors = std::numeric_limits<int32_t>::max();
constexpr int kMaxDepth = 8;
constexpr int32_t kMaxTransforms = 8;
constexpr uint64_t kMaxCodeBits = 8;
constexpr uint64_t kFastScanBits = 4;
// Vectors in a block of codes.
constexpr int32_t kFastScanStep = 32;
constexpr int32_t kMaxFastScanBlock = 1024;

// Where in an index another stands: not every one may stand everywhere.
enum class Place { kTop, kCore, kRefinement, kCentroids, kVectors };

// A walk over one file, index within index, in the order in which FAISS 1.7.3
// writes them. For one call of ScanIndex().
class Scan {
 public:
  Scan(absl::string_view bytes, const std::string& path)
      : bytes_(bytes, path) {}

  absl::StatusOr<IndexSummary> Whole() {
    ASSIGN_OR_RETURN(const IndexSummary summary, Index(Place::kTop, 1));
    RETURN_IF_ERROR(bytes_.Check(bytes_.left() == 0, "the index ends before"));
    return summary;
  }

 private:
  absl::StatusOr<IndexSummary> Index(Place place, int depth);
  // One that must have as many vectors and dimensions as that around it.
  absl::Status IndexLike(const IndexSummary& outer, Place place, int depth);
  absl::StatusOr<IndexSummary> Header();
  absl::Status Body(absl::string_view type, Place place, int depth,
                    const IndexSummary& header);

  absl::Status Flat(const IndexSummary& header);
  absl::Status FlatScalarCodes(const IndexSummary& header);
  absl::Status FlatFastScan(const IndexSummary& header);
  absl::Status Graph(const IndexSummary& header, int depth);
  absl::Status Transforms(const IndexSummary& header, Place place, int depth);
  absl::Status Refinement(const IndexSummary& header, int depth);
  // What every kind of cells has.
  absl::StatusOr<uint64_t> CellsHeader(const IndexSummary& header, int depth);
  absl::Status CellsOfFlat(const IndexSummary& header, int depth);
  absl::Status CellsOfScalarCodes(const IndexSummary& header, int depth);
  absl::Status CellsOfProductCodes(const IndexSummary& header, int depth);
  absl::Status CellsOfFastScan(const IndexSummary& header, int depth);
  absl::Status CheckFastScan(const ProductCodes& codes, int32_t way,
                             int32_t block, uint64_t parts) const;

  IndexBytes bytes_;
};

absl::StatusOr<IndexSummary> Scan::Index(Place place, int depth) {
  absl::string_view type;
  RETURN_IF_ERROR(bytes_.TakeBytes(1, 4, type));
  RETURN_IF_ERROR(bytes_.Check(type[0] == 'I', "no index begins with \"",
                               absl::CHexEscape(type), "\""));
  RETURN_IF_ERROR(bytes_.Check(depth <= kMaxDepth, "more than ", kMaxDepth,
                               " indexes within one another"));
  ASSIGN_OR_RETURN(const IndexSummary header, Header());
  RETURN_IF_ERROR(Body(type, place, depth, header));
  return header;
}

absl::Status Scan::IndexLike(const IndexSummary& outer, Place place,
                             int depth) {
  ASSIGN_OR_RETURN(const IndexSummary inner, Index(place, depth + 1));
  return bytes_.Check(
      inner.dimension == outer.dimension && inner.size == outer.size,
      "before it are ", inner.size, " vectors of ", inner.dimension,
      " dimensions, within an index of ", outer.size, " of ", outer.dimension);
}

absl::StatusOr<IndexSummary> Scan::Header() {
  IndexSummary header;
  int64_t unused = 0;
  bool trained = false;
  int32_t metric = 0;
  RETURN_IF_ERROR(bytes_.Take(header.dimension));
  RETURN_IF_ERROR(bytes_.Take(header.size));
  RETURN_IF_ERROR(bytes_.Take(unused));
  RETURN_IF_ERROR(bytes_.Take(unused));
  RETURN_IF_ERROR(bytes_.TakeBool(trained));
  RETURN_IF_ERROR(bytes_.Take(metric));
  RETURN_IF_ERROR(bytes_.Check(
      header.dimension >= 1 && header.dimension <= kMaxIndexDimension,
      header.dimension, " dimensions, not 1 to ", kMaxIndexDimension));
  RETURN_IF_ERROR(bytes_.Check(header.size >= 1 && header.size <= kMaxVectors,
                               header.size, " vectors, not 1 to ",
                               kMaxVectors));
  RETURN_IF_ERROR(bytes_.Check(trained, "an index that is not trained"));
  if (metric != 0) {
    return bytes_.Refuse("has metric ", metric,
                         ", inner product (0) is expected");
  }
  return header;
}

absl::Status Scan::Body(absl::string_view type, Place place, int depth,
                        const IndexSummary& header) {
  const bool searched = place == Place::kTop || place == Place::kCore;
  if (type == "IxFI") return Flat(header);
  if (type == "IxSQ" && place != Place::kCentroids) {
    return FlatScalarCodes(header);
  }
  if (type == "IHNf" && (searched || place == Place::kCentroids)) {
    return Graph(header, depth);
  }
  if (type == "IxRF" && place == Place::kTop) return Refinement(header, depth);
  if (searched) {
    if (type == "IHNs") return Graph(header, depth);
    if (type == "IPfs") return FlatFastScan(header);
    if (type == "IxPT") return Transforms(header, place, depth);
    if (type == "IwFl") return CellsOfFlat(header, depth);
    if (type == "IwSq") return CellsOfScalarCodes(header, depth);
    if (type == "IwPQ") return CellsOfProductCodes(header, depth);
    if (type == "IwPf") return CellsOfFastScan(header, depth);
  }
  return bytes_.Refuse(
      "is of a kind that is not supported (\"", absl::CHexEscape(type),
      "\"): use a flat index, a graph (HNSW), cells (IVF) of flat, SQ or PQ "
      "codes, or add a refinement (Refine(SQ8)) to it");
}

absl::Status Scan::Flat(const IndexSummary& header) {
  Packed<float> vectors;
  RETURN_IF_ERROR(
      bytes_.TakeVector(header.size * header.dimension, "floats", vectors));
  return bytes_.CheckFloats(vectors.bytes());
}

absl::Status Scan::FlatScalarCodes(const IndexSummary& header) {
  ASSIGN_OR_RETURN(const IndexCodes codes,
                   ScanScalarQuantizer(header.dimension, bytes_));
  Packed<uint8_t> all;
  RETURN_IF_ERROR(
      bytes_.TakeVector(header.size * codes.bytes, "bytes of codes", all));
  return codes.Check(bytes_, all.bytes());
}

absl::Status Scan::CheckFastScan(const ProductCodes& codes, int32_t way,
                                 int32_t block, uint64_t parts) const {
  return bytes_.Check(
      way == 0 && parts == codes.subquantizers + codes.subquantizers % 2 &&
          block >= kFastScanStep && block <= kMaxFastScanBlock &&
          block % kFastScanStep == 0,
      "a fast-scan of ", parts, " parts in blocks of ", block, ", searched in ",
      "way ", way);
}

absl::Status Scan::FlatFastScan(const IndexSummary& header) {
  ASSIGN_OR_RETURN(const ProductCodes codes,
                   ScanProductQuantizer(header.dimension, kFastScanBits,
                                        kFastScanBits, bytes_));
  int32_t way = 0, block = 0, queries = 0;
  uint64_t rounded = 0, parts = 0;
  RETURN_IF_ERROR(bytes_.Take(way));
  RETURN_IF_ERROR(bytes_.Take(block));
  RETURN_IF_ERROR(bytes_.Take(queries));
  RETURN_IF_ERROR(bytes_.Take(rounded));
  RETURN_IF_ERROR(bytes_.Take(parts));
  RETURN_IF_ERROR(CheckFastScan(codes, way, block, parts));
  const int64_t expected = (header.size + block - 1) / block * block;
  RETURN_IF_ERROR(bytes_.Check(
      queries == 0 && rounded == static_cast<uint64_t>(expected), "a scan of ",
      queries, " queries and ", rounded, " codes, ", expected, " expected"));
  Packed<uint8_t> all;
  return bytes_.TakeVector(rounded * parts / 2, "bytes of codes", all);
}

absl::Status Scan::Graph(const IndexSummary& header, int depth) {
  RETURN_IF_ERROR(ScanLinks(header.size, bytes_));
  return IndexLike(header, Place::kVectors, depth);
}

absl::Status Scan::Transforms(const IndexSummary& header, Place place,
                              int depth) {
  int32_t count = 0;
  RETURN_IF_ERROR(bytes_.Take(count));
  RETURN_IF_ERROR(bytes_.Check(count >= 1 && count <= kMaxTransforms, count,
                               " transforms, not 1 to ", kMaxTransforms));
  IndexSummary behind = header;
  for (int32_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(behind.dimension, ScanTransform(behind.dimension, bytes_));
  }
  return IndexLike(behind, place, depth);
}

absl::Status Scan::Refinement(const IndexSummary& header, int depth) {
  float unused_k_factor = 0;
  RETURN_IF_ERROR(IndexLike(header, Place::kCore, depth));
  RETURN_IF_ERROR(IndexLike(header, Place::kRefinement, depth));
  return bytes_.Take(unused_k_factor);
}

absl::StatusOr<uint64_t> Scan::CellsHeader(const IndexSummary& header,
                                           int depth) {
  uint64_t nlist = 0, unused_nprobe = 0;
  RETURN_IF_ERROR(bytes_.Take(nlist));
  RETURN_IF_ERROR(bytes_.Take(unused_nprobe));
  ASSIGN_OR_RETURN(const IndexSummary centroids,
                   Index(Place::kCentroids, depth + 1));
  RETURN_IF_ERROR(
      bytes_.Check(centroids.dimension == header.dimension &&
                       static_cast<uint64_t>(centroids.size) == nlist,
                   nlist, " cells of ", header.dimension,
                   " dimensions, their centroids are ", centroids.size, " of ",
                   centroids.dimension));
  uint8_t map = 0;
  Packed<int64_t> mapped;
  RETURN_IF_ERROR(bytes_.Take(map));
  RETURN_IF_ERROR(bytes_.TakeVector(mapped));
  RETURN_IF_ERROR(bytes_.Check(map == 0 && mapped.size() == 0,
                               "a map of vectors to cells, which none has"));
  return nlist;
}

absl::Status Scan::CellsOfFlat(const IndexSummary& header, int depth) {
  ASSIGN_OR_RETURN(const uint64_t nlist, CellsHeader(header, depth));
  return ScanCellLists(
      header.size, nlist,
      {.bytes = header.dimension * sizeof(float), .holds = IndexCodes::kFloats},
      bytes_);
}

absl::Status Scan::CellsOfScalarCodes(const IndexSummary& header, int depth) {
  ASSIGN_OR_RETURN(const uint64_t nlist, CellsHeader(header, depth));
  ASSIGN_OR_RETURN(const IndexCodes codes,
                   ScanScalarQuantizer(header.dimension, bytes_));
  uint64_t code_bytes = 0;
  bool residuals = false;
  RETURN_IF_ERROR(bytes_.Take(code_bytes));
  RETURN_IF_ERROR(bytes_.TakeBool(residuals));
  RETURN_IF_ERROR(bytes_.Check(code_bytes == codes.bytes, "codes of ",
                               code_bytes, " bytes, ", codes.bytes,
                               " are expected"));
  return ScanCellLists(header.size, nlist, codes, bytes_);
}

absl::Status Scan::CellsOfProductCodes(const IndexSummary& header, int depth) {
  ASSIGN_OR_RETURN(const uint64_t nlist, CellsHeader(header, depth));
  uint64_t code_bytes = 0;
  bool residuals = false;
  RETURN_IF_ERROR(bytes_.TakeBool(residuals));
  RETURN_IF_ERROR(bytes_.Take(code_bytes));
  ASSIGN_OR_RETURN(
      const ProductCodes codes,
      ScanProductQuantizer(header.dimension, 1, kMaxCodeBits, bytes_));
  RETURN_IF_ERROR(bytes_.Check(code_bytes == codes.bytes, "codes of ",
                               code_bytes, " bytes, ", codes.bytes,
                               " are expected"));
  return ScanCellLists(header.size, nlist, {.bytes = codes.bytes}, bytes_);
}

absl::Status Scan::CellsOfFastScan(const IndexSummary& header, int depth) {
  ASSIGN_OR_RETURN(const uint64_t nlist, CellsHeader(header, depth));
  bool residuals = false;
  uint64_t code_bytes = 0, parts = 0, queries = 0;
  int32_t block = 0, way = 0;
  RETURN_IF_ERROR(bytes_.TakeBool(residuals));
  RETURN_IF_ERROR(bytes_.Take(code_bytes));
  RETURN_IF_ERROR(bytes_.Take(block));
  RETURN_IF_ERROR(bytes_.Take(parts));
  RETURN_IF_ERROR(bytes_.Take(way));
  RETURN_IF_ERROR(bytes_.Take(queries));
  ASSIGN_OR_RETURN(const ProductCodes codes,
                   ScanProductQuantizer(header.dimension, kFastScanBits,
                                        kFastScanBits, bytes_));
  RETURN_IF_ERROR(CheckFastScan(codes, way, block, parts));
  RETURN_IF_ERROR(bytes_.Check(code_bytes == codes.bytes && queries == 0,
                               "codes of ", code_bytes, " bytes, ", codes.bytes,
                               " are expected, or ", queries, " queries"));
  return ScanBlockedCellLists(header.size, nlist, parts / 2, block, bytes_);
}

}  // namespace

absl::StatusOr<IndexSummary> ScanIndex(absl::string_view bytes,
                                       const std::string& path) {
  return Scan(bytes, path).Whole();
}

absl::StatusOr<IndexSummary> ScanIndexFile(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file.ok()) {
    return absl::DataLossError(absl::StrCat("cannot read index ", path, ": ",
                                            file.status().message()));
  }
  return ScanIndex(file->bytes(), path);
}

}  // namespace segue
