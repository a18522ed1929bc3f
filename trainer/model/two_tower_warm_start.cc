// TwoTowerModel::WarmStart: weights and embeddings of an earlier bundle.
#include <torch/script.h>

#include <cmath>
#include <map>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/towers/attention.h"
#include "core/towers/guard_torch.h"
#include "google/protobuf/util/message_differencer.h"
#include "trainer/model/two_tower_state.h"
#include "trainer/model/warm_start_bundle.h"

namespace segue {
namespace {

using google::protobuf::util::MessageDifferencer;

absl::Status Refuse(absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat("training cannot begin from this bundle: ", why,
                   "; model.layers, item_layers, encoder and "
                   "window.history_length have to be the bundle's"));
}

std::string Sizes(const torch::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

// Copies the weights of a saved tower, name by name.
absl::Status CopyWeights(const std::string& bytes, const std::string& what,
                         const torch::jit::Module& to) {
  torch::NoGradGuard no_grad;
  std::istringstream stream(bytes);
  const torch::jit::Module from = torch::jit::load(stream, torch::kCPU);
  std::map<std::string, torch::Tensor> left;
  for (const auto& weights : from.named_parameters()) {
    left[weights.name] = weights.value;
  }
  for (const auto& weights : to.named_parameters()) {
    const auto found = left.find(weights.name);
    if (found == left.end()) {
      return Refuse(absl::StrCat("its ", what, " tower has no ", weights.name));
    }
    if (found->second.sizes() != weights.value.sizes()) {
      return Refuse(absl::StrCat(weights.name, " of its ", what, " tower is ",
                                 Sizes(found->second), ", here it would be ",
                                 Sizes(weights.value)));
    }
    weights.value.copy_(found->second);
    left.erase(found);
  }
  if (left.empty()) return absl::OkStatus();
  return Refuse(absl::StrCat("its ", what, " tower has ", left.begin()->first,
                             ", which there is not here"));
}

// The same weights under another encoder mean another thing.
absl::Status CompareEncoders(v1::EncoderConfig earlier,
                             v1::EncoderConfig encoder) {
  earlier.clear_dropout();
  encoder.clear_dropout();
  const bool means = earlier.kind() == v1::EncoderConfig::MEAN &&
                     encoder.kind() == v1::EncoderConfig::MEAN;
  if (means || MessageDifferencer::Equivalent(earlier, encoder)) {
    return absl::OkStatus();
  }
  return Refuse(absl::StrCat("its model.encoder is {",
                             earlier.ShortDebugString(), "}, here it is {",
                             encoder.ShortDebugString(), "}"));
}

// Known ids take their embeddings, new ones that of an unknown one: to the
// towers they are at first what they would have been to the server. Fresh draws
// would be noise to towers that are trained.
void TakeEmbeddings(const LearntRows& earlier, const Vocabulary& ids,
                    EmbeddingTable* table) {
  if (table == nullptr) return;
  for (int32_t row = 0; row < ids.size(); ++row) {
    table->SetRow(row, earlier.Of(ids.id(row)));
  }
  for (int32_t bucket = 0; bucket < ids.unknown_buckets(); ++bucket) {
    table->SetRow(ids.unknown_row() + bucket,
                  earlier.Row(earlier.ids().unknown_row() + bucket));
  }
}

// Own embeddings and those of the features.
void TakeRows(const LearntRows& earlier_ids,
              const std::vector<LearntRows>& earlier_features,
              const Vocabulary* ids, const std::vector<FeatureTable>& features,
              RowEncoder& encoder) {
  if (ids != nullptr && encoder.id_width() > 0) {
    TakeEmbeddings(earlier_ids, *ids, encoder.table(-1));
    for (int32_t row = 0; row < ids->size(); ++row) {
      if (earlier_ids.Knows(ids->id(row), encoder.id_width())) {
        encoder.SetTrained(row);
      }
    }
  }
  for (size_t i = 0; i < features.size(); ++i) {
    TakeEmbeddings(earlier_features[i], features[i].values,
                   encoder.table(static_cast<int32_t>(i)));
  }
}

}  // namespace

absl::Status TwoTowerModel::WarmStart(const WarmStartBundle& earlier) {
  State& s = *state_;
  RETURN_IF_ERROR(CompareSchemas(earlier.schema, Schema()));
  RETURN_IF_ERROR(CompareEncoders(earlier.encoder, s.config.model().encoder()));
  RETURN_IF_ERROR(
      GuardTorch(absl::StatusCode::kDataLoss, earlier.bundle.folder(), [&] {
        RegisterAttention();
        RETURN_IF_ERROR(
            CopyWeights(earlier.query_tower, "query", s.query_tower));
        return CopyWeights(earlier.item_tower, "item", s.item_tower);
      }));
  TakeRows(earlier.items, earlier.item_features, &s.data.items,
           s.data.item_features, s.items);
  TakeRows(earlier.users, earlier.user_features, &s.data.users,
           s.data.user_features, s.users);
  TakeRows({}, earlier.request_features, nullptr, s.data.log.request_features,
           s.requests);
  if (s.config.model().learn_temperature()) {
    torch::NoGradGuard no_grad;
    s.log_temperature.fill_(std::log(earlier.schema.temperature()));
  }
  return absl::OkStatus();
}

}  // namespace segue
