#include "core/rows/row_set.h"

#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using segue::testing::IsOk;
using segue::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(RowSetTest, HoldsRowsOnceInAscendingOrder) {
  const RowSet set({70000, 3, 3, 0, 1 << 30});
  EXPECT_EQ(set.size(), 4);
  EXPECT_THAT(set.ToRows(), ElementsAre(0, 3, 70000, 1 << 30));
  EXPECT_TRUE(set.Contains(70000));
  EXPECT_FALSE(set.Contains(1));
  EXPECT_FALSE(set.Contains(-1));
}

TEST(RowSetTest, RangesEndBeforeTheirEnd) {
  EXPECT_THAT(RowSet(2, 5).ToRows(), ElementsAre(2, 3, 4));
  EXPECT_THAT(RowSet(5, 5).ToRows(), IsEmpty());
  EXPECT_THAT(RowSet(5, 2).ToRows(), IsEmpty());
}

TEST(RowSetTest, CombinesAndLeavesTheOtherAsItWas) {
  const RowSet low(0, 100000), some({5, 99999, 100000});
  RowSet both = low;
  both.IntersectWith(some);
  EXPECT_THAT(both.ToRows(), ElementsAre(5, 99999));
  RowSet either = some;
  either.UniteWith(RowSet({7}));
  EXPECT_THAT(either.ToRows(), ElementsAre(5, 7, 99999, 100000));
  RowSet rest = some;
  rest.Subtract(low);
  EXPECT_THAT(rest.ToRows(), ElementsAre(100000));
  EXPECT_EQ(low.size(), 100000);
  EXPECT_EQ(some.size(), 3);
}

TEST(RowSetTest, ComesBackFromItsBytes) {
  RowSet set({9, 4, 70000});
  set.Shrink();
  const std::string bytes = set.Serialize();
  const auto back = RowSet::Parse(bytes, 70001);
  ASSERT_THAT(back, IsOk());
  EXPECT_THAT(back->ToRows(), ElementsAre(4, 9, 70000));
  EXPECT_THAT(RowSet::Parse(RowSet().Serialize(), 0)->ToRows(), IsEmpty());
}

TEST(RowSetTest, BytesOfNoSuchSetAreRefused) {
  const std::string bytes = RowSet({9, 4, 70000}).Serialize();
  EXPECT_THAT(RowSet::Parse(bytes, 70000),
              StatusIs(absl::StatusCode::kDataLoss, "has row 70000, of 70000"));
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_THAT(RowSet::Parse(absl::string_view(bytes).substr(0, cut), 70001),
                StatusIs(absl::StatusCode::kDataLoss, _))
        << cut;
  }
  EXPECT_THAT(RowSet::Parse("no bitmap at all", 10),
              StatusIs(absl::StatusCode::kDataLoss, _));
}

TEST(RowSetTest, EveryKindOfContainerComesBack) {
  RowSet set(10, 70000);  // runs
  std::vector<int32_t> odd;
  for (int32_t row = 200001; row < 260000; row += 2) odd.push_back(row);
  set.Add(odd);  // bits
  set.Add({300000, 400000, 500000, 600000, 2147483647});
  set.Shrink();
  const auto back = RowSet::Parse(set.Serialize(), int64_t{1} << 31);
  ASSERT_THAT(back, IsOk());
  EXPECT_EQ(back->ToRows(), set.ToRows());
}

// CRoaring's own reader takes these, and is led out of its memory later.
TEST(RowSetTest, PartsThatContradictThemselvesAreRefused) {
  using std::string_literals::operator""s;
  const std::string arrays =
      RowSet(std::vector<int32_t>{1, 2, 3, 70000}).Serialize();
  const auto changed = [&](size_t at, char to) {
    std::string bytes = arrays;
    bytes.at(at) = to;
    return bytes;
  };
  // Cookie, number of containers; key and rows - 1 of each; where each is;
  // rows.
  const std::vector<std::string> hostile = {
      ";0\0\0\1\0\0\0\0\0"s,                      // no run
      ";0\0\0\1\0\0\0\0\1\0\xff\xff\xff\xff"s,    // a run beyond the end
      ";0\0\0\1\0\0\x09\0\2\0\0\0\4\0\3\0\4\0"s,  // runs over one another
      changed(4, '\3'),                           // three containers
      changed(12, '\0'),                          // the same key twice
      changed(10, '\1'),                          // fewer rows
      changed(26, '\1'),                          // a row twice
      arrays + "x"};
  ASSERT_THAT(RowSet::Parse(arrays, 70001), IsOk());
  for (const std::string& bytes : hostile) {
    EXPECT_THAT(RowSet::Parse(bytes, int64_t{1} << 31),
                StatusIs(absl::StatusCode::kDataLoss, _))
        << &bytes - hostile.data();
  }
}

TEST(RowSetTest, ShrinkingSavesRoomAndChangesNothing) {
  RowSet set;
  std::vector<int32_t> rows(50000);
  std::iota(rows.begin(), rows.end(), 0);
  set.Add(rows);
  const uint64_t before = set.bytes();
  set.Shrink();
  EXPECT_LT(set.bytes(), before / 10);
  EXPECT_EQ(set.size(), 50000);
  EXPECT_TRUE(set.Contains(49999));
}

TEST(RowSetTest, AMovedFromSetCanBeAssignedTo) {
  RowSet a({1}), b = std::move(a);
  a = RowSet({2});
  EXPECT_THAT(a.ToRows(), ElementsAre(2));
  EXPECT_THAT(b.ToRows(), ElementsAre(1));
}

}  // namespace
}  // namespace segue
