#include "trainer/model/in_batch_softmax.h"

#include <limits>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace segue {
namespace {

torch::Tensor View(absl::Span<const float> values) {
  return torch::from_blob(const_cast<float*>(values.data()),
                          {static_cast<int64_t>(values.size())});
}

// Sets logit (i, j) to minus infinity where i != j have the same target.
void MaskDuplicates(absl::Span<const int32_t> targets, float* logits) {
  const int64_t size = static_cast<int64_t>(targets.size());
  absl::flat_hash_map<int32_t, int64_t> newest;
  std::vector<int64_t> previous(size, -1);  // same target, earlier in the batch
  for (int64_t i = 0; i < size; ++i) {
    const auto [it, is_new] = newest.try_emplace(targets[i], i);
    if (!is_new) {
      previous[i] = it->second;
      it->second = i;
    }
    for (int64_t j = previous[i]; j >= 0; j = previous[j]) {
      logits[i * size + j] = -std::numeric_limits<float>::infinity();
      logits[j * size + i] = -std::numeric_limits<float>::infinity();
    }
  }
}

}  // namespace

double InBatchSoftmax::Compute(const SoftmaxBatch& batch,
                               SoftmaxGradients& gradients) {
  torch::NoGradGuard no_grad;
  const int64_t size = batch.query.size(0);
  const torch::Tensor query = batch.query.detach();
  const torch::Tensor item = batch.item.detach();
  if (!logits_.defined() || logits_.size(0) != size) {
    logits_ = torch::empty({size, size});
    log_probabilities_ = torch::empty({size, size});
  }
  const double scale = 1 / batch.temperature;
  const torch::Tensor correction =
      batch.log_q.empty() ? torch::zeros({size}) : View(batch.log_q);
  // beta * correction + alpha * query item^T, in one product.
  torch::addmm_out(logits_, correction.unsqueeze(0), query, item.t(),
                   /*beta=*/-1, /*alpha=*/scale);
  if (batch.mask_target_duplicates) {
    MaskDuplicates(batch.targets, logits_.data_ptr<float>());
  }
  at::_log_softmax_out(log_probabilities_, logits_, 1, false);

  const torch::Tensor share =
      (batch.weights.empty() ? torch::ones({size}) : View(batch.weights)) /
      static_cast<double>(size);
  torch::Tensor diagonal = log_probabilities_.diagonal();
  const double loss = -(diagonal * share).sum().item<double>();

  // d loss / d logits = (probability - 1 at the target) * share.
  log_probabilities_.exp_();
  diagonal.sub_(1);
  log_probabilities_.mul_(share.unsqueeze(1));
  gradients.query = log_probabilities_.mm(item).mul_(scale);
  gradients.item = log_probabilities_.t().mm(query).mul_(scale);
  return loss;
}

}  // namespace segue
