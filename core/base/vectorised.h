// Loops over floats, compiled for the processors that people have.
#ifndef SEGUE_CORE_BASE_VECTORISED_H_
#define SEGUE_CORE_BASE_VECTORISED_H_

namespace segue {

#if defined(__x86_64__)

template <typename Work>
__attribute__((target("avx2,fma"), flatten)) void WithAvx2(const Work& work) {
  work();
}

// Calls work(), with all that is inlined into it compiled for AVX2 and FMA
// where the processor has them: the build is for any x86-64. Results may differ
// in the last bit between the two kinds of processors, never on one. Worth it
// for some hundred floats a call.
template <typename Work>
void Vectorised(const Work& work) {
  static const bool has_avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (has_avx2) {
    WithAvx2(work);
  } else {
    work();
  }
}

#else

template <typename Work>
void Vectorised(const Work& work) {
  work();
}

#endif

}  // namespace segue

#endif  // SEGUE_CORE_BASE_VECTORISED_H_
