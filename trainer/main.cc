// segue-trainer: from a log of events to a published bundle.
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "core/base/status_macros.h"
#include "core/bundle/layout.h"
#include "core/config/text_proto.h"
#include "trainer/verbs/verbs.h"

namespace {

std::atomic<bool> stop_requested{false};

// The first Ctrl-C asks for a checkpoint, the second ends the process.
void OnSignal(int signal) {
  if (stop_requested.exchange(true)) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
}

// An OpenMP team that spins while it waits is a little faster on idle
// processors and six times slower on busy ones. libgomp reads its policy when
// it is loaded, before main: so the program starts itself once more.
void WaitPassively(char** argv) {
  if (::getenv("OMP_WAIT_POLICY") != nullptr) return;
  ::setenv("OMP_WAIT_POLICY", "passive", 1);
  ::execv("/proc/self/exe", argv);
  // Where that cannot be, it is only slower.
}

struct Arguments {
  std::string config;
  std::vector<std::string> assignments;
  std::string bundle;
  bool resume = false;
  std::string warm_start;
  segue::SyntheticOptions synth;
  std::vector<std::string> runs;
  std::string html;
  std::string trusted_keys;
  std::string items;
  segue::RefreshOptions refresh;
};

void AddConfig(CLI::App& verb, Arguments& arguments, bool required) {
  auto* option = verb.add_option("--config", arguments.config,
                                 "Text-format TrainerConfig "
                                 "(proto/segue/v1/config.proto)");
  if (required) option->required();
  verb.add_option("--set", arguments.assignments,
                  "path=value, e.g. training.epochs=3; may be repeated")
      ->take_all()
      ->allow_extra_args(false);
}

void AddTrustedKeys(CLI::App& verb, Arguments& arguments) {
  verb.add_option(
      "--trusted-keys", arguments.trusted_keys,
      "PEM, Ed25519 public keys: one has to have signed the bundle");
}

void AddBundle(CLI::App& verb, Arguments& arguments) {
  verb.add_option("--bundle", arguments.bundle,
                  "A version's folder, or a bundle root (its CURRENT)")
      ->required();
  AddTrustedKeys(verb, arguments);
}

void AddBundleVerbs(CLI::App& app, Arguments& arguments) {
  CLI::App* evaluate =
      app.add_subcommand("evaluate", "Measure a published bundle; prints JSON");
  AddBundle(*evaluate, arguments);
  AddConfig(*evaluate, arguments, /*required=*/false);

  CLI::App* index = app.add_subcommand(
      "index", "Publish a bundle again with an index built anew");
  AddBundle(*index, arguments);
  AddConfig(*index, arguments, /*required=*/false);

  CLI::App* refresh =
      app.add_subcommand("refresh",
                         "Publish a bundle again with the catalogue as it is "
                         "now: new, changed and "
                         "removed items, without training");
  AddBundle(*refresh, arguments);
  refresh
      ->add_option("--items", arguments.items,
                   "The whole catalogue, in the form of items.path")
      ->required();
  AddConfig(*refresh, arguments, /*required=*/false);
  segue::RefreshOptions& options = arguments.refresh;
  const auto share = [&](const char* name, double& value, const char* help) {
    refresh->add_option(name, value, help)
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
  };
  share("--max-removed", options.max_removed,
        "Refuse if the file lacks more than this share of the items");
  share("--max-dead", options.max_dead,
        "Build the index anew where more than this share of its rows is of "
        "removed and changed items");
  refresh->add_flag("--rebuild", options.rebuild,
                    "Build the index anew all the same");
  share("--min-overlap", options.min_overlap,
        "Refuse if the index finds less of what is new in exact answers");
  share("--min-fit", options.min_fit,
        "Refuse if new items lie farther from the index's cells: their mean "
        "cosine, of that of the others");

  CLI::App* inspect =
      app.add_subcommand("inspect", "Verify a bundle and print its manifest");
  AddBundle(*inspect, arguments);
}

void AddCompare(CLI::App& app, Arguments& arguments) {
  CLI::App* compare =
      app.add_subcommand("compare", "Print the reports of runs side by side");
  compare
      ->add_option("run", arguments.runs,
                   "A run's folder, a bundle's, a bundle root, or a "
                   "report.json; several")
      ->required();
  compare->add_option("--html", arguments.html,
                      "Also write a page with their curves to this file");
}

// The configuration that a bundle was trained with, unless another is named.
// Where to publish defaults to where the bundle lies.
absl::StatusOr<segue::v1::TrainerConfig> ConfigForBundle(
    const std::string& folder, const Arguments& arguments) {
  segue::v1::TrainerConfig config;
  config.set_bundle_root(std::filesystem::path(folder).parent_path());
  segue::v1::TrainerConfig kept;
  if (arguments.config.empty()) {
    ASSIGN_OR_RETURN(kept,
                     segue::ConfigOfBundle(folder, arguments.trusted_keys));
  }
  RETURN_IF_ERROR(
      segue::LoadConfig(arguments.config, arguments.assignments, kept));
  config.MergeFrom(kept);
  return config;
}

absl::Status Run(const CLI::App& app, const Arguments& arguments) {
  const auto chosen = [&app](const char* verb) {
    return app.got_subcommand(verb);
  };
  if (chosen("synth")) return segue::RunSynth(arguments.synth);
  if (chosen("compare")) {
    return segue::RunCompare(arguments.runs, arguments.html);
  }
  if (chosen("train")) {
    segue::v1::TrainerConfig config;
    RETURN_IF_ERROR(
        segue::LoadConfig(arguments.config, arguments.assignments, config));
    if (!arguments.warm_start.empty()) {
      config.mutable_training()->set_warm_start_bundle(arguments.warm_start);
    }
    std::signal(SIGINT, OnSignal);
    std::signal(SIGTERM, OnSignal);
    return segue::RunTrain(config, arguments.trusted_keys, arguments.resume,
                           stop_requested);
  }
  ASSIGN_OR_RETURN(const std::string folder,
                   segue::ResolveBundle(arguments.bundle));
  if (chosen("inspect")) {
    return segue::RunInspect(folder, arguments.trusted_keys);
  }
  ASSIGN_OR_RETURN(segue::v1::TrainerConfig config,
                   ConfigForBundle(folder, arguments));
  if (chosen("refresh")) {
    config.mutable_items()->set_path(arguments.items);
    return segue::RunRefresh(folder, arguments.trusted_keys, std::move(config),
                             arguments.refresh);
  }
  if (chosen("evaluate")) {
    return segue::RunEvaluate(folder, arguments.trusted_keys, config);
  }
  return segue::RunIndex(folder, arguments.trusted_keys, config);
}

}  // namespace

int main(int argc, char** argv) {
  WaitPassively(argv);
  // What is read and sorted goes back to the system piece by piece, rather than
  // staying in a heap that larger pieces do not fit into.
  mallopt(M_MMAP_THRESHOLD, 256 << 10);

  Arguments arguments;
  CLI::App app("Trains two towers on a log of events and publishes a bundle");
  app.require_subcommand(1);
  app.set_version_flag("--version", segue::VersionText());

  CLI::App* train = app.add_subcommand(
      "train", "Read, split, train, evaluate, index, publish");
  AddConfig(*train, arguments, /*required=*/true);
  train->add_flag("--resume", arguments.resume,
                  "Go on from the newest checkpoint in run_dir");
  train->add_option("--warm-start", arguments.warm_start,
                    "Begin from a bundle: a version's folder, or a bundle root "
                    "(its CURRENT); training.warm_start_bundle");
  AddTrustedKeys(*train, arguments);

  CLI::App* synth = app.add_subcommand(
      "synth", "Make a listening data set of Yambda's shape (Parquet)");
  synth->add_option("--out", arguments.synth.out_folder, "Folder to write into")
      ->required();
  synth->add_option("--users", arguments.synth.users)->capture_default_str();
  synth->add_option("--items", arguments.synth.items)->capture_default_str();
  synth->add_option("--events", arguments.synth.events)->capture_default_str();
  synth->add_option("--seed", arguments.synth.seed)->capture_default_str();

  AddBundleVerbs(app, arguments);
  AddCompare(app, arguments);

  CLI11_PARSE(app, argc, argv);
  const absl::Status status = Run(app, arguments);
  if (status.ok()) return 0;
  std::fprintf(stderr, "segue-trainer: %s\n",
               std::string(status.message()).c_str());
  return absl::IsCancelled(status) ? 130 : 1;
}
