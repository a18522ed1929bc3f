#include "trainer/report/report_html.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "tests/testing/status_matchers.h"
#include "tests/trainer/report/full_report.h"
#include "trainer/report/assets.h"

namespace segue {
namespace {

using ::segue::testing::FullReport;
using ::segue::testing::IsOk;
using ::segue::testing::Ranking;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kHostile[] = "</script></style><img src=x onerror=alert(1)>\"'";

// The page without the files that are the same in each.
std::string WithoutAssets(absl::string_view page) {
  return absl::StrReplaceAll(page, {{assets::ChartJs(), ""},
                                    {assets::ChartsJs(), ""},
                                    {assets::PageJs(), ""},
                                    {assets::PageCss(), ""}});
}

std::string PageOf(const v1::Report& report) {
  const auto page = ReportToHtml(report);
  EXPECT_THAT(page, IsOk());
  return page.value_or("");
}

std::string PageOf(const std::vector<RunReport>& runs) {
  const auto page = ComparisonToHtml(runs);
  EXPECT_THAT(page, IsOk());
  return page.value_or("");
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

void AddSliceOfLength(v1::SplitReport& test) {
  v1::SliceReport& slice = *test.add_slices();
  slice.set_dimension("history length");
  slice.set_label("1-5");
  *slice.mutable_exact() = Ranking(0.5);
}

TEST(FaultsTest, AreSeen) {
  EXPECT_THAT(Faults("<p>1 < 2</p>"), SizeIs(1));
  EXPECT_THAT(Faults("<p>1 > 2</p>"), SizeIs(1));
  EXPECT_THAT(Faults("<p><b></p></b>"), Not(IsEmpty()));
  EXPECT_THAT(Faults("<p a=\"1\"><br/>"), ElementsAre("p"));
}

TEST(ReportHtmlTest, IsWellFormed) {
  const std::string html = PageOf(FullReport());
  EXPECT_THAT(html, StartsWith("<!doctype html>\n<html"));
  EXPECT_THAT(html, EndsWith("</html>\n"));
  EXPECT_THAT(Faults(WithoutAssets(html)), IsEmpty());
}

TEST(ReportHtmlTest, HoldsTheLibraryAndLoadsNothing) {
  const std::string html = PageOf(FullReport());
  EXPECT_THAT(html, AllOf(HasSubstr(assets::ChartJs()),
                          HasSubstr("default-src 'none'")));
  const std::string rest = WithoutAssets(html);
  for (const absl::string_view ours :
       {assets::ChartsJs(), assets::PageJs(), assets::PageCss(),
        absl::string_view(rest)}) {
    EXPECT_THAT(ours, AllOf(Not(HasSubstr("http:")), Not(HasSubstr("https:")),
                            Not(HasSubstr("src=")), Not(HasSubstr("<link")),
                            Not(HasSubstr("url(")), Not(HasSubstr("@import")),
                            Not(HasSubstr("innerHTML"))));
  }
}

TEST(ReportHtmlTest, NoAssetEndsItsElement) {
  for (const absl::string_view script :
       {assets::ChartJs(), assets::ChartsJs(), assets::PageJs()}) {
    EXPECT_FALSE(absl::StrContains(absl::AsciiStrToLower(script), "</script"));
    EXPECT_FALSE(absl::StrContains(script, "<!--"));
  }
  EXPECT_FALSE(absl::StrContains(assets::PageCss(), "<"));
}

TEST(ReportHtmlTest, HasEverySectionAndChart) {
  const std::string html = PageOf(FullReport());
  for (const char* id : {"data", "training", "test", "slices", "index",
                         "answers", "examples", "config"}) {
    EXPECT_THAT(html, HasSubstr(absl::StrCat("<section id=\"", id, "\">")));
    EXPECT_THAT(html, HasSubstr(absl::StrCat("<a href=\"#", id, "\">")));
  }
  for (const char* chart : {"loss", "validation", "recall", "ndcg", "slices",
                            "kept", "trials", "coverage", "popularity"}) {
    EXPECT_THAT(html, HasSubstr(absl::StrCat("data-chart=\"", chart, "\"")));
  }
  for (const char* dimension : {"history length", "item popularity"}) {
    EXPECT_THAT(html, HasSubstr(absl::StrCat("data-part=\"", dimension, "\"")));
  }
  EXPECT_THAT(html, Not(HasSubstr("data-part=\"new item\""))) << "of one bar";
}

TEST(ReportHtmlTest, HoldsTheFiguresWithoutScripts) {
  const std::string html = PageOf(FullReport());
  for (const char* figure :
       {"<code>20260131T235959Z-0123456789ab</code>",
        "<td>6,040</td>",
        "3,416 <small>3,412 in training",
        "999,611 <small>987,531 for training",
        "1,000,209, of which 598 filtered, 17 with nulls, 4 twice the same",
        "data/ml-1m/events.csv.gz",
        "data/ml-1m/items.csv.gz",
        "leave one out",
        "21 <small>63 events",
        "3 <small>published: 2",
        "678 s (11 min 18 s)",
        "4,321 examples/s",
        "Validation recall@20",
        "<td>7.5000</td>",
        "5,321 queries of 5,300 users",
        "0.2400 <small>[0.2300, 0.2500]",
        "0.4200 <small>[0.4100, 0.4300]",
        "item kNN",
        "most popular of late",
        "transitions",
        "<td>0.2430</td>",
        "0.9875 <small>[0.9700, 1.0100]",
        "top 1 %",
        "IVF256_HNSW32,PQ64x4fs,Refine(SQ8)",
        "24, 10",
        "12.5 MB <small>3659 bytes an item",
        "3.5 s",
        "nprobe 24, k_factor 10 <small>chosen",
        "1.7.3 (AVX2)",
        "<td>11</td>",
        "validation_k: 20",
        "&quot;data/ml-1m/items.csv.gz&quot;</td>",
        "softmax over all items",
        "<td>6.2500 nats</td>",
        "0.0625 <small>learnt, from 0.05"}) {
    EXPECT_THAT(html, HasSubstr(figure));
  }
}

TEST(ReportHtmlTest, SlicesStandBesideTheBestBaseline) {
  v1::Report report = FullReport();
  EXPECT_THAT(
      PageOf(report),
      HasSubstr("<th scope=\"row\">item popularity: top 1 %</th>"
                "<td>1,234</td><td>0.3600 <small>[0.3500, 0.3700]"
                "</small></td><td>0.1800 <small>item kNN</small></td>"));
  v1::SliceReport& slice =
      *report.mutable_evaluation()->mutable_test()->mutable_slices(2);
  (*slice.mutable_baselines(0)->mutable_recall())["10"] = 0.9;
  EXPECT_THAT(PageOf(report), HasSubstr("<td class=\"bad\">0.9000 "
                                        "<small>most popular</small></td>"));
}

TEST(ReportHtmlTest, ItemsNotSeenInTrainingHaveTheirOwnFigures) {
  v1::Report report = FullReport();
  const std::string html = PageOf(report);
  for (const char* figure :
       {"4 of 3,416 items <small>0.1 %", "1,234 of 5,321",
        "<th scope=\"row\">new item</th><td>1,234</td>",
        "recall@10</th><td>0.0400 <small>[0.0300, 0.0500]",
        "recall@10, best baseline</th><td>0.0200 <small>item kNN",
        "recall@100 of answers by chance</th><td>0.0293",
        "recall@100, items not in training</dt><dd>0.0700"}) {
    EXPECT_THAT(html, HasSubstr(figure));
  }
  // Baselines that find nothing.
  v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
  for (v1::SliceBaseline& baseline :
       *test.mutable_slices(5)->mutable_baselines()) {
    (*baseline.mutable_recall())["10"] = 0;
  }
  EXPECT_THAT(PageOf(report),
              HasSubstr("recall@10, best baseline</th><td>0.0000</td>"));
  test.clear_slices();
  AddSliceOfLength(test);
  EXPECT_THAT(PageOf(report),
              AllOf(HasSubstr("<td>0 of 5,321</td>"),
                    Not(HasSubstr("recall@10, best baseline"))));
}

TEST(ReportHtmlTest, ExamplesAreReadByTitleOrElseById) {
  const std::string html = PageOf(FullReport());
  EXPECT_THAT(
      html,
      AllOf(HasSubstr("User u17"), HasSubstr("Blue Train - John Coltrane"),
            HasSubstr("<li class=\"hit\" title=\"914\">Naima - John Coltrane "
                      "<small>0.870</small> <strong>chosen</strong>"),
            HasSubstr("</strong>, ranked 2</p>"),
            HasSubstr("<li title=\"7\">7</li>"),
            HasSubstr("<strong>8</strong>, not found")));
}

TEST(ReportHtmlTest, TextFromOutsideIsInert) {
  v1::Report report = FullReport();
  report.set_bundle_version(kHostile);
  report.mutable_index()->set_description(kHostile);
  report.set_config(absl::StrCat("# ", kHostile));
  (*report.mutable_library_versions())[kHostile] = kHostile;
  v1::ExampleReport& example =
      *report.mutable_evaluation()->mutable_examples(0);
  example.set_user(kHostile);
  example.mutable_target()->set_id(kHostile);
  example.mutable_answers(0)->set_id(kHostile);
  example.mutable_answers(0)->set_display(0, kHostile);
  example.mutable_history(0)->set_display(1, kHostile);
  v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
  test.add_lost_to(kHostile);
  test.mutable_slices(0)->set_dimension(kHostile);
  test.mutable_slices(0)->set_label(kHostile);
  const std::string html = WithoutAssets(PageOf(report));
  EXPECT_THAT(html, HasSubstr("&lt;/script&gt;&lt;/style&gt;&lt;img src=x"));
  EXPECT_THAT(html, AllOf(Not(HasSubstr("<img")), Not(HasSubstr("</style><")),
                          HasSubstr(" title=\"&lt;/script&gt;"),
                          HasSubstr("\\u003c/script")))
      << "in tags, in attributes, in JSON";
  EXPECT_THAT(Faults(html), IsEmpty());
}

TEST(ReportHtmlTest, BaselinesThatWinAreRed) {
  v1::Report report = FullReport();
  const std::string fine = PageOf(report);
  EXPECT_THAT(WithoutAssets(fine), Not(HasSubstr("class=\"bad\"")));
  v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
  *test.mutable_baselines()->mutable_item_knn() = Ranking(0.8);
  test.add_lost_to("item_knn");
  test.add_lost_to("transitions");
  EXPECT_THAT(
      PageOf(report),
      AllOf(HasSubstr("<p class=\"bad\" role=\"alert\">The model loses to: "
                      "item kNN, transitions"),
            HasSubstr("<td class=\"bad\">0.3200")));
  EXPECT_THAT(assets::PageCss(), HasSubstr("--bad: #b00020"));
}

TEST(ReportHtmlTest, WhatTheReportLacksIsLeftOut) {
  const std::string html = WithoutAssets(PageOf(v1::Report()));
  EXPECT_THAT(html, AllOf(Not(HasSubstr("<section")), Not(HasSubstr("<h2")),
                          Not(HasSubstr("<canvas")),
                          Not(HasSubstr("class=\"tiles\""))));
  EXPECT_THAT(Faults(html), IsEmpty());
}

TEST(ReportHtmlTest, OlderReportKeepsItsFiguresAndHasNoEmptyCharts) {
  v1::Report report;
  report.mutable_training()->set_epochs(1);
  report.mutable_training()->add_loss(3);
  v1::SplitReport& test = *report.mutable_evaluation()->mutable_test();
  (*test.mutable_exact()->mutable_recall())["10"] = 0.25;
  (*test.mutable_baselines()->mutable_popularity()->mutable_recall())["10"] =
      0.125;
  const std::string html = PageOf(report);
  EXPECT_THAT(html, AllOf(HasSubstr("<td>0.2500</td><td>-</td>"),
                          HasSubstr("<td>0.1250</td><td>-</td>")));
  EXPECT_THAT(
      html,
      AllOf(Not(HasSubstr("id=\"slices\"")), Not(HasSubstr("id=\"examples\"")),
            Not(HasSubstr("id=\"answers\"")), Not(HasSubstr("id=\"index\"")),
            Not(HasSubstr("data-chart=\"loss\""))));
}

TEST(ComparisonHtmlTest, OverlaysTheRuns) {
  const std::string html =
      PageOf({{"runs/mean", FullReport()}, {"runs/hstu", FullReport()}});
  EXPECT_THAT(html, AllOf(HasSubstr("data-name=\"runs/mean\""),
                          HasSubstr("data-name=\"runs/hstu\""),
                          HasSubstr("<th scope=\"col\">runs/hstu</th>")));
  EXPECT_THAT(html, HasSubstr("<td class=\"long\">IVF256_HNSW32,PQ64x4fs"))
      << "long texts wrap";
  for (const char* chart : {"loss", "validation", "recall", "ndcg", "coverage",
                            "popularity", "kept", "trials", "bytes"}) {
    EXPECT_THAT(html, HasSubstr(absl::StrCat("data-chart=\"", chart, "\"")));
  }
  EXPECT_THAT(Faults(WithoutAssets(html)), IsEmpty());
}

TEST(ComparisonHtmlTest, NamesAreInertAndReportsMayBeEmpty) {
  const std::string html =
      WithoutAssets(PageOf({{kHostile, v1::Report()}, {"b", v1::Report()}}));
  EXPECT_THAT(html, AllOf(Not(HasSubstr("<img")), Not(HasSubstr("<canvas"))));
  EXPECT_THAT(Faults(html), IsEmpty());
}

}  // namespace
}  // namespace segue
