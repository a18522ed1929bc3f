// A linear layer for a few rows at once, as a server embeds them. Private to
// core/towers and its benchmarks.
#ifndef SEGUE_CORE_TOWERS_FEW_ROWS_LINEAR_H_
#define SEGUE_CORE_TOWERS_FEW_ROWS_LINEAR_H_

#include <cstdint>

namespace segue {

// A number of 16 bits (IEEE 754 binary16), by its bits.
struct Half {
  uint16_t bits;
};

// Whether the processor turns halves into floats at no cost; else weights are
// better left as floats.
bool HasFastHalves();

// y [rows, out] = x [rows, in] weight^T + bias, row-major, weight [out, in];
// and what is below 0 becomes 0, if `relu`.
//
// A general product lays its operands out anew before it multiplies, which pays
// from some dozen rows on. Here a block of weights meets all rows while it lies
// in the nearest cache, in the order in which it lies in memory. A row's result
// does not depend on the others.
//
// Weights come as floats or, half as many bytes to fetch, as halves; sums are
// floats either way. REQUIRES of halves: HasFastHalves().
void FewRowsLinear(const float* x, int64_t rows, const float* weight,
                   const float* bias, int64_t in, int64_t out, bool relu,
                   float* y);
void FewRowsLinear(const float* x, int64_t rows, const Half* weight,
                   const float* bias, int64_t in, int64_t out, bool relu,
                   float* y);

}  // namespace segue

#endif  // SEGUE_CORE_TOWERS_FEW_ROWS_LINEAR_H_
