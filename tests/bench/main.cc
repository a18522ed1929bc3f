// trainer_bench: times the parts of the trainer. bench.py runs it beside its
// peers.
#include <malloc.h>

#include <cstdio>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "core/base/status_macros.h"
#include "core/config/text_proto.h"
#include "tests/bench/benchmarks.h"
#include "trainer/verbs/threads.h"

namespace {

using segue::bench::SeedSizes;

struct Arguments {
  SeedSizes sizes;
  int32_t steps = 20, repetitions = 3, threads = 0;
  std::vector<int64_t> rows = {1000000, 2000000, 5000000, 10000000};
  std::string config;
  std::vector<std::string> assignments;
};

// As segue-trainer sets the allocator: pieces go back to the system while data
// are read, buffers stay once steps are done.
void SetAllocator(bool reading) {
  mallopt(M_MMAP_THRESHOLD, reading ? 256 << 10 : 1 << 30);
  if (!reading) mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

absl::Status Run(const CLI::App& app, const Arguments& arguments) {
  segue::v1::TrainerConfig config;
  config.set_threads(arguments.threads);
  segue::UseThreads(config);
  SetAllocator(app.got_subcommand("read"));
  if (app.got_subcommand("step")) {
    return segue::bench::BenchStep(arguments.sizes, arguments.steps);
  }
  if (app.got_subcommand("rows")) {
    return segue::bench::BenchRows(arguments.rows, arguments.sizes.evenly,
                                   arguments.steps);
  }
  if (app.got_subcommand("embed")) {
    return segue::bench::BenchEmbed(arguments.sizes, arguments.repetitions);
  }
  RETURN_IF_ERROR(
      segue::LoadConfig(arguments.config, arguments.assignments, config));
  return segue::bench::BenchRead(config);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Times the parts of the trainer; prints lines of JSON");
  app.require_subcommand(1);
  app.add_option("--threads", arguments.threads, "0: all processors");
  CLI::App* step = app.add_subcommand("step", "Training steps, seed's sizes");
  CLI::App* rows = app.add_subcommand("rows", "Steps by the size of tables");
  CLI::App* embed = app.add_subcommand("embed", "Vectors of all items");
  CLI::App* read = app.add_subcommand("read", "Read and split events");
  for (CLI::App* verb : {step, embed}) {
    verb->add_option("--users", arguments.sizes.users)->capture_default_str();
    verb->add_option("--items", arguments.sizes.items)->capture_default_str();
    verb->add_option("--artists", arguments.sizes.artists)
        ->capture_default_str();
    verb->add_option("--albums", arguments.sizes.albums)->capture_default_str();
  }
  step->add_option("--batch", arguments.sizes.batch)->capture_default_str();
  for (CLI::App* verb : {step, rows}) {
    verb->add_option("--steps", arguments.steps, "Timed, of each kind")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
  }
  rows->add_option("--rows", arguments.rows, "Of all tables together")
      ->capture_default_str();
  rows->add_flag("--evenly", arguments.sizes.evenly,
                 "No row of a batch comes twice, none is in a cache");
  embed->add_option("--repetitions", arguments.repetitions)
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  read->add_option("--config", arguments.config)->required();
  read->add_option("--set", arguments.assignments)
      ->take_all()
      ->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = Run(app, arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "trainer_bench: %s\n",
               std::string(status.message()).c_str());
  return 1;
}
