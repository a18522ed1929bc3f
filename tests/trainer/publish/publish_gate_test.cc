#include <ostream>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "tests/testing/status_matchers.h"
#include "trainer/publish/publisher.h"

namespace segue {
namespace {

using ::segue::testing::IsOk;
using ::segue::testing::StatusIs;
using ::testing::HasSubstr;

// Figures at k = 100, the gate's default; those at 10 are the other way round.
struct Case {
  const char* name;
  const char* config;
  double recall;
  double popular;
  double overlap;
  const char* refusal;  // what it says; empty: published
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

v1::SplitReport Figures(const Case& test) {
  v1::SplitReport report;
  const auto set = [&](const char* k, double recall, double popular,
                       double overlap) {
    (*report.mutable_exact()->mutable_recall())[k] = recall;
    (*report.mutable_ann()->mutable_overlap())[k] = overlap;
    (*report.mutable_baselines()->mutable_popularity()->mutable_recall())[k] =
        popular;
  };
  set("100", test.recall, test.popular, test.overlap);
  set("10", test.popular, test.recall, 1 - test.overlap);
  return report;
}

class PublishGateTest : public ::testing::TestWithParam<Case> {};

TEST_P(PublishGateTest, HoldsFiguresAgainstTheConfig) {
  const Case& test = GetParam();
  v1::PublishConfig config;
  ASSERT_TRUE(
      google::protobuf::TextFormat::ParseFromString(test.config, &config));
  const absl::Status status = CheckPublishGate(config, Figures(test));
  if (*test.refusal == '\0') {
    EXPECT_THAT(status, IsOk());
  } else {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr(test.refusal)));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, PublishGateTest,
    ::testing::Values(
        Case{"GoodIsPublished", "", .5, .1, .95, ""},
        Case{"WorseThanPopular", "", .1, .5, .95,
             "recall@100 is 0.1000, that of the most popular items 0.5000"},
        Case{"AsGoodAsPopular", "", .5, .5, .95, "most popular"},
        Case{"PopularityMayBeIgnored", "beat_popularity: false", .1, .5, .95,
             ""},
        Case{"RecallAtTheLimit", "min_recall: 0.5", .5, .1, .95, ""},
        Case{"RecallBelowTheLimit", "min_recall: 0.51", .5, .1, .95,
             "recall@100 is 0.5000, publish.min_recall 0.5100"},
        Case{"OverlapAtTheLimit", "min_overlap: 0.9", .5, .1, .9, ""},
        Case{"OverlapBelowTheDefault", "", .5, .1, .79,
             "finds 0.790 of the exact top 100, publish.min_overlap is 0.800"},
        Case{"OverlapMayBeIgnored", "min_overlap: 0", .5, .1, 0, ""},
        Case{"FiguresAreThoseAtGateK", "gate_k: 10", .5, .1, .05,
             "recall@10 is 0.1000"},
        Case{"AnotherGateKPasses", "gate_k: 10", .1, .5, .05, ""},
        Case{"NothingFound", "min_overlap: 0", 0, 0, 0, "most popular"}),
    [](const auto& info) { return info.param.name; });

TEST(PublishGateReportTest, WithoutFiguresNothingPasses) {
  EXPECT_THAT(CheckPublishGate({}, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("not published")));
}

}  // namespace
}  // namespace segue
