#include "core/towers/packed_heads.h"

#include <c10/util/Exception.h>

extern "C" int sgemm_(const char* transa, const char* transb, const int* m,
                      const int* n, const int* k, const float* alpha,
                      const float* a, const int* lda, const float* b,
                      const int* ldb, const float* beta, float* c,
                      const int* ldc);

namespace segue::attention {

// In BLAS's column-major terms: c' = b' a'.
void Gemm(bool transpose_a, bool transpose_b, float alpha, const In& a,
          const In& b, float beta, const Out& c) {
  const char* ta = transpose_a ? "T" : "N";
  const char* tb = transpose_b ? "T" : "N";
  const int m = static_cast<int>(c.rows), n = static_cast<int>(c.columns);
  const int k = static_cast<int>(transpose_a ? a.rows : a.columns);
  const int lda = static_cast<int>(a.stride), ldb = static_cast<int>(b.stride),
            ldc = static_cast<int>(c.stride);
  sgemm_(tb, ta, &n, &m, &k, &alpha, b.data, &ldb, a.data, &lda, &beta, c.data,
         &ldc);
}

void CheckCall(const Tensor& qkv, const Tensor& begins, int64_t heads) {
  TORCH_CHECK(qkv.dim() == 2 && qkv.scalar_type() == torch::kFloat &&
                  qkv.is_contiguous() && heads > 0 &&
                  qkv.size(1) % (3 * heads) == 0,
              "attention: queries, keys and values must be [tokens, 3 * heads "
              "* width] floats");
  TORCH_CHECK(begins.dim() == 1 && begins.scalar_type() == torch::kLong &&
                  begins.is_contiguous() && begins.size(0) >= 1,
              "attention: begins must be [sequences + 1] longs");
  const int64_t* b = begins.data_ptr<int64_t>();
  const int64_t last = begins.size(0) - 1;
  bool ascending = b[0] == 0 && b[last] == qkv.size(0);
  for (int64_t i = 0; i < last; ++i) ascending &= b[i] <= b[i + 1];
  TORCH_CHECK(ascending, "attention: begins must ascend from 0 to tokens");
}

}  // namespace segue::attention
