#include "trainer/data/synthetic_listener.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace segue {
namespace {

constexpr double kDay = 86400;
constexpr double kDriftSeconds = 60 * kDay;
constexpr double kSessionListens = 12;     // on average
constexpr double kSecondsPerListen = 200;  // about
constexpr double kShareOfTime = 0.6;       // that listening can fill
constexpr double kTasteWidth = 0.25;       // of a genre's ring
constexpr size_t kMaxFavourites = 48;
// What comes next within a session; what is left is a recommendation.
constexpr double kSameArtist = 0.48;
constexpr double kSimilarArtist = 0.22;
constexpr double kFavourite = 0.14;
constexpr double kSameTaste = 0.10;

}  // namespace

SyntheticListener::SyntheticListener(const SyntheticCatalogue& catalogue,
                                     uint64_t seed)
    : catalogue_(catalogue), random_(seed) {
  const int64_t tastes = 2 + random_.Below(4);
  for (int64_t i = 0; i < tastes; ++i) tastes_.push_back(DrawTaste());
  if (random_.Chance(0.3))
    joined_ = random_.Uniform() * 0.8 * kSyntheticEndSeconds;
}

SyntheticListener::Taste SyntheticListener::DrawTaste() {
  Taste taste;
  taste.genre = catalogue_.DrawGenre(random_);
  taste.centre = catalogue_.DrawArtist(taste.genre, random_);
  taste.weight = random_.Uniform(0.2, 1);
  return taste;
}

const SyntheticListener::Taste& SyntheticListener::PickTaste() {
  double sum = 0;
  for (const Taste& taste : tastes_) sum += taste.weight;
  double x = random_.Uniform() * sum;
  for (const Taste& taste : tastes_) {
    x -= taste.weight;
    if (x < 0) return taste;
  }
  return tastes_.back();
}

// Popular artists not far from the taste's centre.
int32_t SyntheticListener::PickArtist(const Taste& taste) {
  const int32_t n = catalogue_.genres()[taste.genre].artists;
  for (int tries = 0; tries < 16; ++tries) {
    const int32_t artist = catalogue_.DrawArtist(taste.genre, random_);
    const int32_t steps = std::abs(artist - taste.centre);
    const double distance = std::min(steps, n - steps) / static_cast<double>(n);
    if (random_.Uniform() > distance / kTasteWidth) return artist;
  }
  return taste.centre;
}

int32_t SyntheticListener::PickTrack(int32_t artist, double time) {
  for (int tries = 0; tries < 4; ++tries) {
    const int32_t track = catalogue_.DrawTrack(artist, random_);
    if (catalogue_.tracks()[track].release_seconds <= time) return track;
  }
  return catalogue_.artists()[artist].first_track;
}

// Newer favourites more often than older ones.
int32_t SyntheticListener::PickFavourite() {
  const int64_t n = static_cast<int64_t>(favourites_.size());
  return favourites_[std::max(random_.Below(n), random_.Below(n))];
}

void SyntheticListener::Drift(double time) {
  const int period = static_cast<int>(time / kDriftSeconds);
  for (; period_ < period; ++period_) {
    for (Taste& taste : tastes_) {
      taste.centre = catalogue_.Neighbour(taste.centre, random_.Below(5) - 2);
      taste.weight =
          std::clamp(taste.weight * random_.Uniform(0.6, 1.6), 0.1, 1.5);
    }
    if (random_.Chance(0.4)) {
      tastes_[random_.Below(tastes_.size())] = DrawTaste();
    }
  }
}

SyntheticListener::Choice SyntheticListener::Begin(const Taste& taste,
                                                   double time) {
  if (!favourites_.empty() && random_.Chance(0.35)) {
    const int32_t track = PickFavourite();
    artist_ = catalogue_.tracks()[track].artist;
    return {track, 0.92, true};
  }
  artist_ = PickArtist(taste);
  return {PickTrack(artist_, time), 0.75, true};
}

SyntheticListener::Choice SyntheticListener::Continue(const Taste& taste,
                                                      double time) {
  double x = random_.Uniform();
  if (x < kSameArtist) return {PickTrack(artist_, time), 0.85, true};
  x -= kSameArtist;
  if (x < kSimilarArtist) {
    const int64_t steps = 1 + random_.Geometric(0.5);
    artist_ =
        catalogue_.Neighbour(artist_, random_.Chance(0.5) ? steps : -steps);
    return {PickTrack(artist_, time), 0.75, random_.Chance(0.5)};
  }
  x -= kSimilarArtist;
  if (x < kFavourite && !favourites_.empty()) {
    return {PickFavourite(), 0.92, true};
  }
  x -= kFavourite;
  if (x < kSameTaste) {
    artist_ = PickArtist(taste);
    return {PickTrack(artist_, time), 0.75, random_.Chance(0.7)};
  }
  // A recommendation from anywhere; the session goes on where it was.
  const int32_t artist =
      catalogue_.DrawArtist(catalogue_.DrawGenre(random_), random_);
  return {PickTrack(artist, time), 0.3, false};
}

void SyntheticListener::React(const SyntheticEvent& listen, bool played_out,
                              std::vector<SyntheticEvent>& events) {
  const auto add = [&](SyntheticEvent::Type type, int32_t track) {
    events.push_back({listen.time, track, type, listen.is_organic, 0});
  };
  if (played_out && random_.Chance(0.03)) {
    add(SyntheticEvent::kLike, listen.track);
    liked_.push_back(listen.track);
  } else if (!played_out && random_.Chance(0.03)) {
    add(SyntheticEvent::kDislike, listen.track);
    if (random_.Chance(0.05)) add(SyntheticEvent::kUndislike, listen.track);
  }
  if (!liked_.empty() && random_.Chance(0.001)) {
    add(SyntheticEvent::kUnlike, liked_.back());
    liked_.pop_back();
  }
}

double SyntheticListener::PlaySession(int64_t listens, double time,
                                      std::vector<SyntheticEvent>& events) {
  const Taste taste = PickTaste();
  for (int64_t i = 0; i < listens; ++i) {
    const Choice choice = i == 0 ? Begin(taste, time) : Continue(taste, time);
    const SyntheticTrack& track = catalogue_.tracks()[choice.track];
    const bool played_out = random_.Chance(choice.liking);
    int64_t ratio = 1 + random_.Below(70);
    if (played_out) ratio = random_.Chance(0.8) ? 100 : 80 + random_.Below(20);

    SyntheticEvent event;
    const auto steps = static_cast<uint32_t>(time / kSyntheticStepSeconds);
    event.time = std::min(steps * kSyntheticStepSeconds, kSyntheticEndSeconds);
    event.track = choice.track;
    event.is_organic = choice.is_organic;
    event.played_ratio_percent = static_cast<uint16_t>(ratio);
    events.push_back(event);
    React(event, played_out, events);
    if (played_out && random_.Chance(0.2)) {
      favourites_.push_back(choice.track);
      if (favourites_.size() > kMaxFavourites) {
        favourites_.erase(favourites_.begin());
      }
    }
    time += pace_ * (5 + 0.01 * ratio * track.length_seconds);
  }
  return time;
}

std::vector<double> SyntheticListener::SessionStarts(int64_t sessions) {
  const double span = kSyntheticEndSeconds - joined_;
  std::vector<double> starts(sessions);
  for (double& start : starts) {
    const double day = std::floor(random_.Uniform() * span / kDay);
    // Most between morning and midnight, in the late afternoon above all.
    const double hour = 6 + 9 * (random_.Uniform() + random_.Uniform());
    start = std::min(joined_ + day * kDay + hour * 3600,
                     static_cast<double>(kSyntheticEndSeconds));
  }
  std::sort(starts.begin(), starts.end());
  return starts;
}

void SyntheticListener::Listen(int64_t listens,
                               std::vector<SyntheticEvent>& events) {
  std::vector<int64_t> sizes;
  for (int64_t left = listens; left > 0; left -= sizes.back()) {
    sizes.push_back(std::min(left, 1 + random_.Geometric(1 / kSessionListens)));
  }
  const double needed = static_cast<double>(listens) * kSecondsPerListen;
  pace_ =
      std::min(1.0, kShareOfTime * (kSyntheticEndSeconds - joined_) / needed);
  const std::vector<double> starts = SessionStarts(sizes.size());
  double time = 0;
  for (size_t s = 0; s < sizes.size(); ++s) {
    time = std::max(time, starts[s]);
    Drift(time);
    time = PlaySession(sizes[s], time, events);
  }
}

}  // namespace segue
