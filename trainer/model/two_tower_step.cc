// A training step of TwoTowerModel: rows of tables are gathered for the towers,
// and gradients brought back to them.
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "trainer/base/random.h"
#include "trainer/model/two_tower_state.h"

namespace segue {
namespace {

// Rows of width 0 may lie nowhere, which memcpy does not allow.
void CopyRow(const float* from, int32_t width, float* to) {
  std::copy(from, from + width, to);
}

// Copies the rows of occurrences [begin, begin + out.size(0)); padding is 0.
void CopyRows(const std::vector<float>& rows,
              const std::vector<int32_t>& places, int64_t begin,
              const torch::Tensor& out) {
  const int64_t count = out.numel() / std::max<int64_t>(out.size(-1), 1);
  const auto width = static_cast<int32_t>(out.size(-1));
  float* to = out.data_ptr<float>();
#pragma omp parallel for
  for (int64_t o = 0; o < count; ++o) {
    const int32_t place = places[begin + o];
    if (place < 0) {
      std::fill_n(to + o * width, width, 0.0f);
    } else {
      CopyRow(&rows[int64_t{place} * width], width, to + o * width);
    }
  }
}

// A tensor of that shape, to be overwritten: the old one where it fits.
void Shape(torch::Tensor& tensor, at::IntArrayRef sizes) {
  if (!tensor.defined() || tensor.sizes() != sizes) {
    tensor = torch::empty(sizes);
  }
}

torch::Tensor Longs(const std::vector<int64_t>& values) {
  return torch::tensor(values, torch::kLong);
}

}  // namespace

void TwoTowerModel::State::Fill(const TrainingExamples& examples) {
  if (const auto* windows =
          std::get_if<std::vector<EvaluationQuery>>(&examples)) {
    batch.FillWindows(step, *windows);
  } else {
    batch.FillSequences(step,
                        std::get<std::vector<TrainingSequence>>(examples));
  }
  FindPredictions();
  std::vector<int32_t> targets;
  for (int64_t i = 0; i < PredictionCount(); ++i) {
    targets.push_back(batch.targets()[Prediction(i)]);
  }
  frequency.Observe(targets);
  candidates.Draw(step, targets, frequency);
  AddDislikes();
  batch.AddCandidates(candidates.items());
}

void TwoTowerModel::State::FindPredictions() {
  predictions.clear();
  if (data.log.targets.empty()) return;
  for (int64_t p = 0; p < batch.size(); ++p) {
    if (data.log.IsTarget(batch.events()[p])) predictions.push_back(p);
  }
}

// The distinct rows of the batch.
void TwoTowerModel::State::Compose(const Batch& from) {
  const auto compose = [](RowEncoder& encoder, const std::vector<int64_t>& rows,
                          const std::vector<Hidden>& hidden,
                          std::vector<float>& out) {
    out.resize(rows.size() * encoder.width());
    encoder.Begin(rows, hidden);
    encoder.Compose(absl::MakeSpan(out));
  };
  compose(items, from.items(), from.hidden_items(), item_rows);
  compose(users, from.users(), from.hidden_users(), user_rows);
  compose(requests, from.events(),
          std::vector<Hidden>(from.events().size(), Hidden::kNothing),
          request_rows);
}

void TwoTowerModel::State::ReadRows(const Batch& from) {
  const auto read = [](const RowEncoder& encoder,
                       const std::vector<int64_t>& rows,
                       std::vector<float>& out) {
    const int64_t width = encoder.width();
    out.resize(rows.size() * width);
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
  const bool windows = from.begins().empty();
  const std::vector<int32_t>& places = from.item_places();
  int64_t candidates_begin = size;
  if (windows) {
    Shape(history, {size, n, f});
    Shape(seed, {size, f});
    Shape(mask, {size, n});
    std::copy(from.mask().begin(), from.mask().end(), mask.data_ptr<float>());
    CopyRows(item_rows, places, size * n, seed);
    candidates_begin = size * (n + 1);
    begins = torch::Tensor();
  } else {
    Shape(history, {size, f});
    positions = Longs(from.positions());
    begins = Longs(from.begins());
  }
  CopyRows(item_rows, places, 0, history);
  if (training) {
    Shape(candidate,
          {static_cast<int64_t>(places.size()) - candidates_begin, f});
    CopyRows(item_rows, places, candidates_begin, candidate);
  }
  Shape(user, {size, u + r});
  Shape(ages, {size});
  float* to = user.data_ptr<float>();
  for (int64_t b = 0; b < size; ++b, to += u + r) {
    CopyRow(user_rows.data() + int64_t{from.user_places()[b]} * u, u, to);
    CopyRow(request_rows.data() + b * r, r, to + u);
    ages.data_ptr<float>()[b] =
        training ? age.Of(data.log.times[from.events()[b]]) : age.serving();
  }
  if (shape.history_times) GatherTimes(from);
}

// The time that follows an event is that of what it predicts; so is that of the
// request after a window.
void TwoTowerModel::State::GatherTimes(const Batch& from) {
  times = Longs(from.times());
  if (from.begins().empty()) times = times.view({from.size(), -1});
  target_times = torch::empty({from.size()}, torch::kLong);
  int64_t* to = target_times.data_ptr<int64_t>();
  for (const int64_t event : from.events()) *to++ = data.log.times[event];
}

torch::Tensor TwoTowerModel::State::RunQueryTower() {
  const bool windows = !begins.defined();
  std::vector<torch::jit::IValue> inputs = {user, history};
  if (windows) {
    inputs.insert(inputs.end(), {mask, seed, ages});
  } else {
    inputs.insert(inputs.end(), {positions, begins, ages});
  }
  if (shape.history_times) inputs.insert(inputs.end(), {times, target_times});
  torch::Tensor all =
      query_tower
          .get_method(windows ? "forward" : "forward_packed")(std::move(inputs))
          .toTensor();
  if (windows || predictions.empty()) return all;
  return all.index_select(0, Longs(predictions));
}

// What a user turned down of late is compared with what the user took.
void TwoTowerModel::State::AddDislikes() {
  if (dislikes.user_begins.empty() ||
      config.events().negatives() != v1::EventsConfig::EXPLICIT) {
    return;
  }
  for (const int64_t user : batch.users()) {
    const int64_t end = dislikes.user_begins[user + 1];
    for (int64_t d = std::max(dislikes.user_begins[user], end - kMostDislikes);
         d < end; ++d) {
      candidates.AddForPairs(dislikes.items[d]);
    }
  }
}

// Pairs of a query and a candidate that are not what the candidate is to
// others: items of the history, and what the user turned down in the training
// period.
void TwoTowerModel::State::FindPairs() {
  pairs.clear();
  const bool mask_history = config.training().loss().mask_history();
  const bool use_dislikes = !dislikes.user_begins.empty();
  if (!mask_history && !use_dislikes) return;
  const float of_dislikes =
      config.events().negatives() == v1::EventsConfig::MASK
          ? PairOffset::kMasked
          : 0;
  const auto add = [this](int32_t query, int32_t item, float offset) {
    const int32_t c = candidates.Of(item);
    if (c >= 0) pairs.push_back({query, c, offset});
  };
  for (int32_t q = 0; q < PredictionCount(); ++q) {
    const auto p = static_cast<int32_t>(Prediction(q));
    if (mask_history) {
      for (const int32_t place : batch.History(p)) {
        if (place < 0) continue;
        add(q, static_cast<int32_t>(batch.items()[place]), PairOffset::kMasked);
      }
    }
    if (!use_dislikes) continue;
    const int64_t user = batch.users()[batch.user_places()[p]];
    for (int64_t d = dislikes.user_begins[user];
         d < dislikes.user_begins[user + 1]; ++d) {
      add(q, dislikes.items[d], of_dislikes);
    }
  }
}

double TwoTowerModel::State::ComputeLoss(const torch::Tensor& query,
                                         const torch::Tensor& scored,
                                         SoftmaxGradients& gradients) {
  weights.clear();
  const EventLog& log = data.log;
  for (int64_t i = 0; !log.weights.empty() && i < PredictionCount(); ++i) {
    weights.push_back(log.weights[batch.events()[Prediction(i)]]);
  }
  FindPairs();
  return softmax.Compute(
      {.query = query,
       .candidate = scored,
       .targets = candidates.targets(),
       .negative_offsets = candidates.negative_offsets(),
       .target_offsets = candidates.target_offsets(),
       .weights = weights,
       .pairs = pairs,
       .negatives = candidates.negatives(),
       .temperature = std::exp(log_temperature.item<double>())},
      gradients);
}

// By distinct row, and from there to the tables.
void TwoTowerModel::State::SumGradients() {
  const int64_t size = batch.size();
  const int32_t f = shape.item_width;
  const bool windows = !begins.defined();
  // Occurrences [ends[part - 1], ends[part]) are the rows of a part.
  const torch::Tensor parts[] = {
      history.grad(), windows ? seed.grad() : history.grad(), candidate.grad()};
  const float* from[] = {parts[0].data_ptr<float>(), parts[1].data_ptr<float>(),
                         parts[2].data_ptr<float>()};
  const int64_t history_end = windows ? size * shape.history_length : size;
  const int64_t seeds_end = history_end + (windows ? size : 0);
  const std::vector<int32_t>& place_begins = batch.place_begins();
  const auto places = static_cast<int64_t>(batch.items().size());
#pragma omp parallel for
  for (int64_t p = 0; p < places; ++p) {
    float* to = &item_rows[p * f];  // reused: the rows are no longer needed
    std::fill_n(to, f, 0.0f);
    for (int32_t i = place_begins[p]; i < place_begins[p + 1]; ++i) {
      const int64_t o = batch.by_place()[i];
      const float* row = o < history_end ? from[0] + o * f
                         : o < seeds_end ? from[1] + (o - history_end) * f
                                         : from[2] + (o - seeds_end) * f;
      for (int32_t j = 0; j < f; ++j) to[j] += row[j];
    }
  }
  items.SumGradients(item_rows);

  const int32_t u = users.width(), r = requests.width();
  if (u + r > 0) {
    std::fill(user_rows.begin(), user_rows.end(), 0.0f);
    const torch::Tensor user_grad = user.grad();
    const float* row = user_grad.data_ptr<float>();
    for (int64_t b = 0; b < size; ++b, row += u + r) {
      float* to = user_rows.data() + int64_t{batch.user_places()[b]} * u;
      for (int32_t j = 0; j < u; ++j) to[j] += row[j];
      CopyRow(row + u, r, request_rows.data() + b * r);
    }
  }
  users.SumGradients(user_rows);
  requests.SumGradients(request_rows);
}

bool TwoTowerModel::State::ApplyGradients() {
  double squares = items.SquaredGradientNorm() + users.SquaredGradientNorm() +
                   requests.SquaredGradientNorm();
  for (const torch::Tensor& weight : DenseParameters()) {
    if (weight.grad().defined()) {
      squares += weight.grad().square().sum().item<double>();
    }
  }
  // Nor could the optimisers hold what is beyond a float.
  if (!(squares <= std::numeric_limits<float>::max())) return false;
  float scale = 1;
  if (config.training().gradient_clip() > 0) {
    scale = static_cast<float>(std::min(
        1.0, config.training().gradient_clip() / (std::sqrt(squares) + 1e-12)));
  }
  if (scale < 1) {
    for (const torch::Tensor& weight : DenseParameters()) {
      if (weight.grad().defined()) weight.grad().mul_(scale);
    }
  }
  for (torch::optim::OptimizerParamGroup& group : optimiser->param_groups()) {
    static_cast<torch::optim::AdamWOptions&>(group.options())
        .lr(learning_rate.Of(step));
  }
  optimiser->step();
  if (config.model().learn_temperature()) {
    log_temperature.data().clamp_(std::log(kLeastTemperature),
                                  std::log(kMostTemperature));
  }
  items.ApplyGradients(scale);
  users.ApplyGradients(scale);
  requests.ApplyGradients(scale);
  return true;
}

double TwoTowerModel::TrainStep(const TrainingExamples& examples) {
  State& s = *state_;
  s.query_tower.train();
  s.item_tower.train();
  torch::manual_seed(Mix64(s.config.seed(), s.step));  // dropout
  s.Fill(examples);
  s.Compose(s.batch);
  s.Gather(s.batch, /*training=*/true);
  std::vector<torch::Tensor*> leaves = {&s.user, &s.history, &s.candidate};
  if (!s.begins.defined()) leaves.push_back(&s.seed);
  for (torch::Tensor* leaf : leaves) {
    *leaf = leaf->detach();
    leaf->requires_grad_(true);
  }
  // Gradients of this step are then taken over, not added to zeros.
  for (torch::Tensor& weight : s.DenseParameters()) {
    weight.mutable_grad().reset();
  }
  // Each operator is differentiated as it is: TorchScript's own differentiation
  // takes addmm and relu apart, which costs passes over memory.
  const torch::jit::GraphOptimizerEnabledGuard plain(false);
  const torch::Tensor query = s.RunQueryTower();
  const torch::Tensor scored = s.item_tower.forward({s.candidate}).toTensor();
  SoftmaxGradients gradients;
  const double loss = s.ComputeLoss(query, scored, gradients);
  if (!std::isfinite(loss)) return loss;
  torch::autograd::backward({query, scored},
                            {gradients.query, gradients.candidate});
  if (s.config.model().learn_temperature()) {
    s.log_temperature.mutable_grad() =
        torch::full({1}, gradients.log_temperature);
  }
  s.SumGradients();
  if (!s.ApplyGradients()) return std::numeric_limits<double>::quiet_NaN();
  ++s.step;
  return loss;
}

}  // namespace segue
