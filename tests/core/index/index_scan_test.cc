#include "core/index/index_scan.h"

#include <faiss/Index.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>
#include <sys/resource.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "core/index/faiss_index.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TempFolder;

constexpr int kDimension = 8;
constexpr int kRows = 300;
constexpr uint64_t kHuge = uint64_t{1} << 40;
constexpr uint64_t kHeaderBytes = 37;  // type, sizes, two unused, flag, metric
constexpr SearchEffort kEffort = {2, 4};

// Each is trained once.
std::string IndexBytesOf(const std::string& factory) {
  static auto* made = new std::map<std::string, std::string>;
  std::string& bytes = (*made)[factory];
  if (!bytes.empty()) return bytes;
  std::mt19937 random(7);
  std::vector<float> vectors(kRows * kDimension);
  for (float& x : vectors) x = static_cast<float>(random() % 2001) / 1000 - 1;
  const std::unique_ptr<faiss::Index> index(faiss::index_factory(
      kDimension, factory.c_str(), faiss::METRIC_INNER_PRODUCT));
  index->train(kRows, vectors.data());
  index->add(kRows, vectors.data());
  const TempFolder folder;
  faiss::write_index(index.get(), (folder / "index").c_str());
  bytes = ReadFile(folder / "index", uint64_t{1} << 20).value();
  return bytes;
}

absl::StatusOr<std::unique_ptr<VectorIndex>> Load(const std::string& bytes) {
  const TempFolder folder;
  const std::string path = folder / "index.faiss";
  RETURN_IF_ERROR(WriteFileAtomically(path, bytes));
  return LoadFaissIndex(
      path, {.dimension = kDimension, .size = kRows, .effort = kEffort});
}

class EveryScannedKindTest : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryScannedKindTest, IsSummarised) {
  const auto summary = ScanIndex(IndexBytesOf(GetParam()), "x");
  ASSERT_THAT(summary, IsOk());
  EXPECT_EQ(summary->dimension, kDimension);
  EXPECT_EQ(summary->size, kRows);
}

TEST_P(EveryScannedKindTest, CutAnywhereOrContinuedIsDataLoss) {
  const std::string bytes = IndexBytesOf(GetParam());
  for (size_t end = 0; end < bytes.size(); end += end < 600 ? 1 : 61) {
    ASSERT_THAT(ScanIndex(absl::string_view(bytes).substr(0, end), "x"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("byte")))
        << end;
  }
  EXPECT_THAT(ScanIndex(bytes + "x", "x"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("ends before")));
}

// What passes is nonsense at worst, and may be searched.
TEST_P(EveryScannedKindTest, ChangedBytesAreRefusedOrAnsweredFrom) {
  const std::string bytes = IndexBytesOf(GetParam());
  const std::vector<float> query(kDimension, 0.5F);
  std::mt19937 random(11);
  int answered = 0;
  for (int i = 0; i < 200; ++i) {
    std::string changed = bytes;
    changed[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
    const auto index = Load(changed);
    if (!index.ok()) continue;
    EXPECT_THAT((*index)->Search(query, {.k = 20}), IsOk());
    ++answered;
  }
  EXPECT_GT(answered, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Table, EveryScannedKindTest,
    ::testing::Values("Flat", "SQ8", "SQ6", "SQ4", "SQfp16", "HNSW8,Flat",
                      "HNSW8_SQ8", "IVF4,Flat", "IVF4,SQ8", "IVF4,PQ4x4",
                      "IVF4_HNSW8,PQ8x4fs,Refine(SQ8)", "IVF4,PQ4x4fsr,RFlat",
                      "OPQ4_8,IVF4,PQ4x4fs,Refine(SQ4)", "PCA6,IVF4,Flat",
                      "PQ4x4fs,RFlat"),
    [](const auto& info) { return absl::StrCat("Kind", info.index); });

// A real file with one value changed.
class Edit {
 public:
  explicit Edit(const std::string& factory) : bytes_(IndexBytesOf(factory)) {}

  // Where the index of that type begins, and what is behind its header.
  Edit& To(const std::string& type) {
    at_ = bytes_.find(type);
    return *this;
  }
  Edit& Body(const std::string& type) {
    To(type);
    return Skip(kHeaderBytes);
  }
  Edit& Skip(uint64_t bytes) {
    at_ += bytes;
    return *this;
  }
  // Over a vector of elements of that width.
  Edit& SkipVector(uint64_t width) {
    uint64_t count = 0;
    std::memcpy(&count, bytes_.data() + at_, sizeof(count));
    return Skip(sizeof(count) + count * width);
  }
  template <typename T>
  std::string Put(T value) {
    std::memcpy(bytes_.data() + at_, &value, sizeof(value));
    return bytes_;
  }
  std::string PutText(const std::string& text) {
    return bytes_.replace(at_, text.size(), text);
  }

 private:
  std::string bytes_;
  size_t at_ = 0;
};

template <typename T>
void Append(T value, std::string& bytes) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Transforms of one dimension to one, each within the other.
std::string NestedTransforms(int depth) {
  std::string bytes;
  for (int i = 0; i < depth; ++i) {
    bytes += "IxPT";
    Append<int32_t>(kDimension, bytes);
    Append<int64_t>(kRows, bytes);
    bytes.append(16, '\0');
    bytes += '\1';
    Append<int32_t>(0, bytes);
    Append<int32_t>(1, bytes);
    bytes += "LTra";
    bytes += '\0';
    Append<uint64_t>(kDimension * kDimension, bytes);
    bytes.append(kDimension * kDimension * sizeof(float), '\0');
    Append<uint64_t>(0, bytes);
    Append<int32_t>(kDimension, bytes);
    Append<int32_t>(kDimension, bytes);
    bytes += '\1';
  }
  return bytes;
}

struct Hostile {
  std::string name;
  std::function<std::string()> bytes;
  std::string said;
  absl::StatusCode code = absl::StatusCode::kDataLoss;
};

void PrintTo(const Hostile& hostile, std::ostream* out) {
  *out << hostile.name;
}

constexpr char kCells[] = "IVF4,Flat";
constexpr char kServed[] = "IVF4_HNSW8,PQ8x4fs,Refine(SQ8)";

// The sizes of cells in kCells: behind four centroids, an empty map, and the
// head of the lists.
Edit CellSizes() {
  Edit edit(kCells);
  edit.To("ilar").Skip(4 + 8 + 8 + 4 + 8);
  return edit;
}
// The ids in the first cell of kServed.
Edit CellIds() {
  Edit edit(kServed);
  edit.To("ilbl").Skip(4 + 4 * 8 + 8);
  return edit;
}
Edit Quantizer() {
  Edit edit("IVF4,PQ4x4");
  edit.Body("IwPQ").Skip(16).Skip(kHeaderBytes).SkipVector(4);
  edit.Skip(1 + 8 + 1 + 8);  // map, flag, bytes of a code
  return edit;
}
Edit Graph(int vectors) {
  Edit edit(kServed);
  edit.Body("IHNf");
  const int widths[] = {8, 4, 4, 8, 4};
  for (int i = 0; i < vectors; ++i) edit.SkipVector(widths[i]);
  return edit;
}
Edit FastScan() {
  Edit edit(kServed);
  edit.Body("IxFI").SkipVector(4).Skip(1 + 8);
  return edit;
}

const std::vector<Hostile>& HostileIndexes() {
  const auto unsupported = absl::StatusCode::kFailedPrecondition;
  static const auto* all = new std::vector<Hostile>{
      {"Vectors", [] { return Edit("Flat").Skip(8).Put(kHuge); },
       "1099511627776 vectors, not 1 to 2147483647"},
      {"NoVectors", [] { return Edit("Flat").Skip(8).Put(int64_t{0}); },
       "0 vectors"},
      {"NegativeDimensions", [] { return Edit("Flat").Skip(4).Put(-8); },
       "-8 dimensions"},
      {"MoreVectorsThanFloats",
       [] { return Edit("Flat").Skip(8).Put(int64_t{1} << 30); },
       "2400 floats, 8589934592 are expected"},
      {"Floats", [] { return Edit("Flat").Body("IxFI").Put(kHuge / 2); },
       "549755813888 elements of 4 bytes, 9600 bytes are left"},
      {"Untrained", [] { return Edit("Flat").Skip(32).Put('\0'); },
       "not trained"},
      {"StrangeFlag", [] { return Edit("Flat").Skip(32).Put('\7'); },
       "a flag is 7"},
      {"NotFinite", [] { return Edit("Flat").Body("IxFI").Skip(80).Put(NAN); },
       "not finite"},
      {"Overflowing",
       [] { return Edit("Flat").Body("IxFI").Skip(80).Put(1e30F); },
       "beyond 2^40"},
      {"UnknownType", [] { return Edit("Flat").PutText("IxZZ"); },
       "not supported (\"IxZZ\")", unsupported},
      {"NoType", [] { return Edit("Flat").PutText("aaaa"); },
       "no index begins with \"aaaa\""},
      {"InnerMetric", [] { return Edit(kServed).To("IwPf").Skip(33).Put(1); },
       "metric 1", unsupported},
      {"InnerDimensions",
       [] { return Edit(kServed).To("IxSQ").Skip(4).Put(16); }, "codes of 8"},
      {"InnerVectors",
       [] { return Edit(kServed).To("IwPf").Skip(8).Put(int64_t{100}); },
       "there is none such"},
      {"RefinementWithin",
       [] { return Edit(kServed).To("IwPf").PutText("IxRF"); },
       "not supported (\"IxRF\")", unsupported},
      {"CellsOfCells", [] { return Edit(kServed).To("IHNf").PutText("IwPf"); },
       "not supported (\"IwPf\")", unsupported},
      {"WithinForEver", [] { return NestedTransforms(2000); },
       "more than 8 indexes within one another"},
      {"Transforms",
       [] { return Edit("PCA6,IVF4,Flat").Body("IxPT").Put(kHuge); },
       "0 transforms"},
      {"TransformOfOthers",
       [] {
         return Edit("OPQ4_8,IVF4,Flat")
             .To("LTra")
             .Skip(5)
             .SkipVector(4)
             .SkipVector(4)
             .Put(9);
       },
       "a transform from 9 to 8 dimensions by 64"},
      {"Cells", [] { return Edit(kCells).Body("IwFl").Put(kHuge); },
       "1099511627776 cells of 8 dimensions, their centroids are 4 of 8"},
      {"Map",
       [] {
         return Edit(kCells)
             .Body("IwFl")
             .Skip(16)
             .Skip(kHeaderBytes)
             .SkipVector(4)
             .Put('\2');
       },
       "a map of vectors to cells"},
      {"Lists", [] { return Edit(kCells).To("ilar").Skip(4).Put(kHuge); },
       "1099511627776 with codes of 32 bytes; 4 with 32 are expected"},
      {"ListCodes", [] { return Edit(kCells).To("ilar").Skip(12).Put(kHuge); },
       "4 with codes of 1099511627776 bytes"},
      {"ListKind", [] { return Edit(kCells).To("ilar").PutText("il00"); },
       "\"il00\""},
      {"SparseLists", [] { return Edit(kCells).To("full").PutText("sprs"); },
       " of 4"},
      {"ListSize", [] { return CellSizes().Put(kHuge << 20); },
       "elements of 32 bytes"},
      {"NegativeListSize", [] { return CellSizes().Put(int64_t{-1}); },
       "elements of 32 bytes"},
      {"VectorOfNoRow", [] { return CellIds().Put(int64_t{kRows}); },
       "vector 300 is in a cell"},
      {"NegativeVector", [] { return CellIds().Put(int64_t{-1}); },
       "vector -1 is in a cell"},
      {"BlockOfOneVector",
       [] { return Edit(kServed).To("ilbl").Skip(20).Put(uint64_t{1}); },
       "4 in blocks of 1 and"},
      {"MoreVectorsThanIds",
       [] { return Edit("IVF4,PQ4x4").Skip(8).Put(int64_t{kRows} << 22); },
       "1258291200 vectors in cells, "},
      {"NoSubquantizers", [] { return Quantizer().Skip(8).Put(uint64_t{0}); },
       "0 sub-quantisers of 4 bits"},
      {"SubquantizersThatDoNotDivide",
       [] { return Quantizer().Skip(8).Put(uint64_t{3}); }, "3 sub-quantisers"},
      {"CodeBits", [] { return Quantizer().Skip(16).Put(uint64_t{40}); },
       "4 sub-quantisers of 40 bits"},
      {"FastScanOfEightBits",
       [] {
         return FastScan()
             .Skip(1 + 8 + 4 + 8 + 4 + 8)
             .Skip(16)
             .Put(uint64_t{8});
       },
       "8 sub-quantisers of 8 bits"},
      {"NoBlock", [] { return FastScan().Skip(1 + 8).Put(0); },
       "in blocks of 0"},
      {"WayOfSearching", [] { return FastScan().Skip(1 + 8 + 4 + 8).Put(12); },
       "way 12"},
      {"ScalarCodesOfAnUnknownKind",
       [] { return Edit("SQ8").Body("IxSQ").Put(99); }, "not supported (99)",
       unsupported},
      {"ScalarCodeBytes",
       [] { return Edit("SQ8").Body("IxSQ").Skip(20).Put(kHuge); },
       "scalar codes of 1099511627776 bytes"},
      {"ScalarRanges",
       [] { return Edit("SQ8").Body("IxSQ").Skip(28).Put(kHuge); },
       "elements of 4 bytes"},
      {"Levels", [] { return Graph(0).Put(kHuge); }, "elements of 8 bytes"},
      {"LinksOfALevel", [] { return Graph(1).Skip(8 + 4).Put(1 << 30); },
       "1073741824 links of a vector below level 1"},
      {"LevelOfAVector", [] { return Graph(2).Skip(8).Put(64); },
       "vector 0 is on 64 levels"},
      {"BeginOfLinks", [] { return Graph(3).Skip(8 + 8).Put(kHuge); },
       "links of vector 1 begin at 1099511627776"},
      {"EndOfLinks", [] { return Graph(3).Skip(8 + 4 * 8).Put(kHuge); },
       "links end at 1099511627776"},
      {"Link", [] { return Graph(4).Skip(8).Put(1 << 30); },
       "has a link to 1073741824 on level 0"},
      {"BeginOfWalks", [] { return Graph(5).Put(-1); },
       "walks begin at vector -1"},
      {"TopOfWalks", [] { return Graph(5).Skip(4).Put(50); }, "on level 50"},
      {"BreadthOfWalks", [] { return Graph(5).Skip(12).Put(1 << 30); },
       "walks are 1073741824 broad"},
  };
  return *all;
}

class HostileIndexTest : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostileIndexTest, IsRefusedByName) {
  EXPECT_THAT(Load(GetParam().bytes()),
              StatusIs(GetParam().code, HasSubstr(GetParam().said)));
}

INSTANTIATE_TEST_SUITE_P(Table, HostileIndexTest,
                         ::testing::ValuesIn(HostileIndexes()),
                         [](const auto& info) { return info.param.name; });

int64_t PeakKib() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(HostileIndexMemoryTest, NoneTakesMoreThan64MiB) {
  std::vector<std::string> all;
  for (const Hostile& hostile : HostileIndexes()) {
    all.push_back(hostile.bytes());
  }
  const int64_t before = PeakKib();
  for (const std::string& bytes : all) EXPECT_FALSE(Load(bytes).ok());
  EXPECT_LT(PeakKib() - before, 64 * 1024);
}

TEST(IndexScanTest, AVectorIsNotInACellTwice) {
  Edit edit = CellIds();
  // The first two ids are the same.
  edit.Put(int64_t{5});
  EXPECT_THAT(Load(edit.Skip(8).Put(int64_t{5})),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("vector 5 is in a cell")));
}

TEST(IndexScanTest, NoFileIsDataLoss) {
  EXPECT_THAT(ScanIndexFile("/no/such/file"),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("cannot read index /no/such/file")));
}

}  // namespace
}  // namespace segue
