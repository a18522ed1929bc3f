#include "server/metrics/metrics.h"

#include <algorithm>

#include "prometheus/text_serializer.h"
#include "server/base/process.h"

namespace segue {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using Buckets = std::vector<double>;

constexpr std::array<const char*, 4> kMethodNames = {
    "Retrieve", "BatchRetrieve", "SimilarItems", "DescribeItems"};

constexpr std::array<const char*, 11> kOutcomeNames = {
    "success",        "missing",       "not_allowed", "untrusted",
    "corrupt",        "incompatible",  "too_large",   "over_memory",
    "warm_up_failed", "wrong_answers", "error"};

// Of Stage.
constexpr std::array<const char*, 7> kStageNames = {
    "decode", "queue", "resolve", "filter", "embed", "refine", "encode"};

// Of v1::FoundBy, from INDEX on.
constexpr std::array<const char*, 4> kWayNames = {"index", "more_candidates",
                                                  "cells", "exact"};

// Of FilterClass: at least so much is left.
constexpr std::array<const char*, 5> kFilterClassNames = {
    "none", "10_percent", "1_percent", "0.1_percent", "less"};

// The codes that README.md documents; others count as INTERNAL.
constexpr std::array<absl::StatusCode, 8> kDocumentedCodes = {
    absl::StatusCode::kOk,
    absl::StatusCode::kCancelled,
    absl::StatusCode::kInvalidArgument,
    absl::StatusCode::kDeadlineExceeded,
    absl::StatusCode::kNotFound,
    absl::StatusCode::kResourceExhausted,
    absl::StatusCode::kUnavailable,
    absl::StatusCode::kInternal};

// Of Shed.
constexpr std::array<const char*, 2> kShedNames = {"queue_full", "deadline"};

// 5 us to 2.5 s: to decode takes microseconds, a forward pass tens of them, a
// search up to milliseconds, and what lies above is trouble.
Buckets LatencyBuckets() {
  return {0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025,
          0.0005,   0.001,   0.0025,   0.005,   0.01,   0.025,
          0.05,     0.1,     0.25,     0.5,     1,      2.5};
}

prometheus::Family<Gauge>& GaugeFamily(prometheus::Registry& registry,
                                       const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

}  // namespace

absl::string_view MethodName(Method method) {
  return kMethodNames[static_cast<int>(method)];
}

absl::string_view OutcomeName(ReloadOutcome outcome) {
  return kOutcomeNames[static_cast<int>(outcome)];
}

Metrics::Metrics()
    : seconds_("segue_request_duration_seconds",
               "stage=decode, queue, encode: of a call; stage=resolve, filter: "
               "of one query; stage=embed: one forward pass; stage=search: "
               "one search, by how it found its answer, and its part "
               "stage=refine; stage=total: a call, from its arrival to its "
               "answer."),
      embed_batch_("segue_embed_batch_queries",
                   "Queries embedded in one forward pass."),
      overlap_("segue_live_overlap",
               "Share of the exact answer that a sample of answers has, by "
               "the share of the items that its filter leaves at least."),
      shadow_overlaps_("segue_shadow_overlap",
                       "Share of a live answer's items that the shadow's "
                       "answer to a copy of the query has."),
      shadow_shifts_("segue_shadow_score_shift",
                     "The shadow's mean score less the live one, over the "
                     "items of both answers."),
      shadow_seconds_("segue_shadow_duration_seconds",
                      "Processor time of embedding and searching a copy that "
                      "both answered, by bundle.") {
  auto& requests = prometheus::BuildCounter()
                       .Name("segue_requests_total")
                       .Help("Finished calls, by method and gRPC code.")
                       .Register(registry_);
  for (int m = 0; m < kMethods; ++m) {
    for (absl::StatusCode code : kDocumentedCodes) {
      requests_[m][static_cast<int>(code)] =
          &requests.Add({{"method", kMethodNames[m]},
                         {"code", absl::StatusCodeToString(code)}});
    }
    total_seconds_[m] = &seconds_.Add(
        {{"stage", "total"}, {"method", kMethodNames[m]}}, LatencyBuckets());
  }
  for (int i = 0; i < kStages; ++i) {
    stage_seconds_[i] =
        &seconds_.Add({{"stage", kStageNames[i]}}, LatencyBuckets());
  }
  for (int way = 0; way < kWays; ++way) {
    search_seconds_[way] = &seconds_.Add(
        {{"stage", "search"}, {"found_by", kWayNames[way]}}, LatencyBuckets());
  }
  embed_queries_ = &embed_batch_.Add({}, Buckets{1, 2, 4, 8, 16, 32, 64, 128});
  unknown_history_ =
      &prometheus::BuildCounter()
           .Name("segue_unknown_history_ids_total")
           .Help("Ids of histories and seed items not in the catalogue.")
           .Register(registry_)
           .Add({});
  auto& shed = prometheus::BuildCounter()
                   .Name("segue_requests_shed_total")
                   .Help(
                       "Calls refused because too many waited, or because they "
                       "would have missed their deadline while they waited.")
                   .Register(registry_);
  for (int i = 0; i < kSheds; ++i) {
    shed_[i] = &shed.Add({{"reason", kShedNames[i]}});
  }
  connections_refused_ =
      &prometheus::BuildCounter()
           .Name("segue_connections_refused_total")
           .Help("Clients hung up on because descriptors ran out.")
           .Register(registry_)
           .Add({});
  certificate_expiry_ = &GaugeFamily(
      registry_, "segue_tls_certificate_expiry_timestamp_seconds",
      "When the certificate that a listener shows expires; Unix time.");
  lowered_ = &prometheus::BuildCounter()
                  .Name("segue_effort_lowered_total")
                  .Help(
                      "Searches made for pressed_overlap, because requests "
                      "waited for long.")
                  .Register(registry_)
                  .Add({});
  for (int i = 0; i < kFilterClasses; ++i) {
    live_overlap_[i] = &overlap_.Add({{"filter", kFilterClassNames[i]}},
                                     Buckets{0.5, 0.7, 0.8, 0.85, 0.9, 0.925,
                                             0.95, 0.97, 0.98, 0.99, 0.9999});
  }
  live_overlap_dropped_ =
      &prometheus::BuildCounter()
           .Name("segue_live_overlap_dropped_total")
           .Help(
               "Samples that came faster than live_overlap_processor lets "
               "them be searched exactly.")
           .Register(registry_)
           .Add({});
  live_hit_labels_ =
      &prometheus::BuildCounter()
           .Name("segue_live_hit_labels_total")
           .Help(
               "Answers of at least k items whose user came back with another "
               "newest item, of a share of the users, by the version that gave "
               "them. Needs sticky routing: requests of one user reach one "
               "server.")
           .Register(registry_);
  live_hits_ = &prometheus::BuildCounter()
                    .Name("segue_live_hits_total")
                    .Help(
                        "Of segue_live_hit_labels_total, those that had that "
                        "item among the first k: hit@k is their ratio.")
                    .Register(registry_);
  effort_raised_ =
      &GaugeFamily(registry_, "segue_effort_raised_points",
                   "Points of the tuner's table that searches are above the "
                   "bundle's target, to keep min_live_overlap.")
           .Add({});
  AddShadowSeries();
  queue_length_ = &GaugeFamily(registry_, "segue_queue_length",
                               "Queries that wait for a worker.")
                       .Add({});
  bundle_info_ = &GaugeFamily(registry_, "segue_bundle_info",
                              "1 for the version that serves.");
  bundle_items_ =
      &GaugeFamily(registry_, "segue_bundle_items", "Items of the live bundle.")
           .Add({});
  bundle_bytes_ = &GaugeFamily(registry_, "segue_bundle_bytes",
                               "Bytes of the files that the bundle serves.")
                       .Add({});
  bundle_loaded_at_ =
      &GaugeFamily(registry_, "segue_bundle_loaded_timestamp_seconds",
                   "When the live bundle began to serve; Unix time.")
           .Add({});
  auto& reloads = prometheus::BuildCounter()
                      .Name("segue_bundle_reloads_total")
                      .Help("Attempts to load a bundle, by outcome.")
                      .Register(registry_);
  for (int i = 0; i < kOutcomes; ++i) {
    reloads_[i] = &reloads.Add({{"outcome", kOutcomeNames[i]}});
  }
  cpu_seconds_ = &prometheus::BuildCounter()
                      .Name("process_cpu_seconds_total")
                      .Help("Processor time, user and system.")
                      .Register(registry_)
                      .Add({});
  resident_bytes_ = &GaugeFamily(registry_, "process_resident_memory_bytes",
                                 "Resident memory.")
                         .Add({});
  open_descriptors_ =
      &GaugeFamily(registry_, "process_open_fds", "Open file descriptors.")
           .Add({});
  max_descriptors_ =
      &GaugeFamily(registry_, "process_max_fds", "File descriptors at most.")
           .Add({});
}

void Metrics::AddShadowSeries() {
  shadow_overlap_ = &shadow_overlaps_.Add(
      {},
      Buckets{0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.9999});
  shadow_shift_ = &shadow_shifts_.Add(
      {}, Buckets{-0.5, -0.2, -0.1, -0.05, -0.02, -0.01, -0.001, 0.001, 0.01,
                  0.02, 0.05, 0.1, 0.2, 0.5});
  compared_live_ = &shadow_seconds_.Add({{"bundle", "live"}}, LatencyBuckets());
  compared_shadow_ =
      &shadow_seconds_.Add({{"bundle", "shadow"}}, LatencyBuckets());
  shadow_failed_ = &prometheus::BuildCounter()
                        .Name("segue_shadow_failed_total")
                        .Help("Copies that the shadow answered with an error.")
                        .Register(registry_)
                        .Add({});
  shadow_dropped_ =
      &prometheus::BuildCounter()
           .Name("segue_shadow_dropped_total")
           .Help(
               "Copies that came faster than shadow_processor lets them be "
               "answered.")
           .Register(registry_)
           .Add({});
  shadow_info_ = &GaugeFamily(registry_, "segue_shadow_info",
                              "1 for the version that is the shadow.");
}

void Metrics::ObserveShadow(double overlap, Seconds live, Seconds shadow) {
  shadow_overlap_->Observe(overlap);
  compared_live_->Observe(live.count());
  compared_shadow_->Observe(shadow.count());
}

void Metrics::SetShadow(const std::string& version) {
  if (shadow_ != nullptr) shadow_info_->Remove(shadow_);
  shadow_ = nullptr;
  if (version.empty()) return;
  shadow_ = &shadow_info_->Add({{"version", version}});
  shadow_->Set(1);
}

void Metrics::CountRequest(Method method, absl::StatusCode code, Seconds took) {
  auto& by_code = requests_[static_cast<int>(method)];
  const size_t index = static_cast<size_t>(code);
  Counter* counter = index < by_code.size() ? by_code[index] : nullptr;
  if (counter == nullptr) {
    counter = by_code[static_cast<int>(absl::StatusCode::kInternal)];
  }
  counter->Increment();
  total_seconds_[static_cast<int>(method)]->Observe(took.count());
}

void Metrics::ObserveEmbed(int queries, Seconds took) {
  ObserveStage(Stage::kEmbed, took);
  embed_queries_->Observe(queries);
}

void Metrics::ObserveSearch(v1::FoundBy by, Seconds took) {
  const int way = std::max<int>(by - v1::INDEX, 0);
  search_seconds_[way]->Observe(took.count());
}

LiveHitCounters Metrics::AddLiveHits(const std::string& version) {
  LiveHitCounters counters;
  for (size_t i = 0; i < kLiveHitKs.size(); ++i) {
    const prometheus::Labels labels = {{"version", version},
                                       {"k", std::to_string(kLiveHitKs[i])}};
    counters.labels[i] = &live_hit_labels_->Add(labels);
    counters.hits[i] = &live_hits_->Add(labels);
  }
  return counters;
}

void Metrics::RemoveLiveHits(const LiveHitCounters& counters) {
  for (Counter* labels : counters.labels) live_hit_labels_->Remove(labels);
  for (Counter* hits : counters.hits) live_hits_->Remove(hits);
}

void Metrics::SetBundle(const std::string& version, int64_t items,
                        uint64_t bytes) {
  if (live_bundle_ != nullptr) bundle_info_->Remove(live_bundle_);
  live_bundle_ = &bundle_info_->Add({{"version", version}});
  live_bundle_->Set(1);
  bundle_items_->Set(static_cast<double>(items));
  bundle_bytes_->Set(static_cast<double>(bytes));
  bundle_loaded_at_->SetToCurrentTime();
}

void Metrics::ClearBundle() {
  if (live_bundle_ != nullptr) bundle_info_->Remove(live_bundle_);
  live_bundle_ = nullptr;
  bundle_items_->Set(0);
  bundle_bytes_->Set(0);
}

void Metrics::CountReload(ReloadOutcome outcome) {
  reloads_[static_cast<int>(outcome)]->Increment();
}

std::string Metrics::Text() {
  cpu_seconds_->Increment(CpuSeconds() - cpu_seconds_->Value());
  resident_bytes_->Set(static_cast<double>(ResidentBytes()));
  open_descriptors_->Set(static_cast<double>(OpenDescriptors()));
  max_descriptors_->Set(static_cast<double>(MaxDescriptors()));
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  for (const HistogramFamily* family :
       {&seconds_, &embed_batch_, &overlap_, &shadow_overlaps_, &shadow_shifts_,
        &shadow_seconds_}) {
    families.push_back(family->Collect());
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace segue
