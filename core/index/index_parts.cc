#include "core/index/index_parts.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/escaping.h"
#include "core/base/status_macros.h"

namespace segue {
namespace {

constexpr uint64_t kMaxLevels = 64;
constexpr int32_t kMaxLinks = 1 << 16;
constexpr int32_t kMaxBreadth = 1 << 16;
// faiss::InvertedLists::INVALID_CODE_SIZE
constexpr uint64_t kNoCodeBytes = std::numeric_limits<uint64_t>::max();

// Which vectors are in a cell so far.
class InCells {
 public:
  // REQUIRES: CheckRoom() was OK.
  explicit InCells(int64_t size) : seen_(size) {}

  // Each of the vectors has an id among the bytes: before there is a bit for
  // each, too.
  static absl::Status CheckRoom(int64_t size, const IndexBytes& bytes) {
    return bytes.Check(
        static_cast<uint64_t>(size) <= bytes.left() / sizeof(int64_t), size,
        " vectors in cells, ", bytes.left(), " bytes are left");
  }

  absl::Status AddAll(Packed<int64_t> ids, const IndexBytes& bytes) {
    for (uint64_t i = 0; i < ids.size(); ++i) {
      const auto id = static_cast<uint64_t>(ids[i]);
      RETURN_IF_ERROR(bytes.Check(
          id < seen_.size() && !seen_[id], "vector ", ids[i],
          " is in a cell before it, there is none such or it is in another"));
      seen_[id] = true;
    }
    count_ += ids.size();
    return absl::OkStatus();
  }
  absl::Status CheckAll(const IndexBytes& bytes) const {
    return bytes.Check(count_ == seen_.size(), "cells hold ", count_, " of ",
                       seen_.size(), " vectors");
  }

 private:
  std::vector<bool> seen_;
  uint64_t count_ = 0;
};

// Links of vectors on levels, as faiss::HNSW has them.
struct Links {
  Packed<double> shares;     // of vectors, by level
  Packed<int32_t> to_level;  // links of a vector below each level
  Packed<int32_t> levels;    // on how many each vector is
  Packed<uint64_t> begins;   // of each vector's links
  Packed<int32_t> links;     // -1: none
  int32_t highest = 0;       // of `levels`
};

absl::Status ScanLevels(int64_t size, IndexBytes& bytes, Links& graph) {
  RETURN_IF_ERROR(bytes.TakeVector(graph.shares));
  const uint64_t most = graph.shares.size();
  RETURN_IF_ERROR(
      bytes.Check(most <= kMaxLevels, most, " levels, more than ", kMaxLevels));
  RETURN_IF_ERROR(bytes.TakeVector(most + 1, "levels", graph.to_level));
  for (uint64_t l = 0; l <= most; ++l) {
    const int32_t links = graph.to_level[l];
    RETURN_IF_ERROR(bytes.Check(
        l == 0 ? links == 0
               : links >= graph.to_level[l - 1] && links <= kMaxLinks,
        links, " links of a vector below level ", l));
  }
  RETURN_IF_ERROR(bytes.TakeVector(size, "vectors", graph.levels));
  for (int64_t i = 0; i < size; ++i) {
    const int32_t levels = graph.levels[i];
    RETURN_IF_ERROR(
        bytes.Check(levels >= 1 && static_cast<uint64_t>(levels) <= most,
                    "vector ", i, " is on ", levels, " levels of ", most));
    graph.highest = std::max(graph.highest, levels);
  }
  return absl::OkStatus();
}

// A walk on a level reads the links that a vector has there, so it must not
// come to one that has none.
absl::Status CheckLinksOf(int64_t i, const Links& graph,
                          const IndexBytes& bytes) {
  for (int32_t level = 0; level < graph.levels[i]; ++level) {
    for (int32_t at = graph.to_level[level]; at < graph.to_level[level + 1];
         ++at) {
      const int32_t to = graph.links[graph.begins[i] + at];
      if (to == -1) continue;
      RETURN_IF_ERROR(bytes.Check(
          to >= 0 && static_cast<uint64_t>(to) < graph.levels.size() &&
              graph.levels[to] > level,
          "vector ", i, " has a link to ", to, " on level ", level));
    }
  }
  return absl::OkStatus();
}

absl::Status ScanWalk(const Links& graph, IndexBytes& bytes) {
  int32_t entry = 0, top = 0, build_breadth = 0, breadth = 0, upper_breadth = 0;
  RETURN_IF_ERROR(bytes.Take(entry));
  RETURN_IF_ERROR(bytes.Take(top));
  RETURN_IF_ERROR(bytes.Take(build_breadth));
  RETURN_IF_ERROR(bytes.Take(breadth));
  RETURN_IF_ERROR(bytes.Take(upper_breadth));
  RETURN_IF_ERROR(bytes.Check(
      entry >= 0 && static_cast<uint64_t>(entry) < graph.levels.size() &&
          top == graph.highest - 1 && graph.levels[entry] == graph.highest,
      "walks begin at vector ", entry, " on level ", top));
  return bytes.Check(build_breadth >= 1 && build_breadth <= kMaxBreadth &&
                         breadth >= 1 && breadth <= kMaxBreadth &&
                         upper_breadth == 1,
                     "walks are ", breadth, " broad, ", build_breadth,
                     " to build, ", upper_breadth, " above");
}

// The main component analysis that a transform came from; it is not used.
absl::Status SkipAnalysis(absl::string_view type, IndexBytes& bytes) {
  float number = 0;
  bool rotated = false;
  int32_t bins = 0;
  Packed<float> numbers;
  RETURN_IF_ERROR(bytes.Take(number));
  if (type == "Pcam") RETURN_IF_ERROR(bytes.Take(number));
  RETURN_IF_ERROR(bytes.TakeBool(rotated));
  if (type != "PCAm") RETURN_IF_ERROR(bytes.Take(bins));
  for (int i = 0; i < 3; ++i) RETURN_IF_ERROR(bytes.TakeVector(numbers));
  return absl::OkStatus();
}

// How many vectors each cell has.
absl::StatusOr<std::vector<uint64_t>> ScanListSizes(uint64_t nlist,
                                                    IndexBytes& bytes) {
  absl::string_view kind;
  RETURN_IF_ERROR(bytes.TakeBytes(1, 4, kind));
  const bool sparse = kind == "sprs";
  RETURN_IF_ERROR(bytes.Check(sparse || kind == "full", "sizes of cells as \"",
                              absl::CHexEscape(kind), "\""));
  Packed<uint64_t> listed;
  RETURN_IF_ERROR(bytes.TakeVector(listed));
  RETURN_IF_ERROR(
      bytes.Check(sparse ? listed.size() % 2 == 0 : listed.size() == nlist,
                  listed.size(), " sizes of ", nlist, " cells"));
  std::vector<uint64_t> sizes(nlist);
  for (uint64_t i = 0; !sparse && i < nlist; ++i) sizes[i] = listed[i];
  for (uint64_t i = 0; sparse && i < listed.size(); i += 2) {
    RETURN_IF_ERROR(
        bytes.Check(listed[i] < nlist, "cell ", listed[i], " of ", nlist));
    sizes[listed[i]] = listed[i + 1];
  }
  return sizes;
}

}  // namespace

absl::Status IndexCodes::Check(const IndexBytes& bytes,
                               absl::string_view codes) const {
  switch (holds) {
    case kFloats:
      return bytes.CheckFloats(codes);
    case kHalves:
      return bytes.CheckHalves(codes);
    case kAnything:
      break;
  }
  return absl::OkStatus();
}

absl::StatusOr<IndexCodes> ScanScalarQuantizer(int32_t dimension,
                                               IndexBytes& bytes) {
  int32_t type = 0, range = 0;
  float range_argument = 0;
  uint64_t d = 0;
  IndexCodes codes;
  Packed<float> trained;
  RETURN_IF_ERROR(bytes.Take(type));
  RETURN_IF_ERROR(bytes.Take(range));
  RETURN_IF_ERROR(bytes.Take(range_argument));
  RETURN_IF_ERROR(bytes.Take(d));
  RETURN_IF_ERROR(bytes.Take(codes.bytes));
  RETURN_IF_ERROR(bytes.Check(d == static_cast<uint64_t>(dimension),
                              "scalar codes of ", d, " dimensions, ", dimension,
                              " are expected"));
  // faiss::ScalarQuantizer::QuantizerType: those with a range a dimension, and
  // half floats.
  uint64_t bits = 0;
  switch (type) {
    case 0:
      bits = 8;
      break;
    case 1:
      bits = 4;
      break;
    case 4:
      bits = 16;
      codes.holds = IndexCodes::kHalves;
      break;
    case 6:
      bits = 6;
      break;
    default:
      return bytes.Refuse("has scalar codes of a kind that is not supported (",
                          type, "): use SQ8, SQ6, SQ4 or SQfp16");
  }
  const bool ranged = codes.holds != IndexCodes::kHalves;
  RETURN_IF_ERROR(bytes.Check(range >= 0 && range <= 3,
                              "a range of an unknown kind, ", range));
  RETURN_IF_ERROR(
      bytes.TakeVector(ranged ? 2 * d : 0, "numbers of ranges", trained));
  RETURN_IF_ERROR(bytes.CheckFloats(trained.bytes()));
  const uint64_t expected = (d * bits + 7) / 8;
  RETURN_IF_ERROR(bytes.Check(codes.bytes == expected, "scalar codes of ",
                              codes.bytes, " bytes, ", expected,
                              " are expected"));
  return codes;
}

absl::StatusOr<ProductCodes> ScanProductQuantizer(int32_t dimension,
                                                  uint64_t min_bits,
                                                  uint64_t max_bits,
                                                  IndexBytes& bytes) {
  uint64_t d = 0, count = 0, bits = 0;
  RETURN_IF_ERROR(bytes.Take(d));
  RETURN_IF_ERROR(bytes.Take(count));
  RETURN_IF_ERROR(bytes.Take(bits));
  RETURN_IF_ERROR(bytes.Check(d == static_cast<uint64_t>(dimension) &&
                                  count >= 1 && count <= d && d % count == 0 &&
                                  bits >= min_bits && bits <= max_bits,
                              count, " sub-quantisers of ", bits, " bits and ",
                              d, " dimensions, ", dimension, " are expected"));
  Packed<float> centroids;
  RETURN_IF_ERROR(bytes.TakeVector(d << bits, "floats", centroids));
  RETURN_IF_ERROR(bytes.CheckFloats(centroids.bytes()));
  return ProductCodes{.subquantizers = count, .bytes = (count * bits + 7) / 8};
}

absl::StatusOr<int32_t> ScanTransform(int32_t dimension, IndexBytes& bytes) {
  absl::string_view type;
  RETURN_IF_ERROR(bytes.TakeBytes(1, 4, type));
  if (type == "PcAm" || type == "Pcam" || type == "PCAm") {
    RETURN_IF_ERROR(SkipAnalysis(type, bytes));
  } else if (type != "LTra" && type != "rrot") {
    return bytes.Refuse("has a transform that is not supported (\"",
                        absl::CHexEscape(type), "\"): use OPQ, PCA or RR");
  }
  bool biased = false, trained = false;
  Packed<float> matrix, bias;
  int32_t from = 0, to = 0;
  RETURN_IF_ERROR(bytes.TakeBool(biased));
  RETURN_IF_ERROR(bytes.TakeVector(matrix));
  RETURN_IF_ERROR(bytes.CheckFloats(matrix.bytes()));
  RETURN_IF_ERROR(bytes.TakeVector(bias));
  RETURN_IF_ERROR(bytes.CheckFloats(bias.bytes()));
  RETURN_IF_ERROR(bytes.Take(from));
  RETURN_IF_ERROR(bytes.Take(to));
  RETURN_IF_ERROR(bytes.TakeBool(trained));
  RETURN_IF_ERROR(bytes.Check(
      trained && from == dimension && to >= 1 && to <= kMaxIndexDimension &&
          matrix.size() == static_cast<uint64_t>(from) * to &&
          (!biased || bias.size() == static_cast<uint64_t>(to)),
      "a transform from ", from, " to ", to, " dimensions by ", matrix.size(),
      " and ", bias.size(), " numbers, of vectors of ", dimension));
  return to;
}

absl::Status ScanLinks(int64_t size, IndexBytes& bytes) {
  Links graph;
  RETURN_IF_ERROR(ScanLevels(size, bytes, graph));
  RETURN_IF_ERROR(bytes.TakeVector(size + 1, "begins of links", graph.begins));
  uint64_t end = 0;
  for (int64_t i = 0; i < size; ++i) {
    RETURN_IF_ERROR(bytes.Check(graph.begins[i] == end, "links of vector ", i,
                                " begin at ", graph.begins[i], ", not ", end));
    end += graph.to_level[graph.levels[i]];
  }
  RETURN_IF_ERROR(bytes.Check(graph.begins[size] == end, "links end at ",
                              graph.begins[size], ", not ", end));
  RETURN_IF_ERROR(bytes.TakeVector(end, "links", graph.links));
  for (int64_t i = 0; i < size; ++i) {
    RETURN_IF_ERROR(CheckLinksOf(i, graph, bytes));
  }
  return ScanWalk(graph, bytes);
}

absl::Status ScanCellLists(int64_t size, uint64_t nlist,
                           const IndexCodes& codes, IndexBytes& bytes) {
  absl::string_view type;
  uint64_t lists = 0, code_bytes = 0;
  RETURN_IF_ERROR(bytes.TakeBytes(1, 4, type));
  RETURN_IF_ERROR(bytes.Take(lists));
  RETURN_IF_ERROR(bytes.Take(code_bytes));
  RETURN_IF_ERROR(
      bytes.Check(type == "ilar" && lists == nlist && code_bytes == codes.bytes,
                  "contents of cells as \"", absl::CHexEscape(type), "\", ",
                  lists, " with codes of ", code_bytes, " bytes; ", nlist,
                  " with ", codes.bytes, " are expected"));
  ASSIGN_OR_RETURN(const std::vector<uint64_t> sizes,
                   ScanListSizes(nlist, bytes));
  RETURN_IF_ERROR(InCells::CheckRoom(size, bytes));
  InCells in_cells(size);
  for (const uint64_t count : sizes) {
    absl::string_view list, ids;
    RETURN_IF_ERROR(bytes.TakeBytes(count, codes.bytes, list));
    RETURN_IF_ERROR(codes.Check(bytes, list));
    RETURN_IF_ERROR(bytes.TakeBytes(count, sizeof(int64_t), ids));
    RETURN_IF_ERROR(in_cells.AddAll(Packed<int64_t>(ids), bytes));
  }
  return in_cells.CheckAll(bytes);
}

absl::Status ScanBlockedCellLists(int64_t size, uint64_t nlist,
                                  uint64_t code_bytes, uint64_t per_block,
                                  IndexBytes& bytes) {
  absl::string_view type;
  uint64_t lists = 0, list_code_bytes = 0, in_block = 0, block_bytes = 0;
  RETURN_IF_ERROR(bytes.TakeBytes(1, 4, type));
  RETURN_IF_ERROR(bytes.Take(lists));
  RETURN_IF_ERROR(bytes.Take(list_code_bytes));
  RETURN_IF_ERROR(bytes.Take(in_block));
  RETURN_IF_ERROR(bytes.Take(block_bytes));
  RETURN_IF_ERROR(bytes.Check(
      type == "ilbl" && lists == nlist && list_code_bytes == kNoCodeBytes &&
          in_block == per_block && block_bytes == per_block * code_bytes,
      "contents of cells as \"", absl::CHexEscape(type), "\", ", lists,
      " in blocks of ", in_block, " and ", block_bytes, " bytes; ", nlist,
      " of ", per_block, " and ", per_block * code_bytes, " are expected"));
  RETURN_IF_ERROR(InCells::CheckRoom(size, bytes));
  InCells in_cells(size);
  for (uint64_t i = 0; i < nlist; ++i) {
    Packed<int64_t> ids;
    Packed<uint8_t> codes;
    RETURN_IF_ERROR(bytes.TakeVector(ids));
    RETURN_IF_ERROR(in_cells.AddAll(ids, bytes));
    const uint64_t blocks = (ids.size() + per_block - 1) / per_block;
    RETURN_IF_ERROR(
        bytes.TakeVector(blocks * block_bytes, "bytes of codes", codes));
  }
  return in_cells.CheckAll(bytes);
}

}  // namespace segue
