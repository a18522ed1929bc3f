// How long torch spends in matrix products.
#ifndef SEGUE_TESTS_BENCH_MATRIX_PRODUCT_TIMER_H_
#define SEGUE_TESTS_BENCH_MATRIX_PRODUCT_TIMER_H_

#include <cstdint>

namespace segue::bench {

// While one exists, torch's own hook for profilers times each call of aten::mm
// and aten::addmm (in forward and backward, with the bias that addmm adds), on
// the thread that calls it. Batched and matrix-vector products do not count:
// there are none worth the name in a step. One at a time.
class MatrixProductTimer {
 public:
  MatrixProductTimer();
  ~MatrixProductTimer();
  MatrixProductTimer(const MatrixProductTimer&) = delete;
  MatrixProductTimer& operator=(const MatrixProductTimer&) = delete;

  // So far.
  double seconds() const;

 private:
  uint64_t handle_;
};

}  // namespace segue::bench

#endif  // SEGUE_TESTS_BENCH_MATRIX_PRODUCT_TIMER_H_
