// TwoTowerModel::Create: the configuration as towers, tables and optimisers.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/schema/numeric_scale.h"
#include "trainer/base/random.h"
#include "trainer/model/two_tower_state.h"

namespace segue {
namespace {

AdamWOptions ForTables(const v1::TrainingConfig& config, int64_t steps) {
  return {.learning_rate = LearningRate(config, steps),
          .beta1 = config.beta1(),
          .beta2 = config.beta2(),
          .epsilon = config.epsilon(),
          .weight_decay = config.embedding_weight_decay()};
}

// `earlier`: of the bundle that training begins from; 0: there is none.
int32_t WidthOr(int32_t configured, int64_t count, int32_t earlier) {
  if (configured > 0) return configured;
  return earlier > 0 ? earlier : DefaultEmbeddingWidth(count);
}

// Pairs tables with the config's widths and fits the scales of numbers, or
// takes them from the features of an earlier bundle. `Config` is
// v1::ItemFeature or v1::QueryFeature.
template <typename Config>
absl::StatusOr<std::vector<EncodedFeature>> EncodeFeatures(
    const std::vector<FeatureTable>& tables,
    const google::protobuf::RepeatedPtrField<Config>& configs,
    const google::protobuf::RepeatedPtrField<v1::FeatureColumn>& earlier) {
  std::vector<EncodedFeature> features;
  for (int i = 0; i < static_cast<int>(tables.size()); ++i) {
    EncodedFeature feature{.table = &tables[i]};
    const bool kept = i < earlier.size();
    if (tables[i].kind == v1::NUMERIC && kept) {
      feature.scale = earlier[i].scale();
      feature.width = 1;
    } else if (tables[i].kind == v1::NUMERIC) {
      auto scale = FitScale(configs[i].transform(), tables[i].numbers);
      if (!scale.ok()) {
        return absl::Status(scale.status().code(),
                            absl::StrCat("feature ", tables[i].name, ": ",
                                         scale.status().message()));
      }
      feature.scale = *std::move(scale);
      feature.width = 1;
    } else if (tables[i].kind == v1::VECTOR) {
      feature.width = tables[i].vector_width;
    } else {
      feature.width =
          WidthOr(configs[i].embedding_width(), tables[i].values.size(),
                  kept ? earlier[i].width() : 0);
    }
    features.push_back(std::move(feature));
  }
  return features;
}

TowerOptions ToTowers(const v1::ModelConfig& config) {
  const v1::EncoderConfig& encoder = config.encoder();
  TowerOptions towers{.dropout = config.dropout(),
                      .encoder = {.kind = encoder.kind(),
                                  .width = encoder.width(),
                                  .blocks = encoder.blocks(),
                                  .heads = encoder.heads(),
                                  .dropout = encoder.dropout()}};
  if (config.layers_size() > 0) {
    towers.layers.assign(config.layers().begin(), config.layers().end());
  }
  return towers;
}

bool TakesTimes(const v1::TrainerConfig& config) {
  return config.model().encoder().kind() == v1::EncoderConfig::HSTU &&
         config.model().encoder().time_bias() &&
         config.events().time_unit() == v1::EventsConfig::SECONDS;
}

Candidates::Options ToCandidates(const v1::TrainingConfig& config,
                                 uint64_t seed) {
  return {.negatives = config.loss().negatives(),
          .uniform_negatives = config.loss().uniform_negatives(),
          .logq_correction = config.logq_correction(),
          .seed = seed};
}

std::vector<int32_t> Trained(const Split& split) {
  std::vector<int32_t> items;
  for (size_t item = 0; item < split.item_in_training.size(); ++item) {
    if (split.item_in_training[item]) {
      items.push_back(static_cast<int32_t>(item));
    }
  }
  return items;
}

// A step of FULL compares with all of them.
absl::Status CheckCandidates(const std::vector<int32_t>& trained,
                             const v1::LossConfig& loss) {
  const auto items = static_cast<int64_t>(trained.size());
  if (loss.negatives() != v1::LossConfig::FULL || items <= kMostCandidates) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("training.loss.negatives is FULL, but training has ", items,
                   " items, more than ", kMostCandidates,
                   " candidates a step; use MIXED or UNIFORM with "
                   "training.loss.uniform_negatives, or IN_BATCH"));
}

// Those that a user uttered up to the last of his training events: later ones
// would tell of what is to be found.
Dislikes InTraining(const EventLog& log, const Split& split,
                    v1::EventsConfig::Negatives use) {
  if (log.dislikes.user_begins.empty() || use == v1::EventsConfig::IGNORE) {
    return {};
  }
  Dislikes known;
  known.user_begins.push_back(0);
  for (int32_t user = 0; user < log.users(); ++user) {
    const int64_t end = split.train_ends[user];
    for (int64_t d = log.dislikes.user_begins[user];
         d < log.dislikes.user_begins[user + 1]; ++d) {
      if (end == log.user_begins[user] ||
          log.dislikes.times[d] > log.times[end - 1]) {
        continue;
      }
      known.items.push_back(log.dislikes.items[d]);
      known.times.push_back(log.dislikes.times[d]);
    }
    known.user_begins.push_back(static_cast<int64_t>(known.items.size()));
  }
  return known;
}

// The towers' matrices decay; biases, norms, positions and the temperature do
// not.
std::unique_ptr<torch::optim::AdamW> MakeOptimiser(
    const v1::TrainingConfig& config,
    const std::vector<std::pair<std::string, torch::Tensor>>& towers,
    const torch::Tensor& log_temperature) {
  std::vector<torch::Tensor> decaying, others = {log_temperature};
  for (const auto& [name, values] : towers) {
    const bool matrix = absl::EndsWith(name, "_weight") && values.dim() == 2;
    (matrix ? decaying : others).push_back(values);
  }
  const auto options = [&config](double decay) {
    return std::make_unique<torch::optim::AdamWOptions>(
        torch::optim::AdamWOptions(config.learning_rate())
            .betas({config.beta1(), config.beta2()})
            .eps(config.epsilon())
            .weight_decay(decay));
  };
  return std::make_unique<torch::optim::AdamW>(
      std::vector<torch::optim::OptimizerParamGroup>{
          {decaying, options(config.weight_decay())}, {others, options(0)}});
}

}  // namespace

int32_t DefaultEmbeddingWidth(int64_t count) {
  int32_t width = 0;
  while ((int64_t{1} << width) < count) ++width;
  return std::max(width, 2);
}

absl::StatusOr<std::unique_ptr<TwoTowerModel>> TwoTowerModel::Create(
    const Dataset& data, const Split& split, const v1::TrainerConfig& config,
    int64_t steps, const v1::FeatureSchema* earlier) {
  const v1::FeatureSchema kept =
      earlier != nullptr ? *earlier : v1::FeatureSchema();
  const uint64_t seed = config.seed();
  const AdamWOptions adamw = ForTables(config.training(), steps);
  const v1::ModelConfig& model = config.model();
  std::vector<int32_t> catalogue = Trained(split);
  RETURN_IF_ERROR(CheckCandidates(catalogue, config.training().loss()));

  RowEncoder::Options items{
      .ids = &data.items,
      .entities = data.items.size(),
      .id_width = WidthOr(config.items().embedding_width(), data.items.size(),
                          kept.item_embedding_width()),
      .trained = split.item_in_training,
      .adamw = adamw,
      .seed = Mix64(seed, 1)};
  ASSIGN_OR_RETURN(items.features,
                   EncodeFeatures(data.item_features, config.items().features(),
                                  kept.item_features()));
  RowEncoder::Options users{.ids = &data.users,
                            .entities = data.users.size(),
                            .trained = split.user_in_training,
                            .adamw = adamw,
                            .seed = Mix64(seed, 2)};
  if (config.users().use_id()) {
    users.id_width = WidthOr(config.users().embedding_width(),
                             data.users.size(), kept.user_embedding_width());
  }
  ASSIGN_OR_RETURN(users.features,
                   EncodeFeatures(data.user_features, config.users().features(),
                                  kept.user_features()));
  RowEncoder::Options requests{
      .entities = data.log.size(), .adamw = adamw, .seed = Mix64(seed, 3)};
  ASSIGN_OR_RETURN(requests.features, EncodeFeatures(data.log.request_features,
                                                     config.request_features(),
                                                     kept.request_features()));

  TowerOptions towers = ToTowers(model);
  RowEncoder item_encoder(std::move(items));
  RowEncoder user_encoder(std::move(users));
  RowEncoder request_encoder(std::move(requests));
  const TowerShape shape{
      .user_width = user_encoder.width() + request_encoder.width(),
      .item_width = item_encoder.width(),
      .history_length = config.window().history_length(),
      .dimension = towers.layers.back(),
      .history_times = TakesTimes(config)};
  const Batch::Options quiet{.history_length = shape.history_length,
                             .times = shape.history_times};
  const Batch::Options training{.history_length = shape.history_length,
                                .times = shape.history_times,
                                .user_dropout = model.user_id_dropout(),
                                .item_dropout = model.item_id_dropout(),
                                .seed = Mix64(seed, 4)};
  // Plain interpretation: profiled graphs may order sums differently from one
  // run to the next, and a resumed run must not differ.
  torch::jit::getExecutorMode() = false;
  TowerOptions of_items = towers;
  if (model.item_layers_size() > 0) {
    of_items.layers.assign(model.item_layers().begin(),
                           model.item_layers().end());
  }
  of_items.seed = Mix64(seed, 6);
  torch::jit::Module item_tower = MakeItemTower(shape, of_items);
  towers.seed = Mix64(seed, 5);
  torch::jit::Module query_tower = MakeQueryTower(
      shape, towers,
      model.encoder().share_item_tower() ? &item_tower : nullptr);
  auto state = absl::WrapUnique(new State{
      .data = data,
      .config = config,
      .dislikes = InTraining(data.log, split, config.events().negatives()),
      .age = AgeScale::Fit(data.log, split, config,
                           kept.has_age_scale() ? &kept.age_scale() : nullptr),
      .learning_rate = adamw.learning_rate,
      .items = std::move(item_encoder),
      .users = std::move(user_encoder),
      .requests = std::move(request_encoder),
      .shape = shape,
      .latest_training_time = split.latest_training_time,
      .query_tower = query_tower,
      .item_tower = item_tower,
      .log_temperature =
          torch::full({1}, std::log(model.temperature())).requires_grad_(true),
      .frequency =
          FrequencyEstimator(data.items.rows(), config.training().logq_slots(),
                             config.training().logq_alpha()),
      .batch = Batch(data, training),
      .quiet_batch = Batch(data, quiet),
      .candidates = Candidates(ToCandidates(config.training(), Mix64(seed, 7)),
                               std::move(catalogue), data.items.rows()),
  });
  state->optimiser = MakeOptimiser(config.training(), state->TowerParameters(),
                                   state->log_temperature);
  return absl::WrapUnique(new TwoTowerModel(std::move(state)));
}

}  // namespace segue
