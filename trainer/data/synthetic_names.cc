#include "trainer/data/synthetic_names.h"

#include <cctype>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "trainer/base/random.h"

namespace segue {
namespace {

constexpr const char* kAdjectives[] = {
    "Amber",   "Blue",     "Bright",   "Broken",   "Copper", "Crimson",
    "Distant", "Electric", "Emerald",  "Endless",  "Fading", "Frozen",
    "Gentle",  "Golden",   "Hidden",   "Hollow",   "Indigo", "Ivory",
    "Little",  "Lonely",   "Lunar",    "Midnight", "Neon",   "Northern",
    "Paper",   "Quiet",    "Restless", "Scarlet",  "Second", "Silent",
    "Silver",  "Slow",     "Southern", "Tender",   "Twin",   "Velvet",
    "Violet",  "Wild",     "Winter",   "Young"};
constexpr const char* kNouns[] = {
    "Arcade",  "Avenue",  "Bridge",     "Candle", "Canyon",   "Cinema",
    "Cloud",   "Comet",   "Coast",      "Echo",   "Ember",    "Engine",
    "Feather", "Forest",  "Garden",     "Harbor", "Horizon",  "Island",
    "Lantern", "Letter",  "Lighthouse", "Mirror", "Moon",     "Mountain",
    "Ocean",   "Orchard", "Parade",     "Planet", "Postcard", "Radio",
    "Rain",    "River",   "Rocket",     "Season", "Shadow",   "Signal",
    "Station", "Summer",  "Telephone",  "Tide"};
constexpr const char* kVerbs[] = {
    "Chasing",  "Leaving", "Waiting for", "Dreaming of", "Under",    "After",
    "Counting", "Calling", "Beyond",      "Finding",     "Painting", "Beside"};
constexpr const char* kSyllables[] = {
    "la", "mo", "ri", "ve", "no", "ka", "se", "lu", "mi", "ta", "do", "ne",
    "ra", "si", "vo", "el", "ar", "in", "zu", "pa", "fe", "ly", "ko", "ma"};

template <size_t n>
const char* Pick(const char* const (&words)[n], Random& random) {
  return words[random.Below(n)];
}

std::string Coined(Random& random) {
  std::string word;
  for (int64_t i = 0, n = 2 + random.Below(2); i < n; ++i) {
    word += Pick(kSyllables, random);
  }
  word[0] =
      static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  return word;
}

}  // namespace

std::string SyntheticArtistName(uint64_t key) {
  Random random(key);
  switch (random.Below(5)) {
    case 0:
      return absl::StrCat("The ", Pick(kAdjectives, random), " ",
                          Pick(kNouns, random), "s");
    case 1:
      return absl::StrCat(Pick(kAdjectives, random), " ", Pick(kNouns, random));
    case 2:
      return absl::StrCat(Coined(random), " ", Pick(kNouns, random));
    case 3:
      return absl::StrCat(Coined(random), " & the ", Pick(kNouns, random), "s");
    default:
      return Coined(random);
  }
}

std::string SyntheticTrackTitle(uint64_t key) {
  Random random(key);
  switch (random.Below(5)) {
    case 0:
      return absl::StrCat(Pick(kAdjectives, random), " ", Pick(kNouns, random));
    case 1:
      return absl::StrCat(Pick(kVerbs, random), " the ", Pick(kNouns, random));
    case 2:
      return absl::StrCat(Pick(kNouns, random), " of ", Coined(random));
    case 3:
      return absl::StrCat(Pick(kVerbs, random), " ", Coined(random));
    default:
      return absl::StrCat(Pick(kNouns, random), " in ",
                          Pick(kAdjectives, random), " Light");
  }
}

}  // namespace segue
