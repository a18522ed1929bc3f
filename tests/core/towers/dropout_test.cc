#include <omp.h>
#include <torch/types.h>

#include "core/towers/attention.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

using attention::DropoutOperator;
using torch::Tensor;

// Several pieces of work and a part of one.
constexpr int64_t kRows = 300, kColumns = 70;

Tensor Drop(const Tensor& x, double share, int64_t seed) {
  torch::manual_seed(seed);
  return DropoutOperator(x, share, /*training=*/true);
}

TEST(DropoutTest, DropsItsShareAndKeepsTheMean) {
  const Tensor ones = torch::ones({kRows, kColumns});
  for (const double share : {0.1, 0.5, 0.8}) {
    const Tensor out = Drop(ones, share, 1);
    EXPECT_NEAR((out == 0).to(torch::kFloat).mean().item<double>(), share,
                0.02);
    EXPECT_NEAR(out.max().item<double>(), 1 / (1 - share), 1e-6);
    EXPECT_NEAR(out.mean().item<double>(), 1, 0.05);
    // Neither whole rows nor whole columns.
    for (const int64_t dimension : {0, 1}) {
      EXPECT_GT(out.sum(dimension).min().item<double>(), 0) << share;
    }
  }
}

TEST(DropoutTest, EachCallDrawsAnotherMaskFromTorchsSeed) {
  const Tensor ones = torch::ones({kRows, kColumns});
  const Tensor one = Drop(ones, 0.5, 1);
  const Tensor next = DropoutOperator(ones, 0.5, true);
  // Of two masks half of the places agree.
  EXPECT_NEAR((one == next).to(torch::kFloat).mean().item<double>(), 0.5, 0.02);
  EXPECT_TRUE(torch::equal(one, Drop(ones, 0.5, 1)));
  EXPECT_TRUE(torch::equal(next, DropoutOperator(ones, 0.5, true)));
}

TEST(DropoutTest, TheNumberOfThreadsDoesNotMatter) {
  const Tensor x = torch::randn({kRows, kColumns});
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const Tensor one = Drop(x, 0.5, 1);
  omp_set_num_threads(4);
  const Tensor many = Drop(x, 0.5, 1);
  omp_set_num_threads(threads);
  EXPECT_TRUE(torch::equal(one, many));
}

TEST(DropoutTest, GradientsAreDroppedAlike) {
  const Tensor x = torch::rand({kRows, kColumns}) + 1;
  x.requires_grad_(true);
  const Tensor out = Drop(x, 0.3, 2);
  // Along a view that is not contiguous.
  const Tensor along = torch::randn({kColumns, kRows}).t();
  out.backward(along);
  EXPECT_TRUE(torch::allclose(x.grad(), out.detach() / x.detach() * along));
}

TEST(DropoutTest, NothingIsDroppedOutsideOfTraining) {
  const Tensor x = torch::randn({kRows, kColumns});
  EXPECT_TRUE(torch::equal(DropoutOperator(x, 0.5, /*training=*/false), x));
  EXPECT_TRUE(torch::equal(Drop(x, 0, 1), x));
}

TEST(DropoutTest, AShareOfAllIsRefused) {
  EXPECT_THROW(DropoutOperator(torch::ones({2}), 1, true), c10::Error);
}

}  // namespace
}  // namespace segue
