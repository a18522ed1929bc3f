#include "tests/trainer/report/full_report.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"

namespace segue::testing {
namespace {

constexpr char kRun[] = R"pb(
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
    duplicate_events: 4
    dropped_users: 21
    dropped_events: 63
    items_without_row: 5
    split: "leave one out"
  }
  training {
    examples_per_second: 4321
    examples_per_epoch: 974848
    steps: 1428
    epochs: 3
    best_epoch: 2
    seconds: 678
    loss: [ 7.5, 6.25, 5.125 ]
    validation_recall: [ 0.21, 0.25, 0.24 ]
    epoch_seconds: [ 230, 225, 223 ]
    loss_kind: "softmax over all items"
    temperature: 0.0625
  }
  index {
    description: "IVF256_HNSW32,PQ64x4fs,Refine(SQ8)"
    nprobe: 24
    k_factor: 10
    bytes: 12500000
    build_seconds: 3.5
    tuned_overlap: 0.972
    trials { nprobe: 8 k_factor: 10 overlap: 0.88 microseconds_per_query: 45 }
    trials { nprobe: 16 k_factor: 10 overlap: 0.94 microseconds_per_query: 70 }
    trials { nprobe: 24 k_factor: 10 overlap: 0.972 microseconds_per_query: 99 }
    trials { nprobe: 24 k_factor: 4 overlap: 0.955 microseconds_per_query: 84 }
  }
  library_versions { key: "faiss" value: "1.7.3 (AVX2)" }
  library_versions { key: "libtorch" value: "1.13.1" }
  seed: 11
  config: "seed: 11 model { learn_temperature: true temperature: 0.05 } events { path: \"data/ml-1m/events.csv.gz\" } items { path: \"data/ml-1m/items.csv.gz\" } split { kind: LEAVE_ONE_OUT } training { epochs: 3 validation_k: 20 }"
)pb";

constexpr char kExamples[] = R"pb(
  examples {
    user: "u17"
    history { id: "1193" display: "Blue Train" display: "John Coltrane" }
    history { id: "661" display: "So What" display: "Miles Davis" }
    target { id: "914" display: "Naima" display: "John Coltrane" }
    answers { id: "55" display: "Freddie" display: "Miles Davis" score: 0.91 }
    answers { id: "914" display: "Naima" display: "John Coltrane" score: 0.87 }
    target_rank: 2
  }
  examples {
    user: "u18"
    history { id: "7" }
    target { id: "8" }
    answers { id: "9" score: 0.5 }
  }
)pb";

void AddSlice(const std::string& dimension, const std::string& label,
              double recall, v1::SplitReport& test) {
  v1::SliceReport& slice = *test.add_slices();
  slice.set_dimension(dimension);
  slice.set_label(label);
  slice.set_queries(1234);
  *slice.mutable_exact() = Ranking(recall);
  for (const auto& [name, share] :
       {std::pair{"popularity", 0.25}, std::pair{"item_knn", 0.5}}) {
    v1::SliceBaseline& baseline = *slice.add_baselines();
    baseline.set_name(name);
    for (const char* k : {"10", "100"}) {
      (*baseline.mutable_recall())[k] = share * slice.exact().recall().at(k);
    }
  }
}

v1::SplitReport FullTest() {
  v1::SplitReport test;
  test.set_queries(5321);
  test.set_users(5300);
  test.set_items(3416);
  test.set_unseen_items(4);
  *test.mutable_exact() = Ranking(0.6);
  *test.mutable_ann() = Ranking(0.59);
  v1::Baselines& baselines = *test.mutable_baselines();
  *baselines.mutable_popularity() = Ranking(0.2);
  *baselines.mutable_recent_popularity() = Ranking(0.25);
  *baselines.mutable_item_knn() = Ranking(0.4);
  *baselines.mutable_transitions() = Ranking(0.35);
  for (const auto& [k, recall] : test.exact().recall()) {
    (*test.mutable_ann()->mutable_overlap())[k] = 0.98;
    (*test.mutable_ann_recall_ratio())[k] = 0.9875;
    v1::Interval& interval = (*test.mutable_ann_recall_ratio_interval())[k];
    interval.set_low(0.97);
    interval.set_high(1.01);
  }
  AddSlice("history length", "1-5", 0.5, test);
  AddSlice("history length", "6-20", 0.7, test);
  AddSlice("item popularity", "top 1 %", 0.9, test);
  AddSlice("item popularity", "the rest", 0.3, test);
  AddSlice("new user", "yes", 0.2, test);
  AddSlice("new item", "yes", 0.1, test);
  return test;
}

}  // namespace

v1::RankingReport Ranking(double recall) {
  v1::RankingReport report;
  for (int k : {5, 10, 30, 50, 100, 300, 500, 1000}) {
    const std::string key = absl::StrCat(k);
    const double share = 0.1 + 0.3 * std::log10(k);
    const auto add = [&](double value, auto& means, auto& intervals) {
      means[key] = value;
      intervals[key].set_low(value - 0.01);
      intervals[key].set_high(value + 0.01);
    };
    add(recall * share, *report.mutable_recall(),
        *report.mutable_recall_interval());
    add(recall * share / 2, *report.mutable_ndcg(),
        *report.mutable_ndcg_interval());
    (*report.mutable_hit_rate())[key] = recall * share + 0.003;
    (*report.mutable_coverage())[key] = share / 2;
    (*report.mutable_popularity_rank())[key] = 0.1 + share / 10;
  }
  report.set_mrr(recall / 4);
  report.mutable_mrr_interval()->set_low(recall / 4 - 0.01);
  report.mutable_mrr_interval()->set_high(recall / 4 + 0.01);
  return report;
}

v1::Report FullReport() {
  using google::protobuf::TextFormat;
  v1::Report report;
  EXPECT_TRUE(TextFormat::ParseFromString(kRun, &report));
  EXPECT_TRUE(
      TextFormat::ParseFromString(kExamples, report.mutable_evaluation()));
  *report.mutable_evaluation()->mutable_test() = FullTest();
  return report;
}

}  // namespace segue::testing
