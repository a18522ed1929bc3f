// Saving and loading of TwoTowerModel: checkpoints for training, TorchScript
// for publishing.
#include <torch/serialize.h>

#include <cstdio>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status_macros.h"
#include "trainer/model/two_tower_state.h"

namespace segue {
namespace {

template <typename Fn>
absl::Status GuardTorch(absl::StatusCode code, absl::string_view what, Fn fn) {
  try {
    return fn();
  } catch (const c10::Error& e) {
    return absl::Status(code,
                        absl::StrCat(what, ": ", e.what_without_backtrace()));
  } catch (const std::exception& e) {
    return absl::Status(code, absl::StrCat(what, ": ", e.what()));
  }
}

template <typename T>
torch::Tensor View(std::vector<T>& values) {
  return torch::from_blob(values.data(), {static_cast<int64_t>(values.size())},
                          c10::CppTypeToScalarType<T>::value);
}

// The flat arrays of a model by name, the same for saving and loading.
template <typename State, typename Visit>
void VisitArrays(State& s, Visit visit) {
  int encoder_number = 0;
  for (RowEncoder* encoder : {&s.items, &s.users, &s.requests}) {
    int table_number = 0;
    for (EmbeddingTable* table : encoder->tables()) {
      const std::string name =
          absl::StrCat("table", encoder_number, "_", table_number++);
      visit(name + "_state", View(table->state()));
      visit(name + "_last_steps", View(table->last_steps()));
    }
    ++encoder_number;
  }
  visit("frequency_last_seen", View(s.frequency.last_seen()));
  visit("frequency_gaps", View(s.frequency.gaps()));
  visit("frequency_shares", View(s.frequency.shares()));
  int number = 0;
  for (torch::Tensor& weights : s.DenseParameters()) {
    visit(absl::StrCat("dense", number++), weights.detach());
  }
}

template <typename State>
absl::Status LoadArrays(torch::serialize::InputArchive& archive,
                        const std::string& path, State& state) {
  absl::Status status;
  VisitArrays(state, [&](const std::string& name, const torch::Tensor& array) {
    torch::Tensor saved;
    if (!status.ok()) return;
    if (!archive.try_read(name, saved, /*is_buffer=*/true) ||
        saved.sizes() != array.sizes() || saved.dtype() != array.dtype()) {
      status = absl::FailedPreconditionError(absl::StrCat(
          path, " is of a model of another shape (", name,
          "): data or configuration changed since it was written"));
      return;
    }
    array.copy_(saved);
  });
  return status;
}

// Writes a torch file aside, syncs it and renames it.
template <typename Write>
absl::Status WriteAtomically(const std::string& path, Write write) {
  const std::string aside = path + ".tmp";
  RETURN_IF_ERROR(
      GuardTorch(absl::StatusCode::kInternal, "cannot write " + path, [&] {
        write(aside);
        return absl::OkStatus();
      }));
  RETURN_IF_ERROR(SyncFile(aside));
  if (std::rename(aside.c_str(), path.c_str()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot rename to ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status TwoTowerModel::SaveCheckpoint(
    const std::string& path, const v1::TrainingState& progress) const {
  State& s = *state_;
  return WriteAtomically(path, [&](const std::string& aside) {
    torch::serialize::OutputArchive archive;
    archive.write("progress", c10::IValue(progress.SerializeAsString()));
    archive.write("step", c10::IValue(s.step));
    archive.write("examples", c10::IValue(s.frequency.examples()));
    VisitArrays(s, [&](const std::string& name, const torch::Tensor& array) {
      archive.write(name, array, /*is_buffer=*/true);
    });
    torch::serialize::OutputArchive optimiser;
    s.optimiser->save(optimiser);
    archive.write("optimiser", optimiser);
    archive.save_to(aside);
  });
}

absl::StatusOr<v1::TrainingState> TwoTowerModel::LoadCheckpoint(
    const std::string& path) {
  State& s = *state_;
  v1::TrainingState progress;
  RETURN_IF_ERROR(GuardTorch(absl::StatusCode::kDataLoss, path, [&] {
    torch::NoGradGuard no_grad;
    torch::serialize::InputArchive archive;
    archive.load_from(path);
    RETURN_IF_ERROR(LoadArrays(archive, path, s));
    c10::IValue value;
    archive.read("step", value);
    s.step = value.toInt();
    archive.read("examples", value);
    s.frequency.set_examples(value.toInt());
    for (RowEncoder* encoder : {&s.items, &s.users, &s.requests}) {
      for (EmbeddingTable* table : encoder->tables()) table->set_step(s.step);
    }
    torch::serialize::InputArchive optimiser;
    archive.read("optimiser", optimiser);
    s.optimiser->load(optimiser);
    archive.read("progress", value);
    if (!progress.ParseFromString(value.toStringRef())) {
      return absl::DataLossError(
          absl::StrCat(path, ": progress is unreadable"));
    }
    return absl::OkStatus();
  }));
  return progress;
}

absl::Status TwoTowerModel::SaveTowers(const std::string& query_path,
                                       const std::string& item_path) const {
  const auto save = [](const torch::jit::Module& tower,
                       const std::string& path) {
    torch::NoGradGuard no_grad;  // copies are leaves, too
    torch::jit::Module copy = tower.deepcopy();
    copy.eval();
    for (torch::Tensor weights : copy.parameters()) {
      weights.set_requires_grad(false);
    }
    copy.save(path);
  };
  return GuardTorch(absl::StatusCode::kInternal, "cannot write the towers",
                    [&] {
                      save(state_->query_tower, query_path);
                      save(state_->item_tower, item_path);
                      return absl::OkStatus();
                    });
}

v1::FeatureSchema TwoTowerModel::Schema() const {
  const State& s = *state_;
  v1::FeatureSchema schema;
  schema.set_item_embedding_width(s.items.id_width());
  schema.set_item_unknown_buckets(s.data.items.unknown_buckets());
  schema.set_user_embedding_width(s.users.id_width());
  schema.set_user_unknown_buckets(s.data.users.unknown_buckets());
  for (auto& column : s.items.Describe(0, /*with_embeddings=*/false)) {
    *schema.add_item_features() = std::move(column);
  }
  for (auto& column : s.users.Describe(0, /*with_embeddings=*/true)) {
    *schema.add_user_features() = std::move(column);
  }
  for (auto& column :
       s.requests.Describe(s.users.width(), /*with_embeddings=*/true)) {
    *schema.add_request_features() = std::move(column);
  }
  schema.set_serving_age(s.age.serving());
  for (const std::string& name : s.config.items().display_columns()) {
    schema.add_display_columns(name);
  }
  return schema;
}

}  // namespace segue
