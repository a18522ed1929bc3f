#include "core/towers/guard_torch.h"

#include <c10/util/Exception.h>

#include <stdexcept>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace segue {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;
using testing::StatusIs;

TEST(GuardTorchTest, GivesWhatTheFunctionReturns) {
  EXPECT_THAT(GuardTorch(absl::StatusCode::kInternal, "tower",
                         [] { return absl::OkStatus(); }),
              IsOk());
  EXPECT_THAT(GuardTorch(absl::StatusCode::kInternal, "tower",
                         [] { return absl::NotFoundError("none"); }),
              StatusIs(absl::StatusCode::kNotFound, "none"));
}

TEST(GuardTorchTest, TorchsErrorsComeWithoutTheirStackTrace) {
  const auto fail = []() -> absl::Status { TORCH_CHECK(false, "no shape"); };
  EXPECT_THAT(
      GuardTorch(absl::StatusCode::kDataLoss, "tower", fail),
      StatusIs(absl::StatusCode::kDataLoss,
               AllOf(HasSubstr("tower: no shape"), Not(HasSubstr("frame #")))));
}

TEST(GuardTorchTest, OtherExceptionsAreStatusesToo) {
  const auto fail = []() -> absl::Status {
    throw std::runtime_error("no memory");
  };
  EXPECT_THAT(
      GuardTorch(absl::StatusCode::kInternal, "tower", fail),
      StatusIs(absl::StatusCode::kInternal, HasSubstr("tower: no memory")));
}

}  // namespace
}  // namespace segue
