// The music of the synthetic data set: who made what, and what resembles what.
#ifndef SEGUE_TRAINER_DATA_SYNTHETIC_CATALOGUE_H_
#define SEGUE_TRAINER_DATA_SYNTHETIC_CATALOGUE_H_

#include <cstdint>
#include <vector>

#include "trainer/base/random.h"

namespace segue {

// 300 days and a little, as Yambda.
inline constexpr uint32_t kSyntheticEndSeconds = 26'000'000;
// Yambda's clock.
inline constexpr uint32_t kSyntheticStepSeconds = 5;

struct SyntheticTrack {
  int32_t artist = 0;
  int32_t guest = -1;  // second artist
  int32_t album = 0;
  int32_t compilation = -1;  // second album
  uint32_t length_seconds = 0;
  uint32_t release_seconds = 0;  // not heard before
};

// Tracks [first_track, first_track + tracks) in order of their albums; the
// first one is out from the beginning.
struct SyntheticArtist {
  int32_t genre = 0;
  int32_t first_track = 0;
  int32_t tracks = 0;
};

// Artists [first_artist, first_artist + artists) stand on a ring: neighbours
// sound alike. Popularity is independent of the place.
struct SyntheticGenre {
  int32_t first_artist = 0;
  int32_t artists = 0;
};

// Immutable once built; any thread.
class SyntheticCatalogue {
 public:
  // Exactly `items` tracks. REQUIRES: 1 <= items <= 2^29.
  SyntheticCatalogue(int64_t items, uint64_t seed);

  const std::vector<SyntheticTrack>& tracks() const { return tracks_; }
  const std::vector<SyntheticArtist>& artists() const { return artists_; }
  const std::vector<SyntheticGenre>& genres() const { return genres_; }
  int32_t albums() const { return albums_; }

  // Draws by popularity, which has a long tail.
  int32_t DrawGenre(Random& random) const;
  int32_t DrawArtist(int32_t genre, Random& random) const;
  int32_t DrawTrack(int32_t artist, Random& random) const;
  // The artist `steps` further on the ring of its genre.
  int32_t Neighbour(int32_t artist, int64_t steps) const;

 private:
  void AddArtists(int64_t items, Random& random);
  void AddTracks(SyntheticArtist& artist, Random& random);
  void AddGenres(Random& random);
  void AddGuests(Random& random);

  std::vector<SyntheticTrack> tracks_;
  std::vector<SyntheticArtist> artists_;
  std::vector<SyntheticGenre> genres_;
  int32_t albums_ = 0;
  // Running sums of popularity: all genres; within each genre; within each
  // artist.
  std::vector<double> genre_sums_;
  std::vector<double> artist_sums_;
  std::vector<float> track_sums_;
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_SYNTHETIC_CATALOGUE_H_
