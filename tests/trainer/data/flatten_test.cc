#include "trainer/data/flatten.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arrow/array.h"
#include "arrow/builder.h"
#include "arrow/compute/initialize.h"
#include "arrow/type.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Lists = std::vector<std::optional<std::vector<int64_t>>>;

std::shared_ptr<arrow::Array> ToArray(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> ToArray(const Lists& lists) {
  auto values = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), values);
  for (const auto& list : lists) {
    EXPECT_TRUE((list ? builder.Append() : builder.AppendNull()).ok());
    EXPECT_TRUE(
        values->AppendValues(list.value_or(std::vector<int64_t>())).ok());
  }
  return builder.Finish().ValueOrDie();
}

// Columns "uid" and "item_id".
std::shared_ptr<arrow::RecordBatch> Batch(std::shared_ptr<arrow::Array> uid,
                                          std::shared_ptr<arrow::Array> item) {
  const auto schema = arrow::schema({arrow::field("uid", uid->type()),
                                     arrow::field("item_id", item->type())});
  const int64_t rows = uid->length();
  return arrow::RecordBatch::Make(schema, rows,
                                  {std::move(uid), std::move(item)});
}

std::vector<int64_t> Values(const FlatBatch& flat, const std::string& column) {
  const auto array = std::static_pointer_cast<arrow::Int64Array>(
      flat.batch->GetColumnByName(column));
  return {array->raw_values(), array->raw_values() + array->length()};
}

class FlattenTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_TRUE(arrow::compute::Initialize().ok());
  }

  const std::vector<ColumnRequest> single_ = {{"uid", ColumnType::kId},
                                              {"item_id", ColumnType::kId}};
};

TEST_F(FlattenTest, FlatBatchIsItself) {
  const auto batch = Batch(ToArray({1, 2}), ToArray({3, 4}));
  const auto flat = Flatten(batch, single_, "f", 1);
  ASSERT_THAT(flat, IsOk());
  EXPECT_EQ(flat->batch, batch);
  EXPECT_THAT(flat->parents, IsEmpty());
}

TEST_F(FlattenTest, ListsThatAreWantedAsListsStay) {
  const auto batch = Batch(ToArray({1, 2}), ToArray(Lists{{{3, 4}}, {{5}}}));
  const auto flat = Flatten(
      batch, {{"uid", ColumnType::kId}, {"item_id", ColumnType::kIds}}, "f", 1);
  ASSERT_THAT(flat, IsOk());
  EXPECT_EQ(flat->batch, batch);
}

TEST_F(FlattenTest, ValuesBesideListsAreRepeated) {
  const auto flat =
      Flatten(Batch(ToArray({7, 8}), ToArray(Lists{{{3, 4, 5}}, {{6}}})),
              single_, "f", 1);
  ASSERT_THAT(flat, IsOk());
  EXPECT_THAT(Values(*flat, "uid"), ElementsAre(7, 7, 7, 8));
  EXPECT_THAT(Values(*flat, "item_id"), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(flat->parents, ElementsAre(0, 0, 0, 1));
}

TEST_F(FlattenTest, EmptyAndNullListsGiveNoRows) {
  const auto flat = Flatten(
      Batch(ToArray({7, 8, 9}), ToArray(Lists{{{}}, std::nullopt, {{6, 5}}})),
      single_, "f", 1);
  ASSERT_THAT(flat, IsOk());
  EXPECT_THAT(Values(*flat, "uid"), ElementsAre(9, 9));
  EXPECT_THAT(Values(*flat, "item_id"), ElementsAre(6, 5));
  EXPECT_THAT(flat->parents, ElementsAre(2, 2));
}

TEST_F(FlattenTest, SlicesGiveTheirOwnRowsOnly) {
  const auto batch =
      Batch(ToArray({7, 8, 9}), ToArray(Lists{{{1, 2}}, {{3}}, {{4, 5}}}));
  const auto flat = Flatten(batch->Slice(1, 1), single_, "f", 1);
  ASSERT_THAT(flat, IsOk());
  EXPECT_THAT(Values(*flat, "uid"), ElementsAre(8));
  EXPECT_THAT(Values(*flat, "item_id"), ElementsAre(3));
}

TEST_F(FlattenTest, ListsOfOtherLengthsAreNamedWithTheirRow) {
  const auto batch = Batch(ToArray(Lists{{{1}}, {{2, 3}}}),
                           ToArray(Lists{{{4}}, std::nullopt}));
  EXPECT_THAT(
      Flatten(batch, single_, "events.parquet", 101),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("events.parquet: row 102"),
                     HasSubstr("'item_id' lists 0"), HasSubstr("'uid' 2"))));
}

}  // namespace
}  // namespace segue
