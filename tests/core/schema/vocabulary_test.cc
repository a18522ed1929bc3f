#include "core/schema/vocabulary.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

TEST(VocabularyTest, RowsAreInTheOrderOfAdding) {
  Vocabulary vocabulary;
  EXPECT_EQ(vocabulary.Add("b"), 0);
  EXPECT_EQ(vocabulary.Add("a"), 1);
  EXPECT_EQ(vocabulary.Add("b"), 0);
  EXPECT_EQ(vocabulary.size(), 2);
  EXPECT_EQ(vocabulary.id(1), "a");
  EXPECT_EQ(vocabulary.Find("a"), 1);
  EXPECT_EQ(vocabulary.Find("c"), std::nullopt);
}

TEST(VocabularyTest, AnEmptyOneFindsNothing) {
  const Vocabulary vocabulary;
  EXPECT_EQ(vocabulary.Find("a"), std::nullopt);
  EXPECT_EQ(vocabulary.FindOrUnknown("a"), 0);
}

TEST(VocabularyTest, TheEmptyIdAndZeroBytesAreIds) {
  Vocabulary vocabulary;
  const absl::string_view zeros("\0\0", 2);
  EXPECT_EQ(vocabulary.Add(""), 0);
  EXPECT_EQ(vocabulary.Add(zeros), 1);
  EXPECT_EQ(vocabulary.Find(""), 0);
  EXPECT_EQ(vocabulary.Find(zeros), 1);
  EXPECT_EQ(vocabulary.Find(zeros.substr(1)), std::nullopt);
}

TEST(VocabularyTest, FindsEveryIdAfterManyGrowths) {
  Vocabulary vocabulary;
  for (int i = 0; i < 5000; ++i) vocabulary.Add(absl::StrCat("id", i));
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(vocabulary.Find(absl::StrCat("id", i)), i);
  }
}

TEST(VocabularyTest, UnknownIdsShareTheRowAfterTheLast) {
  Vocabulary vocabulary;
  vocabulary.Add("a");
  EXPECT_EQ(vocabulary.FindOrUnknown("x"), 1);
  EXPECT_EQ(vocabulary.FindOrUnknown("y"), 1);
  EXPECT_EQ(vocabulary.FindOrUnknown("a"), 0);
  EXPECT_EQ(vocabulary.rows(), 2);
}

TEST(VocabularyTest, BucketsSpreadUnknownIdsAndStayWithinTheRows) {
  Vocabulary vocabulary(8);
  vocabulary.Add("a");
  std::set<int32_t> rows;
  for (int i = 0; i < 200; ++i) {
    const int32_t row = vocabulary.FindOrUnknown(absl::StrCat("u", i));
    EXPECT_GE(row, vocabulary.unknown_row());
    EXPECT_LT(row, vocabulary.rows());
    rows.insert(row);
  }
  EXPECT_EQ(rows.size(), 8u);
}

TEST(VocabularyTest, ParsesWhatItSerialized) {
  Vocabulary vocabulary(3);
  vocabulary.Add("one");
  vocabulary.Add("");
  vocabulary.Add(std::string(Vocabulary::kMaxIdBytes, 'x'));
  const auto parsed = Vocabulary::Parse(vocabulary.Serialize(), "v");
  ASSERT_THAT(parsed, IsOk());
  EXPECT_EQ(parsed->size(), 3);
  EXPECT_EQ(parsed->unknown_buckets(), 3);
  EXPECT_EQ(parsed->id(2).size(), Vocabulary::kMaxIdBytes);
  EXPECT_EQ(parsed->Find("one"), 0);
  EXPECT_EQ(parsed->Serialize(), vocabulary.Serialize());
}

TEST(VocabularyTest, TheFileIsByteForByteAsDocumented) {
  Vocabulary vocabulary(2);
  vocabulary.Add("ab");
  vocabulary.Add("c");
  const std::string expected(
      "SGVOCAB1"
      "\2\0\0\0"
      "\2\0\0\0"
      "\2\0\1\0"
      "abc",
      23);
  EXPECT_EQ(vocabulary.Serialize(), expected);
}

TEST(VocabularyTest, EveryTruncationIsRefused) {
  Vocabulary vocabulary;
  vocabulary.Add("ab");
  vocabulary.Add("cd");
  const std::string bytes = vocabulary.Serialize();
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(Vocabulary::Parse(bytes.substr(0, size), "cut.vocab"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cut.vocab")))
        << size;
  }
}

TEST(VocabularyTest, ExtraBytesAndDuplicatesAndWildCountsAreRefused) {
  Vocabulary vocabulary;
  vocabulary.Add("a");
  vocabulary.Add("b");
  const std::string bytes = vocabulary.Serialize();
  EXPECT_THAT(
      Vocabulary::Parse(bytes + "x", "v"),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("after its end")));
  std::string twice = bytes;
  twice.back() = 'a';
  EXPECT_THAT(Vocabulary::Parse(twice, "v"),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("twice")));
  for (size_t counter : {8, 12}) {
    std::string wild = bytes;
    wild.replace(counter, 4, "\xff\xff\xff\xff");
    EXPECT_THAT(Vocabulary::Parse(wild, "v"),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("impossible")));
  }
}

}  // namespace
}  // namespace segue
