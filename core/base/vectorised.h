// Loops over floats, compiled for the processors that people have.
#ifndef SEGUE_CORE_BASE_VECTORISED_H_
#define SEGUE_CORE_BASE_VECTORISED_H_

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace segue {

#if defined(__x86_64__)

// What Vectorised() compiles for, where the processor has all of it.
#define SEGUE_VECTOR_TARGET "avx2,fma,f16c"

// clang's __builtin_cpu_supports() does not know F16C.
inline bool HasF16c() {
  unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

inline bool HasVectorTarget() {
  static const bool has = __builtin_cpu_supports("avx2") &&
                          __builtin_cpu_supports("fma") && HasF16c();
  return has;
}

template <typename Work>
__attribute__((target(SEGUE_VECTOR_TARGET), flatten)) void WithVectorTarget(
    const Work& work) {
  work();
}

// Calls work(), with all that is inlined into it compiled for AVX2, FMA and
// F16C where the processor has them: the build is for any x86-64. Results may
// differ in the last bit between the two kinds of processors, never on one.
// Worth it for some hundred floats a call.
template <typename Work>
void Vectorised(const Work& work) {
  if (HasVectorTarget()) {
    WithVectorTarget(work);
  } else {
    work();
  }
}

#else

inline bool HasVectorTarget() { return false; }

template <typename Work>
void Vectorised(const Work& work) {
  work();
}

#endif

}  // namespace segue

#endif  // SEGUE_CORE_BASE_VECTORISED_H_
