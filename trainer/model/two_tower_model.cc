#include "trainer/model/two_tower_model.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "trainer/model/two_tower_state.h"

namespace segue {
namespace {

// Rows embedded at once, and events of their histories.
constexpr int64_t kEmbedRows = 4096;
constexpr int64_t kEmbedEvents = 65536;

}  // namespace

std::vector<std::pair<std::string, torch::Tensor>>
TwoTowerModel::State::TowerParameters() const {
  std::vector<std::pair<std::string, torch::Tensor>> parameters;
  std::set<const void*> known;
  for (const torch::jit::Module* tower : {&query_tower, &item_tower}) {
    for (const auto& parameter : tower->named_parameters()) {
      if (!known.insert(parameter.value.data_ptr()).second) continue;
      parameters.emplace_back(parameter.name, parameter.value);
    }
  }
  return parameters;
}

std::vector<torch::Tensor> TwoTowerModel::State::DenseParameters() const {
  std::vector<torch::Tensor> parameters;
  for (const auto& [name, values] : TowerParameters()) {
    parameters.push_back(values);
  }
  parameters.push_back(log_temperature);
  return parameters;
}

TwoTowerModel::TwoTowerModel(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
TwoTowerModel::~TwoTowerModel() = default;

int64_t TwoTowerModel::step() const { return state_->step; }
double TwoTowerModel::temperature() const {
  return std::exp(state_->log_temperature.item<double>());
}
const TowerShape& TwoTowerModel::shape() const { return state_->shape; }

absl::Status TwoTowerModel::EmbedQueries(
    absl::Span<const EvaluationQuery> queries, absl::Span<float> out) {
  State& s = *state_;
  torch::NoGradGuard no_grad;
  s.query_tower.eval();
  const int32_t d = s.shape.dimension;
  const int64_t at_once =
      std::clamp<int64_t>(kEmbedEvents / s.shape.history_length, 1, kEmbedRows);
  while (!queries.empty()) {
    const size_t count = std::min<size_t>(queries.size(), at_once);
    s.quiet_batch.FillWindows(0, queries.first(count));
    s.ReadRows(s.quiet_batch);
    s.Gather(s.quiet_batch, /*training=*/false);
    const torch::Tensor vectors = s.RunQueryTower().contiguous();
    std::copy_n(vectors.data_ptr<float>(), count * d, out.data());
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
  for (int64_t begin = 0; begin < count; begin += kEmbedRows) {
    const int64_t rows = std::min(kEmbedRows, count - begin);
    torch::Tensor input = torch::empty({rows, f});
    float* to = input.data_ptr<float>();
#pragma omp parallel for
    for (int64_t r = 0; r < rows; ++r) {
      ReadItemRow(begin + r, {to + r * f, static_cast<size_t>(f)});
    }
    const torch::Tensor vectors =
        s.item_tower.forward({input}).toTensor().contiguous();
    std::copy_n(vectors.data_ptr<float>(), rows * d, out.data() + begin * d);
  }
  return absl::OkStatus();
}

void TwoTowerModel::ReadItemRow(int64_t row, absl::Span<float> out) const {
  state_->items.Read(row, Hidden::kNothing, out);
}

void TwoTowerModel::ReadItemValue(int32_t feature, int64_t row,
                                  absl::Span<float> out) const {
  state_->items.table(feature)->Read(row, out);
}

void TwoTowerModel::ReadUserRow(int64_t row, absl::Span<float> out) const {
  const int32_t u = state_->users.width();
  if (u > 0) state_->users.Read(row, Hidden::kNothing, out.first(u));
  if (state_->requests.width() > 0) {
    state_->requests.Read(0, Hidden::kEverything, out.subspan(u));
  }
}

}  // namespace segue
