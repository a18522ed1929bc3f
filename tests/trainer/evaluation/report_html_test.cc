#include "trainer/evaluation/report_html.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "trainer/evaluation/ranked_lists.h"

namespace segue {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

v1::RankingReport Ranking(double recall) {
  v1::RankingReport report;
  for (int32_t k : kReportDepths) {
    const std::string key = absl::StrCat(k);
    (*report.mutable_recall())[key] = recall;
    (*report.mutable_ndcg())[key] = recall / 2;
    (*report.mutable_recall_interval())[key].set_low(recall - 0.01);
    (*report.mutable_recall_interval())[key].set_high(recall + 0.01);
    (*report.mutable_ndcg_interval())[key].set_low(recall / 2 - 0.001);
    (*report.mutable_ndcg_interval())[key].set_high(recall / 2 + 0.001);
  }
  return report;
}

v1::Report FullReport() {
  v1::Report report;
  const bool parsed = google::protobuf::TextFormat::ParseFromString(
      R"pb(
        bundle_version: "20260131T235959Z-0123456789ab"
        dataset {
          users: 6040
          items: 3416
          events: 999611
          training_events: 987531
          items_in_training: 3412
          event_rows: 1000209
          filtered_rows: 598
          null_rows: 17
        }
        training {
          examples_per_second: 4321
          epochs: 5
          best_epoch: 3
          seconds: 678
          loss: [ 7.5, 6.25, 5.125 ]
        }
        index {
          description: "IVF256_HNSW32,PQ64x4fs,Refine(SQ8)"
          nprobe: 24
          k_factor: 10
          bytes: 12500000
          build_seconds: 3.5
        })pb",
      &report);
  EXPECT_TRUE(parsed);
  v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
  test.set_queries(5321);
  *test.mutable_exact() = Ranking(0.2344);
  *test.mutable_ann() = Ranking(0.2111);
  (*test.mutable_ann()->mutable_overlap())["100"] = 0.876;
  *test.mutable_baselines()->mutable_popularity() = Ranking(0.0789);
  return report;
}

// What is wrong with the elements of a page: brackets that are of no tag, tags
// that are closed in another order than they were opened, or never.
std::vector<std::string> Faults(absl::string_view html) {
  std::vector<std::string> open, faults;
  absl::ConsumePrefix(&html, "<!doctype html>");
  while (true) {
    const size_t at = html.find_first_of("<>");
    if (at == absl::string_view::npos) break;
    const size_t end = html.find_first_of("<>", at + 1);
    const absl::string_view tag = html.substr(at + 1, end - at - 1);
    if (html[at] == '>' || end == absl::string_view::npos || html[end] == '<') {
      faults.push_back(absl::StrCat("stray bracket before ", tag));
      html.remove_prefix(at + 1);
      continue;
    }
    html.remove_prefix(end + 1);
    const std::string name(tag.substr(0, tag.find(' ')));
    if (name == "meta" || absl::EndsWith(tag, "/")) continue;
    if (!absl::StartsWith(name, "/")) {
      open.push_back(name);
    } else if (!open.empty() && "/" + open.back() == name) {
      open.pop_back();
    } else {
      faults.push_back(name);
    }
  }
  faults.insert(faults.end(), open.begin(), open.end());
  return faults;
}

TEST(FaultsTest, AreSeen) {
  EXPECT_THAT(Faults("<p>1 < 2</p>"), SizeIs(1));
  EXPECT_THAT(Faults("<p>1 > 2</p>"), SizeIs(1));
  EXPECT_THAT(Faults("<p><b></p></b>"), Not(IsEmpty()));
  EXPECT_THAT(Faults("<p a=\"1\"><br/>"), ElementsAre("p"));
}

TEST(ReportHtmlTest, IsWellFormed) {
  const std::string html = ReportToHtml(FullReport());
  EXPECT_THAT(html, StartsWith("<!doctype html>\n<html"));
  EXPECT_THAT(html, EndsWith("</html>\n"));
  EXPECT_THAT(Faults(html), IsEmpty());
}

TEST(ReportHtmlTest, LoadsNothingFromElsewhere) {
  EXPECT_THAT(ReportToHtml(FullReport()),
              AllOf(Not(HasSubstr("http")), Not(HasSubstr("src=")),
                    Not(HasSubstr("<link")), Not(HasSubstr("<script"))));
}

TEST(ReportHtmlTest, HoldsTheFigures) {
  const std::string html = ReportToHtml(FullReport());
  for (const char* figure :
       {"20260131T235959Z-0123456789ab", "6040",
        "3416, 3412 of them in training", "999611, 987531 of them for training",
        "1000209, 598 filtered, 17 with nulls", "5, published: 3", "678 s",
        "4321 examples/s", "from 7.5000 to 5.1250", "Test, 5321 queries",
        "0.2344 <small>0.2244&ndash;0.2444</small>",
        "0.1172 <small>0.1162&ndash;0.1182</small>", "0.2111", "0.876",
        "0.0789", "IVF256_HNSW32,PQ64x4fs,Refine(SQ8)", "24, 10", "12.5 MB",
        "3.5 s"}) {
    EXPECT_THAT(html, HasSubstr(figure));
  }
  for (int32_t k : kReportDepths) {
    EXPECT_THAT(html, HasSubstr(absl::StrCat("<tr><td>", k, "</td>")));
  }
}

TEST(ReportHtmlTest, TextFromOutsideIsEscaped) {
  v1::Report report = FullReport();
  report.set_bundle_version("<script>alert(1)</script>");
  report.mutable_index()->set_description("Flat<img src=x> & \"more\"");
  const std::string html = ReportToHtml(report);
  EXPECT_THAT(html, AllOf(HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"),
                          HasSubstr("Flat&lt;img src=x&gt; &amp; \"more\""),
                          Not(HasSubstr("<script")), Not(HasSubstr("<img"))));
  EXPECT_THAT(Faults(html), IsEmpty());
}

TEST(ReportHtmlTest, SaysWhereTheBaselineIsNotBeaten) {
  v1::Report report = FullReport();
  EXPECT_THAT(ReportToHtml(report), Not(HasSubstr("does not beat")));
  v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
  *test.mutable_baselines()->mutable_popularity() = Ranking(0.3);
  EXPECT_THAT(ReportToHtml(report), HasSubstr("does not beat"));
}

TEST(ReportHtmlTest, LossIsDrawnFromHighToLow) {
  v1::Report report = FullReport();
  EXPECT_THAT(ReportToHtml(report),
              HasSubstr("points=\"10.0,10.0 300.0,83.7 590.0,150.0 \""));
  // One epoch is no line; a loss that does not move is a level one.
  report.mutable_training()->clear_loss();
  report.mutable_training()->add_loss(1);
  EXPECT_THAT(ReportToHtml(report), Not(HasSubstr("<svg")));
  report.mutable_training()->add_loss(1);
  EXPECT_THAT(ReportToHtml(report),
              HasSubstr("points=\"10.0,150.0 590.0,150.0 \""));
}

TEST(ReportHtmlTest, ReportWithoutFiguresIsAPageToo) {
  const std::string html = ReportToHtml(v1::Report());
  EXPECT_THAT(html, HasSubstr("Test, 0 queries"));
  EXPECT_THAT(Faults(html), IsEmpty());
}

}  // namespace
}  // namespace segue
