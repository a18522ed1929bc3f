#include "core/catalog/display_table.h"

#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TempFolder;

class DisplayTableTest : public ::testing::Test {
 protected:
  absl::StatusOr<DisplayTable> Open(const std::string& bytes, int32_t columns,
                                    int64_t rows) {
    EXPECT_THAT(WriteFileAtomically(path_, bytes), IsOk());
    return DisplayTable::Open(path_, columns, rows);
  }

  const TempFolder folder_;
  const std::string path_ = folder_ / "items.text";
  const std::string bytes_ =
      DisplayTable::Serialize({{"Blue", "", "Jóga"}, {"a", "b", "c"}});
};

TEST_F(DisplayTableTest, GivesBackItsStrings) {
  const auto table = Open(bytes_, 2, 3);
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->Value(0, 0), "Blue");
  EXPECT_EQ(table->Value(0, 1), "");
  EXPECT_EQ(table->Value(0, 2), "Jóga");
  EXPECT_EQ(table->Value(1, 0), "a");
  EXPECT_EQ(table->Value(1, 2), "c");
}

TEST_F(DisplayTableTest, NoColumnsAreATableToo) {
  EXPECT_THAT(Open(DisplayTable::Serialize({}), 0, 5), IsOk());
}

TEST_F(DisplayTableTest, AnotherShapeIsRefused) {
  EXPECT_THAT(Open(bytes_, 2, 4), StatusIs(absl::StatusCode::kDataLoss,
                                           HasSubstr("2 columns of 4 rows")));
  EXPECT_THAT(Open(bytes_, 3, 3), StatusIs(absl::StatusCode::kDataLoss, _));
}

TEST_F(DisplayTableTest, EveryTruncationIsRefused) {
  for (size_t size = 0; size < bytes_.size(); ++size) {
    EXPECT_THAT(Open(bytes_.substr(0, size), 2, 3),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)))
        << size;
  }
}

TEST_F(DisplayTableTest, OffsetsThatRunBackAreRefused) {
  std::string bytes = bytes_;
  bytes[24] = 6;  // the first string's end, beyond the second's
  EXPECT_THAT(Open(bytes, 2, 3), StatusIs(absl::StatusCode::kDataLoss,
                                          HasSubstr("impossible offsets")));
}

TEST_F(DisplayTableTest, TheFileIsByteForByteAsDocumented) {
  const std::string expected(
      "SGTEXT01"
      "\1\0\0\0\0\0\0\0"
      "\2\0\0\0\0\0\0\0"
      "\1\0\0\0\0\0\0\0"
      "\3\0\0\0\0\0\0\0"
      "xyz",
      43);
  EXPECT_EQ(DisplayTable::Serialize({{"x", "yz"}}), expected);
}

}  // namespace
}  // namespace segue
