#include "core/base/sha256.h"

#include "gmock/gmock.h"

namespace segue {
namespace {

// FIPS 180-4, appendix B.1.
constexpr char kOfAbc[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256Test, GivesThePublishedDigest) {
  EXPECT_EQ(Sha256::OfString("abc"), kOfAbc);
}

TEST(Sha256Test, PiecesMakeNoDifference) {
  Sha256 hash;
  hash.Update("a");
  hash.Update("");
  hash.Update("bc");
  EXPECT_EQ(hash.Finish(), kOfAbc);
}

TEST(Sha256Test, StableHashIsTheFirstEightBytesLittleEndian) {
  EXPECT_EQ(StableHash64("abc"), 0xeacf018fbf1678baULL);
}

}  // namespace
}  // namespace segue
