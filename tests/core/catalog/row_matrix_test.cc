#include "core/catalog/row_matrix.h"

#include <vector>

#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace segue {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;
using testing::TempFolder;

class RowMatrixTest : public ::testing::Test {
 protected:
  void Write(const std::vector<float>& values, int64_t rows, int32_t width) {
    auto writer = RowMatrixWriter::Create(path_, rows, width);
    ASSERT_THAT(writer, IsOk());
    ASSERT_THAT((*writer)->Append(values), IsOk());
    ASSERT_THAT((*writer)->Finish(), IsOk());
  }
  std::string Bytes() { return ReadFile(path_, 1 << 20).value(); }

  const TempFolder folder_;
  const std::string path_ = folder_ / "items.rows";
};

TEST_F(RowMatrixTest, GivesBackItsRows) {
  Write({1, 2, 3, 4, 5, 6}, /*rows=*/2, /*width=*/3);
  const auto matrix = RowMatrix::Open(path_);
  ASSERT_THAT(matrix, IsOk());
  EXPECT_EQ(matrix->rows(), 2);
  EXPECT_EQ(matrix->width(), 3);
  EXPECT_THAT(matrix->Row(1), ElementsAre(4, 5, 6));
}

TEST_F(RowMatrixTest, RowsCanComeInPieces) {
  auto writer = RowMatrixWriter::Create(path_, 3, 1);
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->Append({1}), IsOk());
  ASSERT_THAT((*writer)->Append({2, 3}), IsOk());
  ASSERT_THAT((*writer)->Finish(), IsOk());
  EXPECT_THAT(RowMatrix::Open(path_)->Row(2), ElementsAre(3));
}

TEST_F(RowMatrixTest, NoRowsAreAMatrixToo) {
  Write({}, 0, 4);
  EXPECT_EQ(RowMatrix::Open(path_)->rows(), 0);
}

TEST_F(RowMatrixTest, TheFileIsByteForByteAsDocumented) {
  Write({1}, 1, 1);
  const std::string expected(
      "SGROWS01"
      "\1\0\0\0\0\0\0\0"
      "\1\0\0\0"
      "\0\0\0\0\0\0\0\0\0\0\0\0"
      "\0\0\x80\x3f",
      36);
  EXPECT_EQ(Bytes(), expected);
}

TEST_F(RowMatrixTest, MissingRowsAreNotFinished) {
  auto writer = RowMatrixWriter::Create(path_, 2, 1);
  ASSERT_THAT(writer, IsOk());
  ASSERT_THAT((*writer)->Append({1}), IsOk());
  EXPECT_THAT((*writer)->Finish(), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("1 rows are missing")));
}

TEST_F(RowMatrixTest, EveryTruncationAndAnExtraByteAreRefused) {
  Write({1, 2}, 1, 2);
  const std::string bytes = Bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_THAT(WriteFileAtomically(path_, bytes.substr(0, size)), IsOk());
    EXPECT_THAT(RowMatrix::Open(path_),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)))
        << size;
  }
  ASSERT_THAT(WriteFileAtomically(path_, bytes + "x"), IsOk());
  EXPECT_THAT(RowMatrix::Open(path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)));
}

TEST_F(RowMatrixTest, CountsWhoseProductOverflowsAreRefused) {
  Write({1, 2}, 1, 2);
  std::string bytes = Bytes();
  bytes.replace(8, 8, std::string("\0\0\0\0\0\0\0\x40", 8));  // 2^62 rows
  ASSERT_THAT(WriteFileAtomically(path_, bytes), IsOk());
  EXPECT_THAT(RowMatrix::Open(path_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)));
}

}  // namespace
}  // namespace segue
