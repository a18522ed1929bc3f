#include "core/base/status_macros.h"

#include <memory>

#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using testing::IsOk;
using testing::StatusIs;

absl::StatusOr<int> Half(int n) {
  if (n % 2 != 0) return absl::InvalidArgumentError("odd");
  return n / 2;
}

absl::StatusOr<int> Quarter(int n) {
  ASSIGN_OR_RETURN(const int half, Half(n));
  ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

absl::Status CheckEven(int n) {
  RETURN_IF_ERROR(Half(n).status());
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<int>> Boxed() {
  ASSIGN_OR_RETURN(
      std::unique_ptr<int> box,
      absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(7)));
  return box;
}

TEST(StatusMacrosTest, AssignGoesOnWithTheValue) {
  EXPECT_EQ(Quarter(8).value(), 2);
}

TEST(StatusMacrosTest, AssignLeavesWithTheError) {
  EXPECT_THAT(Quarter(6), StatusIs(absl::StatusCode::kInvalidArgument, "odd"));
}

TEST(StatusMacrosTest, ReturnLeavesWithTheErrorOnly) {
  EXPECT_THAT(CheckEven(2), IsOk());
  EXPECT_THAT(CheckEven(3),
              StatusIs(absl::StatusCode::kInvalidArgument, "odd"));
}

TEST(StatusMacrosTest, AssignMovesWhatCannotBeCopied) {
  EXPECT_EQ(*Boxed().value(), 7);
}

}  // namespace
}  // namespace segue
