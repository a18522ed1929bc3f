// Saving and loading of TwoTowerModel: checkpoints for training, TorchScript
// for publishing.
//
// A checkpoint is a torch archive with the SHA-256 of its bytes (64 hex digits)
// behind it: torch would load flipped bits as weights.
#include <torch/serialize.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status_macros.h"
#include "core/towers/guard_torch.h"
#include "trainer/model/two_tower_state.h"

namespace segue {
namespace {

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

constexpr size_t kDigestSize = 64;  // hex digits

// The archive and its digest, synced.
absl::Status WriteAside(const std::string& aside,
                        torch::serialize::OutputArchive& archive) {
  const auto failed = [&aside](int error) {
    return absl::ErrnoToStatus(error, absl::StrCat("cannot write ", aside));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
      std::fopen(aside.c_str(), "wb"), &std::fclose);
  if (file == nullptr) return failed(errno);
  Sha256 hash;
  int error = 0;  // of the first write that failed
  const auto write = [&](const void* bytes, size_t size) {
    if (error == 0 && std::fwrite(bytes, 1, size, file.get()) != size) {
      error = errno;
    }
    return size;  // told the truth, torch throws from a destructor
  };
  RETURN_IF_ERROR(
      GuardTorch(absl::StatusCode::kInternal, "cannot write " + aside, [&] {
        archive.save_to([&](const void* bytes, size_t size) {
          hash.Update({static_cast<const char*>(bytes), size});
          return write(bytes, size);
        });
        return absl::OkStatus();
      }));
  const std::string digest = hash.Finish();
  write(digest.data(), digest.size());
  if (error == 0 && std::fflush(file.get()) != 0) error = errno;
  if (error != 0) return failed(error);
  return SyncFile(aside);
}

// Aside, then renamed: `path` is whole or as it was.
absl::Status WriteAtomically(const std::string& path,
                             torch::serialize::OutputArchive& archive) {
  const std::string aside = path + ".tmp";
  absl::Status written = WriteAside(aside, archive);
  if (written.ok() && std::rename(aside.c_str(), path.c_str()) != 0) {
    written = absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
  }
  if (!written.ok()) {
    std::remove(aside.c_str());
    return written;
  }
  return SyncFolder(std::filesystem::path(path).parent_path());
}

// A sum is not finite where one of its numbers is not.
absl::Status CheckFinite(const std::string& name, const torch::Tensor& array) {
  if (!array.is_floating_point() || std::isfinite(array.sum().item<double>())) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(
      absl::StrCat("the weights are not finite (", name, ")"));
}

// The bytes of a checkpoint's archive; DataLoss if they are not what was
// written.
absl::StatusOr<absl::string_view> VerifiedArchive(absl::string_view bytes,
                                                  const std::string& path) {
  if (bytes.size() > kDigestSize) {
    const absl::string_view archive =
        bytes.substr(0, bytes.size() - kDigestSize);
    if (Sha256::OfString(archive) == bytes.substr(archive.size())) {
      return archive;
    }
  }
  return absl::DataLossError(
      absl::StrCat(path, " is not a whole checkpoint: its digest is wrong"));
}

}  // namespace

absl::Status TwoTowerModel::SaveCheckpoint(
    const std::string& path, const v1::TrainingState& progress) const {
  State& s = *state_;
  torch::serialize::OutputArchive archive;
  RETURN_IF_ERROR(
      GuardTorch(absl::StatusCode::kInternal, "cannot write " + path, [&] {
        archive.write("progress", c10::IValue(progress.SerializeAsString()));
        archive.write("step", c10::IValue(s.step));
        archive.write("examples", c10::IValue(s.frequency.examples()));
        absl::Status finite;
        VisitArrays(s,
                    [&](const std::string& name, const torch::Tensor& array) {
                      finite.Update(CheckFinite(name, array));
                      archive.write(name, array, /*is_buffer=*/true);
                    });
        RETURN_IF_ERROR(finite);
        torch::serialize::OutputArchive optimiser;
        s.optimiser->save(optimiser);
        archive.write("optimiser", optimiser);
        return absl::OkStatus();
      }));
  return WriteAtomically(path, archive);
}

absl::StatusOr<v1::TrainingState> TwoTowerModel::LoadCheckpoint(
    const std::string& path, absl::string_view fingerprint) {
  State& s = *state_;
  ASSIGN_OR_RETURN(const MappedFile file, MappedFile::Open(path));
  ASSIGN_OR_RETURN(const absl::string_view bytes,
                   VerifiedArchive(file.bytes(), path));
  v1::TrainingState progress;
  RETURN_IF_ERROR(GuardTorch(absl::StatusCode::kDataLoss, path, [&] {
    torch::NoGradGuard no_grad;
    torch::serialize::InputArchive archive;
    archive.load_from(bytes.data(), bytes.size());
    c10::IValue value;
    archive.read("progress", value);
    if (!progress.ParseFromString(value.toStringRef())) {
      return absl::DataLossError(
          absl::StrCat(path, ": progress is unreadable"));
    }
    if (progress.fingerprint() != fingerprint) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, " was written with another configuration or other data; ",
          "train without --resume, or set run_dir to another folder"));
    }
    RETURN_IF_ERROR(LoadArrays(archive, path, s));
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
    return absl::OkStatus();
  }));
  return progress;
}

absl::Status TwoTowerModel::SaveTowers(const std::string& query_path,
                                       const std::string& item_path) const {
  // By way of memory: torch throws from a destructor where a disk is full.
  const auto save = [](const torch::jit::Module& tower,
                       const std::string& path) {
    torch::NoGradGuard no_grad;  // copies are leaves, too
    torch::jit::Module copy = tower.deepcopy();
    copy.eval();
    for (torch::Tensor weights : copy.parameters()) {
      weights.set_requires_grad(false);
    }
    std::ostringstream bytes;
    copy.save(bytes);
    return WriteFileAtomically(path, bytes.str());
  };
  return GuardTorch(absl::StatusCode::kInternal, "cannot write the towers",
                    [&] {
                      RETURN_IF_ERROR(save(state_->query_tower, query_path));
                      return save(state_->item_tower, item_path);
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
  schema.set_history_times(s.shape.history_times);
  if (const auto scale = s.age.scale()) *schema.mutable_age_scale() = *scale;
  schema.set_temperature(temperature());
  schema.set_latest_training_time(s.latest_training_time);
  for (const std::string& name : s.config.items().display_columns()) {
    schema.add_display_columns(name);
  }
  return schema;
}

}  // namespace segue
