#include "trainer/report/comparison.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/trainer/report/full_report.h"

namespace segue {
namespace {

using ::segue::testing::FullReport;
using ::segue::testing::Ranking;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// The row called `name`, as "text note" from the first run on.
std::vector<std::string> RowOf(const std::vector<TableRow>& rows,
                               const std::string& name) {
  std::vector<std::string> cells;
  for (const TableRow& row : rows) {
    if (row[0].text != name) continue;
    for (size_t i = 1; i < row.size(); ++i) {
      cells.push_back(row[i].text + "|" + row[i].note);
    }
  }
  return cells;
}

TEST(CompareFiguresTest, HasAColumnARun) {
  v1::Report other = FullReport();
  other.mutable_dataset()->set_users(7);
  v1::SplitReport& test = *other.mutable_evaluation()->mutable_test();
  *test.mutable_baselines()->mutable_popularity() = Ranking(0.9);
  test.add_lost_to("popularity");
  test.clear_slices();
  other.mutable_training()->clear_loss_kind();
  const auto rows = CompareFigures({{"a", FullReport()}, {"b", other}});
  const auto expect = [&](const char* name, const char* a, const char* b) {
    EXPECT_THAT(RowOf(rows, name), ElementsAre(a, b)) << name;
  };
  expect("users", "6,040|", "7|");
  expect("split", "leave one out|", "leave one out|");
  expect("epochs", "3|published: 2", "3|published: 2");
  expect("training time", "678 s (11 min 18 s)|", "678 s (11 min 18 s)|");
  expect("examples/s", "4,321|", "4,321|");
  expect("recall@10", "0.2400|[0.2300, 0.2500]", "0.2400|[0.2300, 0.2500]");
  expect("recall@100", "0.4200|[0.4100, 0.4300]", "0.4200|[0.4100, 0.4300]");
  expect("NDCG@10", "0.1200|[0.1100, 0.1300]", "0.1200|[0.1100, 0.1300]");
  expect("best baseline @10", "0.1600|item kNN", "0.3600|most popular");
  expect("best baseline @100", "0.2800|item kNN", "0.6300|most popular");
  expect("loses to", "no baseline|", "most popular|");
  expect("loss", "softmax over all items|", "softmax over the batch, logQ|");
  expect("loss, published epoch", "6.2500|", "6.2500|");
  expect("temperature", "0.0625|", "0.0625|");
  expect("items not in training", "4|queries: 1,234", "4|queries: 0");
  expect("recall@10 of these", "0.0400|[0.0300, 0.0500]", "-|");
  expect("recall@100 of these", "0.0700|[0.0600, 0.0800]", "-|");
  expect("index/exact recall@100", "0.9875|[0.9700, 1.0100]",
         "0.9875|[0.9700, 1.0100]");
  expect("index size", "12.5 MB|3659 bytes an item",
         "12.5 MB|3659 bytes an item");
  expect("coverage@10", "0.2000|", "0.2000|");
}

TEST(CompareFiguresTest, WhatAReportLacksIsADash) {
  for (const TableRow& row : CompareFigures({{"old", v1::Report()}})) {
    ASSERT_THAT(row, SizeIs(2));
    EXPECT_EQ(row[1].text, "-") << row[0].text;
    EXPECT_EQ(row[1].note, "") << row[0].text;
  }
}

TEST(CompareConfigsTest, ShowsOnlyWhatDiffers) {
  std::vector<RunReport> runs(3);
  runs[0].report.set_config("run_dir: \"a\" training { epochs: 30 }");
  runs[1].report.set_config(
      "run_dir: \"b\" training { learning_rate: 0.01 } model { layers: 8 }");
  const auto rows = CompareConfigs(runs);
  EXPECT_THAT(rows, SizeIs(2)) << "30 epochs are the default";
  EXPECT_THAT(RowOf(rows, "training.learning_rate"),
              ElementsAre("0.001|", "0.01|", "-|"));
  EXPECT_THAT(RowOf(rows, "model.layers[0]"), ElementsAre("-|", "8|", "-|"));
  runs.erase(runs.begin() + 1);
  EXPECT_THAT(CompareConfigs(runs), IsEmpty()) << "one is not known";
}

TEST(ComparisonToTextTest, ColumnsAreAligned) {
  v1::Report other = FullReport();
  other.set_config("seed: 12");
  const std::string text =
      ComparisonToText({{"runs/a", FullReport()}, {"runs/b", other}});
  const size_t column = text.find("runs/b");
  ASSERT_NE(column, std::string::npos);
  size_t begin = 0;
  for (const std::string figure : {"0.2400 [0.2300, 0.2500]", "12\n"}) {
    begin = text.rfind(figure);
    ASSERT_NE(begin, std::string::npos) << figure;
    EXPECT_EQ(begin - text.rfind('\n', begin) - 1, column) << text;
  }
  EXPECT_THAT(text, HasSubstr("  3 (published: 2)"));
  EXPECT_THAT(text, Not(HasSubstr(" \n")));
}

}  // namespace
}  // namespace segue
