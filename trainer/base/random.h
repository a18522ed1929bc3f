// Random numbers that are the same on every machine and in every standard
// library: std:: distributions are not.
#ifndef SEGUE_TRAINER_BASE_RANDOM_H_
#define SEGUE_TRAINER_BASE_RANDOM_H_

#include <cmath>
#include <cstdint>

namespace segue {

// Spreads every bit of `x` over the result: the finaliser of SplitMix64
// (Steele, Lea and Flood 2014).
inline uint64_t Mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

inline uint64_t Mix64(uint64_t a, uint64_t b) { return Mix64(Mix64(a) ^ b); }

// 53 bits as a number in [0, 1).
inline double UnitInterval(uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// SplitMix64 and the few distributions that the project needs. Not for secrets.
// One thread.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(Mix64(seed)) {}

  uint64_t Next() {
    const uint64_t x = Mix64(state_);
    state_ += 0x9e3779b97f4a7c15;
    return x;
  }
  // In [0, 1).
  double Uniform() { return UnitInterval(Next()); }
  double Uniform(double low, double high) {
    return low + (high - low) * Uniform();
  }
  // In [0, n). REQUIRES: n >= 1. The bias is n / 2^64 (Lemire 2019).
  int64_t Below(int64_t n) {
    return static_cast<int64_t>(
        (static_cast<unsigned __int128>(Next()) * static_cast<uint64_t>(n)) >>
        64);
  }
  bool Chance(double probability) { return Uniform() < probability; }
  // Mean and standard deviation 0 and 1 (Box and Muller 1958).
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return radius * std::cos(6.283185307179586 * Uniform());
  }
  // Failures before a success: 0, 1, … with mean (1 - p) / p.
  int64_t Geometric(double p) {
    return static_cast<int64_t>(std::log(1 - Uniform()) / std::log1p(-p));
  }

 private:
  uint64_t state_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_BASE_RANDOM_H_
