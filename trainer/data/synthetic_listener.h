// One user of the synthetic data set.
#ifndef SEGUE_TRAINER_DATA_SYNTHETIC_LISTENER_H_
#define SEGUE_TRAINER_DATA_SYNTHETIC_LISTENER_H_

#include <cstdint>
#include <vector>

#include "trainer/base/random.h"
#include "trainer/data/synthetic_catalogue.h"

namespace segue {

struct SyntheticEvent {
  enum Type : uint8_t { kListen, kLike, kDislike, kUnlike, kUndislike };

  uint32_t time = 0;
  int32_t track = 0;
  Type type = kListen;
  bool is_organic = true;             // chosen, not recommended
  uint16_t played_ratio_percent = 0;  // of a listen
};

// Listens in sessions around an artist, its neighbours and old favourites, so
// that what was heard last foretells what comes next. Tastes, a few genres and
// a place on each one's ring, drift every two months. What suits the taste is
// played to its end. Borrows the catalogue; one thread.
class SyntheticListener {
 public:
  SyntheticListener(const SyntheticCatalogue& catalogue, uint64_t seed);

  // Appends exactly `listens` of them, with likes and dislikes between, by
  // ascending time.
  void Listen(int64_t listens, std::vector<SyntheticEvent>& events);

 private:
  struct Taste {
    int32_t genre = 0;
    int32_t centre = 0;  // an artist
    double weight = 1;
  };
  // What plays next and how likely the user is to hear it out.
  struct Choice {
    int32_t track = 0;
    double liking = 0;
    bool is_organic = true;
  };

  std::vector<double> SessionStarts(int64_t sessions);
  void Drift(double time);
  Taste DrawTaste();
  const Taste& PickTaste();
  int32_t PickArtist(const Taste& taste);
  int32_t PickTrack(int32_t artist, double time);
  int32_t PickFavourite();
  Choice Begin(const Taste& taste, double time);
  Choice Continue(const Taste& taste, double time);
  double PlaySession(int64_t listens, double time,
                     std::vector<SyntheticEvent>& events);
  void React(const SyntheticEvent& listen, bool played_out,
             std::vector<SyntheticEvent>& events);

  const SyntheticCatalogue& catalogue_;
  Random random_;
  std::vector<Taste> tastes_;
  std::vector<int32_t> favourites_;  // tracks, oldest first
  std::vector<int32_t> liked_;       // tracks with a like that stands
  double joined_ = 0;                // seconds
  double pace_ = 1;                  // below 1: listens overlap real time
  int period_ = 0;
  int32_t artist_ = 0;  // that the session is with
};

}  // namespace segue

#endif  // SEGUE_TRAINER_DATA_SYNTHETIC_LISTENER_H_
