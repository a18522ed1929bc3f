// How much a test does: what CI can bear, or the whole of it (tests/soak.sh);
// and the figures that it leaves.
#ifndef SEGUE_TESTS_TESTING_SCALE_H_
#define SEGUE_TESTS_TESTING_SCALE_H_

#include <cstdlib>
#include <fstream>
#include <string>

namespace segue::testing {

// SEGUE_SCALE=full in the environment.
inline bool AtFullScale() {
  const char* scale = std::getenv("SEGUE_SCALE");
  return scale != nullptr && std::string(scale) == "full";
}

// How often, how many, how long.
template <typename T>
T AtScale(T in_ci, T full) {
  return AtFullScale() ? full : in_ci;
}

// Appends "number | what | figure | target" to the file that SEGUE_FIGURES
// names, if any: a row of the table of tests/README.md.
inline void LeaveFigure(int number, const std::string& what,
                        const std::string& figure, const std::string& target) {
  const char* path = std::getenv("SEGUE_FIGURES");
  if (path == nullptr) return;
  std::ofstream(path, std::ios::app)
      << number << " | " << what << " | " << figure << " | " << target << '\n';
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_TESTING_SCALE_H_
