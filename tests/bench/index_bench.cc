// index_bench: what searches of the index find, what they cost, and what other
// indexes do on the same vectors. bench.py runs it; each line that it prints is
// JSON.
#include <faiss/Index.h>
#include <faiss/index_io.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/index/faiss_index.h"
#include "core/index/faiss_support.h"
#include "core/index_build/index_builder.h"
#include "core/retrieval/serving_snapshot.h"
#include "tests/bench/index_data.h"
#include "tests/bench/index_filters.h"
#include "tests/bench/index_peers.h"
#include "tests/bench/index_timing.h"
#include "trainer/publish/bundle_files.h"

namespace segue::bench {
namespace {

// That an index is tuned to unless the configuration says otherwise.
constexpr double kTarget = 0.97;

struct Arguments {
  std::string bundle, requests, index, work = ".";
  int64_t items = 877168;
  int32_t queries = 300, repetitions = 3, threads = 2, k = 100;
  bool mapped = false;
};

// The most memory since the last call of ForgetPeak(), in units of 1e9 bytes.
double PeakSinceForgotten() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    double kilobytes = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %lf", &kilobytes) == 1) {
      return kilobytes * 1024 / 1e9;
    }
  }
  return 0;
}
void ForgetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

double ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

// Our index over the data, and what its building took.
struct Ours {
  BuiltIndex built;
  std::string path;
  std::unique_ptr<VectorIndex> index;
};

absl::StatusOr<Ours> BuildOurs(const Arguments& arguments,
                               const IndexData& data) {
  Ours ours{.path = arguments.work + "/bench.faiss"};
  v1::IndexConfig config;
  config.set_target_overlap(kTarget);
  // What is freed is given back, so that the peak is of what is in use.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  malloc_trim(0);
  ForgetPeak();
  const double before = ResidentBytes() / 1e9;
  const double start = Now();
  const auto progress = [](absl::string_view line) {
    std::fprintf(stderr, "%s; peak %.2f GB so far\n", std::string(line).c_str(),
                 PeakSinceForgotten());
  };
  ASSIGN_OR_RETURN(ours.built, BuildIndex({.dimension = data.dimension,
                                           .vectors = data.items,
                                           .queries = data.tuning,
                                           .config = config,
                                           .threads = arguments.threads,
                                           .progress = progress},
                                          ours.path));
  ASSIGN_OR_RETURN(ours.index,
                   LoadFaissIndex(ours.path, {.dimension = data.dimension,
                                              .size = data.size(),
                                              .effort = ours.built.effort}));
  Line("build", ours.built.description)
      .Add("seconds", Now() - start)
      .Add("construct_seconds", ours.built.construct_seconds)
      .Add("tune_seconds",
           ours.built.build_seconds - ours.built.construct_seconds)
      .Add("bytes_per_item", static_cast<double>(ours.built.bytes) /
                                 static_cast<double>(data.size()))
      .Add("vectors_gb", static_cast<double>(data.items.size()) * 4 / 1e9)
      .Add("resident_before_gb", before)
      .Add("peak_gb", PeakSinceForgotten())
      .Add("nprobe", ours.built.effort.nprobe)
      .Add("k_factor", ours.built.effort.k_factor)
      .Add("tuned_overlap", ours.built.overlap)
      .Add("lost_by_cells", ours.built.losses.cells)
      .Add("lost_by_codes", ours.built.losses.codes)
      .Add("lost_by_refinement", ours.built.losses.refinement)
      .Print();
  return ours;
}

Searches MeasurePeer(Peer& peer, int32_t setting, const IndexData& data,
                     const Lists& exact, int32_t k) {
  return Measure(data, exact, k, [&](absl::Span<const float> query) {
    return peer.Search(query.data(), k, setting);
  });
}

// The least setting that finds as much, or the last one.
int32_t LeastSetting(Peer& peer, const IndexData& data, const Lists& exact,
                     int32_t k, double overlap) {
  const std::vector<int32_t> settings = peer.Settings();
  for (const int32_t setting : settings) {
    if (MeasurePeer(peer, setting, data, exact, k).overlap >= overlap) {
      return setting;
    }
  }
  return settings.back();
}

// What is asked of the index, and what it answers.
struct Asked {
  int32_t k = 0;
  double target = 0;
  Lists exact;
  Answer answer;
};

absl::StatusOr<std::vector<Asked>> Questions(const Arguments& arguments,
                                             const IndexData& data,
                                             const Ours& ours) {
  std::vector<Asked> questions;
  for (const auto& [k, targets] :
       std::vector<std::pair<int32_t, std::vector<double>>>{
           {10, {.96, kTarget}}, {100, {.95, kTarget}}}) {
    ASSIGN_OR_RETURN(const Lists exact, ExactLists(data, k, arguments.threads));
    for (const double target : targets) {
      const SearchEffort effort = ours.built.efforts.Reach(k, target).effort;
      questions.push_back(
          {.k = k,
           .target = target,
           .exact = exact,
           .answer = AnswerOf(*ours.index, {.k = k, .effort = effort})});
    }
  }
  return questions;
}

// Ours and each peer in turns, at the overlap that ours has, and IndexFlatIP.
absl::Status RunSearch(const Arguments& arguments) {
  ASSIGN_OR_RETURN(
      const IndexData data,
      LoadIndexData(arguments.bundle, arguments.requests, arguments.items,
                    arguments.queries, arguments.threads));
  ASSIGN_OR_RETURN(const Ours ours, BuildOurs(arguments, data));
  ASSIGN_OR_RETURN(const std::vector<Asked> questions,
                   Questions(arguments, data, ours));
  for (const auto& peer : Peers()) {
    const double start = Now();
    peer->Build(data.items, data.dimension);
    const double seconds = Now() - start;
    for (const Asked& asked : questions) {
      const int32_t k = asked.k;
      const auto own = [&] {
        return Measure(data, asked.exact, k, asked.answer);
      };
      const int32_t setting =
          LeastSetting(*peer, data, asked.exact, k, own().overlap);
      const InTurns turns = MeasureInTurns(arguments.repetitions, own, [&] {
        return MeasurePeer(*peer, setting, data, asked.exact, k);
      });
      Line("peer", peer->name())
          .Add("k", k)
          .Add("target", asked.target)
          .Add("setting", setting)
          .Add("overlap", turns.other_overlap)
          .Add("overlap_segue", turns.overlap)
          .Add("microseconds", turns.other_microseconds)
          .Add("microseconds_segue", turns.microseconds)
          .Add("times_slower_than_segue", turns.ratios)
          .Add("build_seconds", seconds)
          .Add("bytes_per_item",
               peer->bytes() / static_cast<double>(data.size()))
          .Print();
    }
  }
  return absl::OkStatus();
}

absl::Status RunFilters(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const Bundle bundle,
                   OpenBundle(arguments.bundle, VerifyScope::kServed));
  ASSIGN_OR_RETURN(const auto snapshot, LoadServingSnapshot(bundle));
  ASSIGN_OR_RETURN(const IndexData data,
                   LoadIndexData(arguments.bundle, arguments.requests,
                                 snapshot->items.size(), arguments.queries,
                                 arguments.threads));
  return MeasureFilters(*snapshot, data, arguments.k, arguments.repetitions,
                        arguments.threads);
}

// How long the efforts of a bundle's table take, beside what is estimated of
// them: what search_cost.h is held against.
absl::Status RunEfforts(const Arguments& arguments) {
  ASSIGN_OR_RETURN(const Bundle bundle,
                   OpenBundle(arguments.bundle, VerifyScope::kServed));
  ASSIGN_OR_RETURN(const auto snapshot, LoadServingSnapshot(bundle));
  ASSIGN_OR_RETURN(const std::vector<float> queries, TuningQueries(bundle));
  const size_t d = snapshot->shape.dimension;
  for (const EffortTable::Front& front : snapshot->efforts.fronts()) {
    for (const EffortPoint& point : front.points) {
      const double start = Now();
      for (size_t q = 0; q * d < queries.size(); ++q) {
        RETURN_IF_ERROR(
            snapshot->index
                ->Search(absl::MakeConstSpan(queries).subspan(q * d, d),
                         {.k = front.k, .effort = point.effort})
                .status());
      }
      const double seconds = Now() - start;
      Line("effort", bundle.version())
          .Add("k", front.k)
          .Add("nprobe", point.effort.nprobe)
          .Add("k_factor", point.effort.k_factor)
          .Add("overlap", point.overlap)
          .Add("estimated_microseconds", point.cost / 1000)
          .Add("microseconds", 1e6 * seconds * static_cast<double>(d) /
                                   static_cast<double>(queries.size()))
          .Print();
    }
  }
  return absl::OkStatus();
}

// What an index of so many items takes to build, to keep and to search.
absl::Status RunCost(const Arguments& arguments) {
  ASSIGN_OR_RETURN(
      const IndexData data,
      LoadIndexData(arguments.bundle, arguments.requests, arguments.items,
                    arguments.queries, arguments.threads));
  ASSIGN_OR_RETURN(const Ours ours, BuildOurs(arguments, data));
  const int32_t k = arguments.k;
  ASSIGN_OR_RETURN(const Lists exact, ExactLists(data, k, arguments.threads));
  const Answer answer =
      AnswerOf(*ours.index,
               {.k = k, .effort = ours.built.efforts.Reach(k, kTarget).effort});
  std::vector<double> microseconds;
  double overlap = 0;
  for (int r = 0; r < arguments.repetitions; ++r) {
    const Searches own = Measure(data, exact, k, answer);
    overlap = own.overlap;
    microseconds.push_back(own.microseconds);
  }
  Line("cost", absl::StrCat(data.size()))
      .Add("items", static_cast<double>(data.size()))
      .Add("overlap", overlap)
      .Add("microseconds", microseconds)
      .Print();
  return absl::OkStatus();
}

// One way of loading, in a process of its own.
absl::Status RunLoad(const Arguments& arguments) {
  const double before = ResidentBytes();
  const double start = Now();
  std::unique_ptr<faiss::Index> index;
  RETURN_IF_ERROR(GuardFaiss(
      absl::StatusCode::kDataLoss, "cannot load " + arguments.index, [&] {
        index.reset(
            faiss::read_index(arguments.index.c_str(),
                              arguments.mapped ? faiss::IO_FLAG_MMAP : 0));
      }));
  const double seconds = Now() - start;
  Line("load", arguments.mapped ? "mapped" : "read")
      .Add("seconds", seconds)
      .Add("resident_bytes_per_item",
           (ResidentBytes() - before) / static_cast<double>(index->ntotal))
      .Print();
  return absl::OkStatus();
}

}  // namespace
}  // namespace segue::bench

int main(int argc, char** argv) {
  using segue::bench::Arguments;
  Arguments arguments;
  CLI::App app("Measures searches of the index; prints lines of JSON");
  app.require_subcommand(1);
  CLI::App* search =
      app.add_subcommand("search", "Overlap and time beside other indexes");
  CLI::App* filters =
      app.add_subcommand("filters", "The bundle's own index under filters");
  CLI::App* cost = app.add_subcommand("cost", "By the number of items");
  CLI::App* efforts = app.add_subcommand(
      "efforts", "Time of each effort of a bundle's table, and its estimate");
  efforts->add_option("--bundle", arguments.bundle, "A version's folder")
      ->required();
  CLI::App* load = app.add_subcommand("load", "Time and memory of loading");
  for (CLI::App* verb : {search, filters, cost}) {
    verb->add_option("--bundle", arguments.bundle, "A version's folder")
        ->required();
    verb->add_option("--requests", arguments.requests,
                     "sample_requests.json of its run")
        ->required();
    if (verb != filters) {
      verb->add_option("--work", arguments.work, "Folder for the index");
      verb->add_option("--items", arguments.items)->capture_default_str();
    }
    verb->add_option("--queries", arguments.queries)->capture_default_str();
    verb->add_option("--repetitions", arguments.repetitions)
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
  }
  load->add_option("--index", arguments.index)->required();
  load->add_flag("--mapped", arguments.mapped);
  CLI11_PARSE(app, argc, argv);
  absl::Status status;
  if (*search) status = RunSearch(arguments);
  if (*filters) status = RunFilters(arguments);
  if (*cost) status = RunCost(arguments);
  if (*efforts) status = RunEfforts(arguments);
  if (*load) status = RunLoad(arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "index_bench: %s\n",
               std::string(status.message()).c_str());
  return 1;
}
