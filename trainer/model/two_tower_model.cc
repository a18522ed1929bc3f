#include "trainer/model/two_tower_model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/schema/numeric_scale.h"
#include "trainer/base/random.h"
#include "trainer/model/two_tower_state.h"

namespace segue {
namespace {

// Rows embedded at once outside of training.
constexpr int64_t kEmbedBatch = 4096;

AdamWOptions ToAdamW(const v1::TrainingConfig& config) {
  return {.learning_rate = config.learning_rate(),
          .beta1 = config.beta1(),
          .beta2 = config.beta2(),
          .epsilon = config.epsilon(),
          .weight_decay = config.weight_decay()};
}

int32_t WidthOr(int32_t configured, int64_t count) {
  return configured > 0 ? configured : DefaultEmbeddingWidth(count);
}

// Pairs tables with the config's widths and fits the scales of numbers.
// `Config` is v1::ItemFeature or v1::QueryFeature.
template <typename Config>
absl::StatusOr<std::vector<EncodedFeature>> EncodeFeatures(
    const std::vector<FeatureTable>& tables,
    const google::protobuf::RepeatedPtrField<Config>& configs) {
  std::vector<EncodedFeature> features;
  for (size_t i = 0; i < tables.size(); ++i) {
    EncodedFeature feature{.table = &tables[i]};
    if (tables[i].kind == v1::NUMERIC) {
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
          WidthOr(configs[i].embedding_width(), tables[i].values.size());
    }
    features.push_back(std::move(feature));
  }
  return features;
}

// Rows of width 0 may lie nowhere, which memcpy does not allow.
void CopyRow(const float* from, int32_t width, float* to) {
  std::copy(from, from + width, to);
}

}  // namespace

int32_t DefaultEmbeddingWidth(int64_t count) {
  int32_t width = 0;
  while ((int64_t{1} << width) < count) ++width;
  return std::max(width, 2);
}

std::vector<torch::Tensor> TwoTowerModel::State::DenseParameters() {
  std::vector<torch::Tensor> parameters;
  for (torch::jit::Module* tower : {&query_tower, &item_tower}) {
    for (const auto& parameter : tower->named_parameters()) {
      parameters.push_back(parameter.value);
    }
  }
  return parameters;
}

absl::StatusOr<std::unique_ptr<TwoTowerModel>> TwoTowerModel::Create(
    const Dataset& data, const Split& split, const v1::TrainerConfig& config) {
  const uint64_t seed = config.seed();
  const AdamWOptions adamw = ToAdamW(config.training());
  const v1::ModelConfig& model = config.model();

  RowEncoder::Options items{
      .ids = &data.items,
      .entities = data.items.size(),
      .id_width = WidthOr(config.items().embedding_width(), data.items.size()),
      .trained = split.item_in_training,
      .adamw = adamw,
      .seed = Mix64(seed, 1)};
  ASSIGN_OR_RETURN(items.features, EncodeFeatures(data.item_features,
                                                  config.items().features()));
  RowEncoder::Options users{.ids = &data.users,
                            .entities = data.users.size(),
                            .trained = split.user_in_training,
                            .adamw = adamw,
                            .seed = Mix64(seed, 2)};
  if (config.users().use_id()) {
    users.id_width =
        WidthOr(config.users().embedding_width(), data.users.size());
  }
  ASSIGN_OR_RETURN(users.features, EncodeFeatures(data.user_features,
                                                  config.users().features()));
  RowEncoder::Options requests{
      .entities = data.log.size(), .adamw = adamw, .seed = Mix64(seed, 3)};
  ASSIGN_OR_RETURN(
      requests.features,
      EncodeFeatures(data.log.request_features, config.request_features()));

  const v1::EncoderConfig& encoder = model.encoder();
  TowerOptions towers{.dropout = model.dropout(),
                      .encoder = {.kind = encoder.kind(),
                                  .width = encoder.width(),
                                  .blocks = encoder.blocks(),
                                  .heads = encoder.heads(),
                                  .dropout = encoder.dropout()}};
  if (model.layers_size() > 0) {
    towers.layers.assign(model.layers().begin(), model.layers().end());
  }
  RowEncoder item_encoder(std::move(items));
  RowEncoder user_encoder(std::move(users));
  RowEncoder request_encoder(std::move(requests));
  const TowerShape shape{
      .user_width = user_encoder.width() + request_encoder.width(),
      .item_width = item_encoder.width(),
      .history_length = config.window().history_length(),
      .dimension = towers.layers.back()};
  const Batch::Options quiet{.history_length = shape.history_length};
  const Batch::Options training{.history_length = shape.history_length,
                                .user_dropout = model.user_id_dropout(),
                                .item_dropout = model.item_id_dropout(),
                                .seed = Mix64(seed, 4)};
  // Plain interpretation: profiled graphs may order sums differently from one
  // run to the next, and a resumed run must not differ.
  torch::jit::getExecutorMode() = false;
  towers.seed = Mix64(seed, 5);
  torch::jit::Module query_tower = MakeQueryTower(shape, towers);
  towers.seed = Mix64(seed, 6);
  torch::jit::Module item_tower = MakeItemTower(shape, towers);
  auto state = absl::WrapUnique(new State{
      .data = data,
      .config = config,
      .age = AgeScale::Fit(data.log, split, config),
      .items = std::move(item_encoder),
      .users = std::move(user_encoder),
      .requests = std::move(request_encoder),
      .shape = shape,
      .query_tower = query_tower,
      .item_tower = item_tower,
      .frequency =
          FrequencyEstimator(data.items.rows(), config.training().logq_slots(),
                             config.training().logq_alpha()),
      .batch = Batch(data, training),
      .quiet_batch = Batch(data, quiet),
  });
  state->optimiser = std::make_unique<torch::optim::AdamW>(
      state->DenseParameters(), torch::optim::AdamWOptions(adamw.learning_rate)
                                    .betas({adamw.beta1, adamw.beta2})
                                    .eps(adamw.epsilon)
                                    .weight_decay(adamw.weight_decay));
  return absl::WrapUnique(new TwoTowerModel(std::move(state)));
}

TwoTowerModel::TwoTowerModel(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
TwoTowerModel::~TwoTowerModel() = default;

int64_t TwoTowerModel::step() const { return state_->step; }
const TowerShape& TwoTowerModel::shape() const { return state_->shape; }

// Composes the distinct rows of the batch.
void TwoTowerModel::State::Encode(const Batch& from, bool training) {
  item_rows.resize(from.items().size() * items.width());
  user_rows.resize(from.users().size() * users.width());
  request_rows.resize(from.events().size() * requests.width());
  if (!training) {
    GatherReadRows(from);
    return;
  }
  const std::vector<Hidden> shown(from.events().size(), Hidden::kNothing);
  items.Begin(from.items(), from.hidden_items());
  items.Compose(absl::MakeSpan(item_rows));
  users.Begin(from.users(), from.hidden_users());
  users.Compose(absl::MakeSpan(user_rows));
  requests.Begin(from.events(), shown);
  requests.Compose(absl::MakeSpan(request_rows));
}

void TwoTowerModel::State::GatherReadRows(const Batch& from) {
  const auto read = [](const RowEncoder& encoder,
                       const std::vector<int64_t>& rows,
                       std::vector<float>& out) {
    const int64_t width = encoder.width();
    if (width == 0) return;
#pragma omp parallel for
    for (size_t r = 0; r < rows.size(); ++r) {
      encoder.Read(rows[r], Hidden::kNothing,
                   absl::MakeSpan(out).subspan(r * width, width));
    }
  };
  read(items, from.items(), item_rows);
  read(users, from.users(), user_rows);
  read(requests, from.events(), request_rows);
}

// Lays the rows out as the towers take them.
void TwoTowerModel::State::Gather(const Batch& from, bool training) {
  const int64_t size = from.size(), n = shape.history_length;
  const int32_t f = shape.item_width, u = users.width();
  const int32_t r = requests.width();
  if (!history.defined() || history.size(0) != size) {
    history = torch::empty({size, n, f});
    seed = torch::empty({size, f});
    target = torch::empty({size, f});
    user = torch::empty({size, u + r});
    mask = torch::empty({size, n});
    ages = torch::empty({size});
  }
  float* parts[] = {history.data_ptr<float>(), seed.data_ptr<float>(),
                    target.data_ptr<float>()};
  const int64_t ends[] = {size * n, size * (n + 1), size * (n + 2)};
  const std::vector<int32_t>& places = from.item_places();
  for (int part = 0; part < 3; ++part) {
    const int64_t begin = part == 0 ? 0 : ends[part - 1];
#pragma omp parallel for
    for (int64_t o = begin; o < ends[part]; ++o) {
      float* to = parts[part] + (o - begin) * f;
      if (places[o] < 0) {
        std::fill(to, to + f, 0.0f);
      } else {
        CopyRow(&item_rows[int64_t{places[o]} * f], f, to);
      }
    }
  }
  float* to = user.data_ptr<float>();
  for (int64_t b = 0; b < size; ++b, to += u + r) {
    CopyRow(user_rows.data() + int64_t{from.user_places()[b]} * u, u, to);
    CopyRow(request_rows.data() + b * r, r, to + u);
    ages.data_ptr<float>()[b] =
        training ? age.Of(data.log.times[from.events()[b]]) : age.serving();
  }
  CopyRow(from.mask().data(), static_cast<int32_t>(size * n),
          mask.data_ptr<float>());
}

double TwoTowerModel::TrainStep(absl::Span<const EvaluationQuery> examples) {
  State& s = *state_;
  s.query_tower.train();
  s.item_tower.train();
  torch::manual_seed(Mix64(s.config.seed(), s.step));  // dropout
  s.batch.Fill(s.step, examples);
  s.Encode(s.batch, /*training=*/true);
  s.Gather(s.batch, /*training=*/true);
  for (torch::Tensor* leaf : {&s.user, &s.history, &s.seed, &s.target}) {
    *leaf = leaf->detach();
    leaf->requires_grad_(true);
  }
  s.optimiser->zero_grad();
  const torch::Tensor query = s.query_tower.forward(s.QueryInputs()).toTensor();
  const torch::Tensor item = s.item_tower.forward({s.target}).toTensor();

  s.log_q.resize(examples.size());
  s.frequency.Observe(s.batch.targets(), absl::MakeSpan(s.log_q));
  if (!s.config.training().logq_correction()) s.log_q.clear();
  s.weights.clear();
  if (!s.data.log.weights.empty()) {
    for (const EvaluationQuery& example : examples) {
      s.weights.push_back(s.data.log.weights[example.target]);
    }
  }
  SoftmaxGradients gradients;
  const double loss = s.softmax.Compute(
      {.query = query,
       .item = item,
       .targets = s.batch.targets(),
       .log_q = s.log_q,
       .weights = s.weights,
       .temperature = s.config.model().temperature(),
       .mask_target_duplicates = s.config.training().mask_target_duplicates()},
      gradients);
  if (!std::isfinite(loss)) return loss;
  torch::autograd::backward({query, item}, {gradients.query, gradients.item});
  s.optimiser->step();
  s.Scatter();
  ++s.step;
  return loss;
}

// Sums the gradients by distinct row and steps the tables.
void TwoTowerModel::State::Scatter() {
  const int64_t size = batch.size(), n = shape.history_length;
  const int32_t f = shape.item_width;
  const torch::Tensor grads[] = {history.grad(), seed.grad(), target.grad()};
  const float* parts[] = {grads[0].data_ptr<float>(),
                          grads[1].data_ptr<float>(),
                          grads[2].data_ptr<float>()};
  const std::vector<int32_t>& begins = batch.place_begins();
  const int64_t places = static_cast<int64_t>(batch.items().size());
#pragma omp parallel for
  for (int64_t p = 0; p < places; ++p) {
    float* to = &item_rows[p * f];  // reused: the rows are no longer needed
    std::fill(to, to + f, 0.0f);
    for (int32_t i = begins[p]; i < begins[p + 1]; ++i) {
      const int64_t o = batch.by_place()[i];
      const float* from = o < size * n ? parts[0] + o * f
                          : o < size * (n + 1)
                              ? parts[1] + (o - size * n) * f
                              : parts[2] + (o - size * (n + 1)) * f;
      for (int32_t j = 0; j < f; ++j) to[j] += from[j];
    }
  }
  items.ApplyGradients(item_rows);

  const int32_t u = users.width(), r = requests.width();
  if (u + r == 0) return;
  std::fill(user_rows.begin(), user_rows.end(), 0.0f);
  const torch::Tensor user_grad = user.grad();
  const float* from = user_grad.data_ptr<float>();
  for (int64_t b = 0; b < size; ++b, from += u + r) {
    float* to = user_rows.data() + int64_t{batch.user_places()[b]} * u;
    for (int32_t j = 0; j < u; ++j) to[j] += from[j];
    CopyRow(from + u, r, request_rows.data() + b * r);
  }
  users.ApplyGradients(user_rows);
  requests.ApplyGradients(request_rows);
}

absl::Status TwoTowerModel::EmbedQueries(
    absl::Span<const EvaluationQuery> queries, absl::Span<float> out) {
  State& s = *state_;
  torch::NoGradGuard no_grad;
  s.query_tower.eval();
  const int32_t d = s.shape.dimension;
  while (!queries.empty()) {
    const size_t count = std::min<size_t>(queries.size(), kEmbedBatch);
    s.quiet_batch.Fill(0, queries.first(count));
    s.Encode(s.quiet_batch, /*training=*/false);
    s.Gather(s.quiet_batch, /*training=*/false);
    const torch::Tensor vectors =
        s.query_tower.forward(s.QueryInputs()).toTensor().contiguous();
    CopyRow(vectors.data_ptr<float>(), static_cast<int32_t>(count * d),
            out.data());
    queries.remove_prefix(count);
    out.remove_prefix(count * d);
  }
  return absl::OkStatus();
}

absl::Status TwoTowerModel::EmbedItems(absl::Span<float> out) {
  State& s = *state_;
  torch::NoGradGuard no_grad;
  s.item_tower.eval();
  const int32_t d = s.shape.dimension, f = s.shape.item_width;
  const int64_t count = s.data.items.size();
  for (int64_t begin = 0; begin < count; begin += kEmbedBatch) {
    const int64_t rows = std::min(kEmbedBatch, count - begin);
    torch::Tensor input = torch::empty({rows, f});
    float* to = input.data_ptr<float>();
#pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
      ReadItemRow(begin + r, {to + r * f, static_cast<size_t>(f)});
    }
    const torch::Tensor vectors =
        s.item_tower.forward({input}).toTensor().contiguous();
    CopyRow(vectors.data_ptr<float>(), static_cast<int32_t>(rows * d),
            out.data() + begin * d);
  }
  return absl::OkStatus();
}

void TwoTowerModel::ReadItemRow(int64_t row, absl::Span<float> out) const {
  state_->items.Read(row, Hidden::kNothing, out);
}

void TwoTowerModel::ReadUserRow(int64_t row, absl::Span<float> out) const {
  const int32_t u = state_->users.width();
  if (u > 0) state_->users.Read(row, Hidden::kNothing, out.first(u));
  if (state_->requests.width() > 0) {
    state_->requests.Read(0, Hidden::kEverything, out.subspan(u));
  }
}

}  // namespace segue
