// What the stages of a request cost in this process, without gRPC and without
// other requests: the floor that serving.py holds the server against.
//
//   stages_bench --bundle FOLDER --requests FILE [--top_k N] [--benchmark_...]
//
// The requests are a JSON array of segue.v1.RetrieveRequest, as training leaves
// one in its run_dir. Times are of one query, on as many threads as a benchmark
// says; "cold" ones of a forward pass right after searches, which leave little
// of the tower's weights in the processor's caches: that is how it is in a
// server.
#include <benchmark/benchmark.h>
#include <google/protobuf/arena.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "core/bundle/bundle_reader.h"
#include "core/retrieval/retriever.h"
#include "core/retrieval/serving_snapshot.h"
#include "core/towers/torchscript_towers.h"
#include "tests/bench/sample_requests.h"

namespace segue {
namespace {

using Clock = std::chrono::steady_clock;

// Set before the first benchmark, and read by all.
struct Inputs {
  std::shared_ptr<const ServingSnapshot> snapshot;
  v1::BatchRetrieveRequest requests;
  std::vector<ResolvedQuery> queries;
  std::vector<float> vectors;  // [queries, d]

  size_t size() const { return queries.size(); }
  absl::Span<const float> vector(size_t i) const {
    const size_t d = snapshot->shape.dimension;
    return absl::MakeConstSpan(vectors).subspan(i * d, d);
  }
};
Inputs inputs;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "stages_bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T Need(absl::StatusOr<T> value) {
  if (!value.ok()) Die(std::string(value.status().message()));
  return *std::move(value);
}

// Goes round the requests, each thread from a place of its own.
class Round {
 public:
  explicit Round(const benchmark::State& state)
      : next_(inputs.size() * state.thread_index() / state.threads()) {}
  size_t Next() { return next_++ % inputs.size(); }

 private:
  size_t next_;
};

void Decode(benchmark::State& state) {
  std::vector<grpc::ByteBuffer> bytes;
  for (const auto& request : inputs.requests.requests()) {
    bool own = false;
    (void)grpc::SerializationTraits<v1::RetrieveRequest>::Serialize(
        request, &bytes.emplace_back(), &own);
  }
  Round round(state);
  for (auto _ : state) {
    google::protobuf::Arena arena;
    auto* request =
        google::protobuf::Arena::CreateMessage<v1::RetrieveRequest>(&arena);
    grpc::ByteBuffer copy = bytes[round.Next()];
    benchmark::DoNotOptimize(
        grpc::SerializationTraits<v1::RetrieveRequest>::Deserialize(&copy,
                                                                    request));
  }
}

void Resolve(benchmark::State& state) {
  Round round(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        ResolveQuery(*inputs.snapshot,
                     inputs.requests.requests(static_cast<int>(round.Next()))));
  }
}

// So many queries, from the round.
std::vector<const ResolvedQuery*> Batch(int64_t size, Round& round) {
  std::vector<const ResolvedQuery*> batch;
  for (int64_t i = 0; i < size; ++i) {
    batch.push_back(&inputs.queries[round.Next()]);
  }
  return batch;
}

void EmbedHot(benchmark::State& state) {
  Round round(state);
  std::vector<float> vectors;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        EmbedQueries(*inputs.snapshot, Batch(state.range(0), round), vectors));
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void SearchOne(size_t i, v1::RetrieveResponse& response) {
  benchmark::DoNotOptimize(SearchAndFill(*inputs.snapshot, inputs.vector(i),
                                         inputs.queries[i], response));
}

void EmbedCold(benchmark::State& state) {
  Round round(state);
  std::vector<float> vectors;
  for (auto _ : state) {
    v1::RetrieveResponse response;
    for (int64_t i = 0; i < state.range(0); ++i) {
      SearchOne(round.Next(), response);
    }
    const auto batch = Batch(state.range(0), round);
    const auto start = Clock::now();
    benchmark::DoNotOptimize(EmbedQueries(*inputs.snapshot, batch, vectors));
    state.SetIterationTime(
        std::chrono::duration<double>(Clock::now() - start).count());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void Search(benchmark::State& state) {
  Round round(state);
  for (auto _ : state) {
    google::protobuf::Arena arena;
    SearchOne(
        round.Next(),
        *google::protobuf::Arena::CreateMessage<v1::RetrieveResponse>(&arena));
  }
}

void Encode(benchmark::State& state) {
  std::vector<v1::RetrieveResponse> responses(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) SearchOne(i, responses[i]);
  Round round(state);
  for (auto _ : state) {
    grpc::ByteBuffer bytes;
    bool own = false;
    benchmark::DoNotOptimize(
        grpc::SerializationTraits<v1::RetrieveResponse>::Serialize(
            responses[round.Next()], &bytes, &own));
  }
}

// What a worker does with a group: one forward pass, then each search.
void EmbedAndSearch(benchmark::State& state) {
  Round round(state);
  std::vector<float> vectors;
  for (auto _ : state) {
    const size_t first = round.Next();
    Round rest = round;
    const auto batch = Batch(state.range(0), rest);
    benchmark::DoNotOptimize(EmbedQueries(*inputs.snapshot, batch, vectors));
    google::protobuf::Arena arena;
    SearchOne(
        first,
        *google::protobuf::Arena::CreateMessage<v1::RetrieveResponse>(&arena));
    for (int64_t i = 1; i < state.range(0); ++i) {
      SearchOne(round.Next(),
                *google::protobuf::Arena::CreateMessage<v1::RetrieveResponse>(
                    &arena));
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void Load(const std::string& folder, const std::string& requests, int top_k) {
  UseKernelThreads(1);
  const auto bundle = Need(OpenBundle(folder, VerifyScope::kServed));
  inputs.snapshot = Need(LoadServingSnapshot(bundle));
  inputs.requests = Need(bench::ReadSampleRequests(requests));
  std::vector<const ResolvedQuery*> pointers;
  for (v1::RetrieveRequest& request : *inputs.requests.mutable_requests()) {
    if (top_k > 0) request.set_top_k(top_k);
    inputs.queries.push_back(Need(ResolveQuery(*inputs.snapshot, request)));
  }
  for (const ResolvedQuery& query : inputs.queries) pointers.push_back(&query);
  const absl::Status embedded =
      EmbedQueries(*inputs.snapshot, pointers, inputs.vectors);
  if (!embedded.ok()) Die(std::string(embedded.message()));
}

void RegisterAll(int threads) {
  const auto usual = [&](const char* name, void (*run)(benchmark::State&)) {
    return benchmark::RegisterBenchmark(name, run)->Threads(threads)->Unit(
        benchmark::kMicrosecond);
  };
  usual("decode", Decode);
  usual("resolve", Resolve);
  usual("search", Search);
  usual("encode", Encode);
  for (const int64_t batch : {1, 2, 4, 8, 16, 32}) {
    usual("embed_hot", EmbedHot)->Arg(batch);
    usual("embed_cold", EmbedCold)->Arg(batch)->UseManualTime();
    usual("embed_and_search", EmbedAndSearch)->Arg(batch);
  }
}

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  CLI::App app("Times the stages of a request in one process.");
  std::string bundle, requests;
  int top_k = 0, threads = 1;
  app.add_option("--bundle", bundle, "A published version's folder")
      ->required();
  app.add_option("--requests", requests, "sample_requests.json of a run")
      ->required();
  app.add_option("--top_k", top_k, "Of every request, instead of its own");
  app.add_option("--threads", threads, "That do the same at once")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  Load(bundle, requests, top_k);
  RegisterAll(threads);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace segue

int main(int argc, char** argv) { return segue::Main(argc, argv); }
