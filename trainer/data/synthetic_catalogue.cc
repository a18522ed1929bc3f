#include "trainer/data/synthetic_catalogue.h"

#include <algorithm>
#include <cmath>

#include "trainer/data/permute_index.h"

namespace segue {
namespace {

constexpr int64_t kItemsPerGenre = 400;
constexpr int64_t kMinGenres = 4;
constexpr int64_t kMaxGenres = 64;
constexpr int32_t kMinTracksPerArtist = 3;
constexpr double kMoreTracksPerArtist = 10;  // on average
constexpr int32_t kTracksPerAlbum = 10;
// Popularity falls as rank^-x within a genre and within an artist.
constexpr double kArtistExponent = 0.8;
constexpr double kTrackExponent = 0.7;
constexpr double kGenreExponent = 0.4;
constexpr double kGuestShare = 0.1;
constexpr double kCompilationShare = 0.08;
constexpr double kNewReleaseShare = 0.08;

// Appends running sums of `n` popularities, ranks in a random order.
template <typename T>
void AppendSums(int64_t n, double exponent, uint64_t key,
                std::vector<T>& sums) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    sum += std::pow(PermuteIndex(i, n, key) + 1.0, -exponent);
    sums.push_back(static_cast<T>(sum));
  }
}

// A place in sums[first, first + n), with the probability of its share.
template <typename T>
int32_t DrawFrom(const std::vector<T>& sums, int64_t first, int64_t n,
                 Random& random) {
  const auto begin = sums.begin() + first;
  const T x = static_cast<T>(random.Uniform() * begin[n - 1]);
  const auto found = std::upper_bound(begin, begin + n, x);
  return static_cast<int32_t>(std::min<int64_t>(found - begin, n - 1));
}

}  // namespace

SyntheticCatalogue::SyntheticCatalogue(int64_t items, uint64_t seed) {
  Random random(seed);
  AddArtists(items, random);
  AddGenres(random);
  AddGuests(random);
}

void SyntheticCatalogue::AddArtists(int64_t items, Random& random) {
  tracks_.reserve(items);
  track_sums_.reserve(items);
  while (static_cast<int64_t>(tracks_.size()) < items) {
    SyntheticArtist artist;
    artist.first_track = static_cast<int32_t>(tracks_.size());
    artist.tracks = static_cast<int32_t>(std::min<int64_t>(
        kMinTracksPerArtist + random.Geometric(1 / (1 + kMoreTracksPerArtist)),
        items - artist.first_track));
    AddTracks(artist, random);
    AppendSums(artist.tracks, kTrackExponent, random.Next(), track_sums_);
    artists_.push_back(artist);
  }
}

void SyntheticCatalogue::AddTracks(SyntheticArtist& artist, Random& random) {
  const double usual_length = random.Uniform(160, 300);
  uint32_t release = 0;
  for (int32_t i = 0; i < artist.tracks; ++i) {
    if (i % kTracksPerAlbum == 0) {
      // An album comes out as a whole.
      ++albums_;
      release = i > 0 && random.Chance(2 * kNewReleaseShare)
                    ? random.Below(kSyntheticEndSeconds)
                    : 0;
    }
    SyntheticTrack track;
    track.artist = static_cast<int32_t>(artists_.size());
    track.album = albums_ - 1;
    const double length = usual_length * std::exp(0.2 * random.Normal());
    track.length_seconds =
        static_cast<uint32_t>(std::clamp(length, 45.0, 900.0));
    const bool single = i > 0 && random.Chance(kNewReleaseShare);
    track.release_seconds =
        single ? random.Below(kSyntheticEndSeconds) : release;
    tracks_.push_back(track);
  }
}

void SyntheticCatalogue::AddGenres(Random& random) {
  const int64_t artists = static_cast<int64_t>(artists_.size());
  const int64_t genres = std::min(
      artists, std::clamp(static_cast<int64_t>(tracks_.size()) / kItemsPerGenre,
                          kMinGenres, kMaxGenres));
  for (int64_t g = 0; g < genres; ++g) {
    SyntheticGenre genre;
    genre.first_artist = static_cast<int32_t>(artists * g / genres);
    genre.artists =
        static_cast<int32_t>(artists * (g + 1) / genres) - genre.first_artist;
    for (int32_t a = 0; a < genre.artists; ++a) {
      artists_[genre.first_artist + a].genre = static_cast<int32_t>(g);
    }
    AppendSums(genre.artists, kArtistExponent, random.Next(), artist_sums_);
    genres_.push_back(genre);
  }
  AppendSums(genres, kGenreExponent, random.Next(), genre_sums_);
}

void SyntheticCatalogue::AddGuests(Random& random) {
  for (SyntheticTrack& track : tracks_) {
    const SyntheticArtist& artist = artists_[track.artist];
    if (random.Chance(kGuestShare)) {
      const int32_t guest = Neighbour(track.artist, 1 + random.Geometric(0.5));
      if (guest != track.artist) track.guest = guest;
    }
    // "The best of": the artist's first album also holds later tracks.
    const int32_t first_album = tracks_[artist.first_track].album;
    if (track.album != first_album && random.Chance(kCompilationShare)) {
      track.compilation = first_album;
    }
  }
}

int32_t SyntheticCatalogue::DrawGenre(Random& random) const {
  return DrawFrom(genre_sums_, 0, genre_sums_.size(), random);
}

int32_t SyntheticCatalogue::DrawArtist(int32_t genre, Random& random) const {
  const int32_t first = genres_[genre].first_artist;
  return first + DrawFrom(artist_sums_, first, genres_[genre].artists, random);
}

int32_t SyntheticCatalogue::DrawTrack(int32_t artist, Random& random) const {
  const int32_t first = artists_[artist].first_track;
  return first + DrawFrom(track_sums_, first, artists_[artist].tracks, random);
}

int32_t SyntheticCatalogue::Neighbour(int32_t artist, int64_t steps) const {
  const SyntheticGenre& genre = genres_[artists_[artist].genre];
  const int64_t n = genre.artists;
  const int64_t place = (artist - genre.first_artist + steps) % n;
  return genre.first_artist + static_cast<int32_t>((place + n) % n);
}

}  // namespace segue
