// index_bench: what searches of the index find, what they cost, and what other
// indexes do on the same vectors. bench.py runs it; each line that it prints is
// JSON.
#include <faiss/Index.h>
#include <faiss/index_io.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/bundle/bundle_reader.h"
#include "core/index/exact_search.h"
#include "core/index/faiss_index.h"
#include "core/index/faiss_support.h"
#include "core/index_build/index_builder.h"
#include "core/metrics/overlap.h"
#include "core/retrieval/diversity.h"
#include "core/retrieval/serving_snapshot.h"
#include "tests/bench/index_data.h"
#include "tests/bench/index_peers.h"
#include "tests/bench/timing.h"
#include "trainer/publish/bundle_files.h"

namespace segue::bench {
namespace {

struct Arguments {
  std::string bundle, requests, index, work = ".";
  int64_t items = 877168;
  int32_t queries = 300, repetitions = 3, threads = 2, k = 100, dimension = 128;
  double target = 0.97;
  bool mapped = false;
};

using Lists = std::vector<std::vector<int32_t>>;
// The rows that one query is answered with.
using Answer = std::function<std::vector<int32_t>(const float* query)>;

struct Measured {
  double overlap = 0;
  double microseconds = 0;  // mean of a query
};

// One query after the other, on this thread.
Measured Measure(const IndexData& data, const Lists& exact, int32_t k,
                 const Answer& answer) {
  Measured measured;
  double seconds = 0;
  for (size_t q = 0; q < exact.size(); ++q) {
    const float* query = data.queries.data() + q * data.dimension;
    const double start = Now();
    const std::vector<int32_t> rows = answer(query);
    seconds += Now() - start;
    measured.overlap += OverlapAtK(exact[q], rows, k);
  }
  const auto count = static_cast<double>(exact.size());
  measured.overlap /= count;
  measured.microseconds = 1e6 * seconds / count;
  return measured;
}

JsonLine Line(absl::string_view what, absl::string_view name) {
  return JsonLine().Add("what", what).Add("name", name);
}

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

absl::StatusOr<Lists> Exact(const IndexData& data, int32_t k, int32_t threads) {
  ASSIGN_OR_RETURN(const auto neighbors,
                   ExactTopK(data.items, data.queries, data.dimension, k,
                             threads, /*excluded=*/{}));
  Lists lists;
  for (const auto& list : neighbors) lists.push_back(RowsOf(list));
  return lists;
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
  config.set_target_overlap(arguments.target);
  malloc_trim(0);
  ForgetPeak();
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

Answer AnswerOf(const Ours& ours, const IndexData& data, int32_t k,
                double target) {
  const SearchEffort effort = ours.built.efforts.Reach(k, target).effort;
  return [&ours, &data, k, effort](const float* query) {
    const auto found =
        ours.index->Search({query, static_cast<size_t>(data.dimension)},
                           {.k = k, .effort = effort});
    return found.ok() ? RowsOf(found->neighbors) : std::vector<int32_t>();
  };
}

// The least setting that finds as much, or the last one.
int32_t LeastSetting(Peer& peer, const IndexData& data, const Lists& exact,
                     int32_t k, double overlap) {
  const std::vector<int32_t> settings = peer.Settings();
  for (const int32_t setting : settings) {
    const Measured measured = Measure(data, exact, k, [&](const float* query) {
      return peer.Search(query, k, setting);
    });
    if (measured.overlap >= overlap) return setting;
  }
  return settings.back();
}

// Ours and each peer in turns, at the overlap that ours has; IndexFlatIP beside
// each.
absl::Status RunSearch(const Arguments& arguments) {
  ASSIGN_OR_RETURN(
      const IndexData data,
      LoadIndexData(arguments.bundle, arguments.requests, arguments.items,
                    arguments.queries, arguments.threads));
  ASSIGN_OR_RETURN(const Ours ours, BuildOurs(arguments, data));
  const auto flat = FlatPeer();
  flat->Build(data.items, data.dimension);
  for (const int32_t k : {10, 100}) {
    ASSIGN_OR_RETURN(const Lists exact, Exact(data, k, arguments.threads));
    const Answer answer = AnswerOf(ours, data, k, arguments.target);
    std::vector<double> microseconds, flat_microseconds, ratios;
    double overlap = 0;
    for (int r = 0; r < arguments.repetitions; ++r) {
      const Measured own = Measure(data, exact, k, answer);
      const Measured whole = Measure(data, exact, k, [&](const float* query) {
        return flat->Search(query, k, 0);
      });
      overlap = own.overlap;
      microseconds.push_back(own.microseconds);
      flat_microseconds.push_back(whole.microseconds);
      ratios.push_back(whole.microseconds / own.microseconds);
    }
    Line("search", "segue")
        .Add("k", k)
        .Add("overlap", overlap)
        .Add("microseconds", microseconds)
        .Add("flat_microseconds", flat_microseconds)
        .Add("times_faster_than_flat", ratios)
        .Print();
  }
  ASSIGN_OR_RETURN(const Lists exact,
                   Exact(data, arguments.k, arguments.threads));
  const Answer answer = AnswerOf(ours, data, arguments.k, arguments.target);
  const double reached = Measure(data, exact, arguments.k, answer).overlap;
  for (const auto& peer : Peers()) {
    if (peer->name() == flat->name()) continue;
    const double start = Now();
    peer->Build(data.items, data.dimension);
    const double seconds = Now() - start;
    const int32_t setting =
        LeastSetting(*peer, data, exact, arguments.k, reached);
    std::vector<double> own, theirs, ratios;
    double overlap = 0;
    for (int r = 0; r < arguments.repetitions; ++r) {
      own.push_back(Measure(data, exact, arguments.k, answer).microseconds);
      const Measured measured =
          Measure(data, exact, arguments.k, [&](const float* query) {
            return peer->Search(query, arguments.k, setting);
          });
      overlap = measured.overlap;
      theirs.push_back(measured.microseconds);
      ratios.push_back(measured.microseconds / own.back());
    }
    Line("peer", peer->name())
        .Add("k", arguments.k)
        .Add("setting", setting)
        .Add("overlap", overlap)
        .Add("overlap_segue", reached)
        .Add("microseconds", theirs)
        .Add("microseconds_segue", own)
        .Add("times_slower_than_segue", ratios)
        .Add("build_seconds", seconds)
        .Add("bytes_per_item", peer->bytes() / static_cast<double>(data.size()))
        .Print();
  }
  return absl::OkStatus();
}

// Rows that a filter leaves: drawn evenly, or those nearest to one of them.
std::vector<int32_t> Kept(const IndexData& data, double share, bool near,
                          uint32_t seed) {
  const int64_t items = data.size();
  const auto count = std::max<int64_t>(
      1, static_cast<int64_t>(share * static_cast<double>(items)));
  std::vector<int32_t> rows(items);
  for (int64_t row = 0; row < items; ++row)
    rows[row] = static_cast<int32_t>(row);
  std::mt19937 random(seed);
  if (near) {
    const size_t centre = random() % items;
    const std::vector<float> scores =
        InnerProducts(absl::MakeConstSpan(data.items)
                          .subspan(centre * data.dimension, data.dimension),
                      data.items);
    std::nth_element(
        rows.begin(), rows.begin() + count - 1, rows.end(),
        [&](int32_t a, int32_t b) { return scores[a] > scores[b]; });
  } else {
    for (int64_t i = 0; i < count; ++i) {
      std::swap(rows[i], rows[i + random() % (items - i)]);
    }
  }
  rows.resize(count);
  std::sort(rows.begin(), rows.end());
  return rows;
}

absl::StatusOr<Lists> ExactAmong(const IndexData& data,
                                 const std::vector<int32_t>& rows, int32_t k,
                                 int32_t threads) {
  ASSIGN_OR_RETURN(
      const auto neighbors,
      ExactTopKAmong(rows, data.items, data.queries, data.dimension, k, threads,
                     /*excluded=*/{}));
  Lists lists;
  for (const auto& list : neighbors) lists.push_back(RowsOf(list));
  return lists;
}

// Searches under filters, beside those without.
absl::Status RunFilters(const Arguments& arguments) {
  ASSIGN_OR_RETURN(
      const IndexData data,
      LoadIndexData(arguments.bundle, arguments.requests, arguments.items,
                    arguments.queries, arguments.threads));
  ASSIGN_OR_RETURN(const Ours ours, BuildOurs(arguments, data));
  const int32_t k = arguments.k;
  const SearchEffort effort =
      ours.built.efforts.Reach(k, arguments.target).effort;
  ASSIGN_OR_RETURN(const Lists whole, Exact(data, k, arguments.threads));
  const Answer unfiltered = AnswerOf(ours, data, k, arguments.target);
  uint32_t seed = 1;
  for (const bool near : {false, true}) {
    for (const double share : {.5, .1, .01, .001, .0001}) {
      const std::vector<int32_t> rows = Kept(data, share, near, seed++);
      ASSIGN_OR_RETURN(const Lists exact,
                       ExactAmong(data, rows, k, arguments.threads));
      const RowSet allowed(rows);
      std::vector<double> microseconds, ratios, ways(4);
      double overlap = 0;
      for (int r = 0; r < arguments.repetitions; ++r) {
        const Measured without = Measure(data, whole, k, unfiltered);
        const Measured with = Measure(data, exact, k, [&](const float* query) {
          const auto found = ours.index->Search(
              {query, static_cast<size_t>(data.dimension)},
              {.k = k, .allowed = &allowed, .effort = effort});
          if (!found.ok()) return std::vector<int32_t>();
          ++ways[static_cast<int>(found->by)];
          return RowsOf(found->neighbors);
        });
        overlap = with.overlap;
        microseconds.push_back(with.microseconds);
        ratios.push_back(with.microseconds / without.microseconds);
      }
      const double all = ways[0] + ways[1] + ways[2] + ways[3];
      Line("filter", near ? "near one item" : "evenly drawn")
          .Add("share", share)
          .Add("items", static_cast<double>(rows.size()))
          .Add("overlap", overlap)
          .Add("microseconds", microseconds)
          .Add("times_unfiltered", ratios)
          .Add("by_more_candidates", ways[1] / all)
          .Add("by_cells", ways[2] / all)
          .Add("by_exact", ways[3] / all)
          .Print();
    }
  }
  // And what variety costs, over artists of 20 items each.
  v1::Attributes attributes;
  v1::AttributeColumn& artist = *attributes.add_columns();
  artist.set_name("artist");
  artist.set_kind(v1::AttributeColumn::CATEGORICAL);
  artist.add_begins(0);
  const auto items = static_cast<int32_t>(data.size());
  for (int32_t row = 0; row < items; ++row) artist.add_rows(row);
  for (int32_t end = 20; end < items + 20; end += 20) {
    artist.add_values(absl::StrCat(end));
    artist.add_begins(std::min(end, items));
  }
  ASSIGN_OR_RETURN(const AttributeIndex index,
                   AttributeIndex::Create(attributes, items));
  for (const auto& named : std::vector<std::pair<std::string, DiversityRules>>{
           {"caps", {.caps = {{.attribute = 0, .at_most = 1}}}},
           {"mmr", {.mmr = .3}}}) {
    const DiversityRules& rules = named.second;
    std::vector<double> microseconds, ratios;
    for (int r = 0; r < arguments.repetitions; ++r) {
      const Measured without = Measure(data, whole, k, unfiltered);
      const Measured with = Measure(data, whole, k, [&](const float* query) {
        const auto found = SearchDiversely(
            *ours.index, index, {query, static_cast<size_t>(data.dimension)},
            rules, {.k = k, .effort = effort});
        return found.ok() ? RowsOf(found->neighbors) : std::vector<int32_t>();
      });
      microseconds.push_back(with.microseconds);
      ratios.push_back(with.microseconds / without.microseconds);
    }
    Line("diversity", named.first)
        .Add("microseconds", microseconds)
        .Add("times_without", ratios)
        .Print();
  }
  return absl::OkStatus();
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
  ASSIGN_OR_RETURN(const Lists exact,
                   Exact(data, arguments.k, arguments.threads));
  const Answer answer = AnswerOf(ours, data, arguments.k, arguments.target);
  std::vector<double> microseconds;
  double overlap = 0;
  for (int r = 0; r < arguments.repetitions; ++r) {
    const Measured own = Measure(data, exact, arguments.k, answer);
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
  mallopt(M_MMAP_THRESHOLD, 256 << 10);
  Arguments arguments;
  CLI::App app("Measures searches of the index; prints lines of JSON");
  app.require_subcommand(1);
  CLI::App* search =
      app.add_subcommand("search", "Overlap and time beside other indexes");
  CLI::App* filters =
      app.add_subcommand("filters", "Overlap and time under filters");
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
    verb->add_option("--work", arguments.work, "Folder for the index");
    verb->add_option("--items", arguments.items)->capture_default_str();
    verb->add_option("--queries", arguments.queries)->capture_default_str();
    verb->add_option("--target", arguments.target)->capture_default_str();
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
