#include "trainer/data/synthetic_writer.h"

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "arrow/builder.h"
#include "core/base/status_macros.h"
#include "trainer/base/random.h"
#include "trainer/data/parquet_output.h"
#include "trainer/data/permute_index.h"
#include "trainer/data/synthetic_names.h"

namespace segue {
namespace {

constexpr int64_t kRowsPerGroup = 1 << 20;
// Ids are drawn from this many times as many numbers.
constexpr int64_t kIdSpread = 4;
constexpr const char* kEventTypes[] = {"listen", "like", "dislike", "unlike",
                                       "undislike"};

absl::Status FromArrow(const arrow::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot collect synthetic rows: ", status.message()));
}

std::vector<uint32_t> SparseIds(int64_t n, uint64_t key) {
  std::vector<uint32_t> ids(n);
  for (int64_t i = 0; i < n; ++i) {
    ids[i] = static_cast<uint32_t>(1 + PermuteIndex(i, kIdSpread * n, key));
  }
  return ids;
}

// Rows of one event file on their way into a row group.
struct EventColumns {
  explicit EventColumns(bool has_types) : has_types(has_types) {}

  static std::shared_ptr<arrow::Schema> Schema(bool has_types) {
    arrow::FieldVector fields = {
        arrow::field("uid", arrow::uint32()),
        arrow::field("timestamp", arrow::uint32()),
        arrow::field("item_id", arrow::uint32()),
        arrow::field("is_organic", arrow::uint8()),
        arrow::field("played_ratio_pct", arrow::uint16()),
        arrow::field("track_length_seconds", arrow::uint32())};
    if (has_types) fields.push_back(arrow::field("event_type", arrow::utf8()));
    return arrow::schema(std::move(fields));
  }

  arrow::Status Add(uint32_t user, uint32_t item, uint32_t track_length,
                    const SyntheticEvent& event) {
    ARROW_RETURN_NOT_OK(uid.Append(user));
    ARROW_RETURN_NOT_OK(timestamp.Append(event.time));
    ARROW_RETURN_NOT_OK(item_id.Append(item));
    ARROW_RETURN_NOT_OK(is_organic.Append(event.is_organic));
    if (event.type == SyntheticEvent::kListen) {
      ARROW_RETURN_NOT_OK(played_ratio.Append(event.played_ratio_percent));
      ARROW_RETURN_NOT_OK(length.Append(track_length));
    } else {
      ARROW_RETURN_NOT_OK(played_ratio.AppendNull());
      ARROW_RETURN_NOT_OK(length.AppendNull());
    }
    return has_types ? type.Append(kEventTypes[event.type])
                     : arrow::Status::OK();
  }

  absl::Status Flush(ParquetOutput& output) {
    std::vector<arrow::ArrayBuilder*> builders = {
        &uid, &timestamp, &item_id, &is_organic, &played_ratio, &length};
    if (has_types) builders.push_back(&type);
    std::vector<std::shared_ptr<arrow::Array>> arrays(builders.size());
    for (size_t i = 0; i < builders.size(); ++i) {
      RETURN_IF_ERROR(FromArrow(builders[i]->Finish(&arrays[i])));
    }
    return output.Write(arrays);
  }

  bool has_types;
  arrow::UInt32Builder uid;
  arrow::UInt32Builder timestamp;
  arrow::UInt32Builder item_id;
  arrow::UInt8Builder is_organic;
  arrow::UInt16Builder played_ratio;
  arrow::UInt32Builder length;
  arrow::StringBuilder type;
};

// Pairs of owner and item, one row group.
absl::Status WriteMapping(
    const std::string& path, const std::string& owner_column,
    const std::vector<std::pair<uint32_t, uint32_t>>& pairs) {
  ASSIGN_OR_RETURN(
      auto output,
      ParquetOutput::Create(
          path, arrow::schema({arrow::field(owner_column, arrow::uint32()),
                               arrow::field("item_id", arrow::uint32())})));
  arrow::UInt32Builder owners;
  arrow::UInt32Builder items;
  for (const auto& [owner, item] : pairs) {
    RETURN_IF_ERROR(FromArrow(owners.Append(owner)));
    RETURN_IF_ERROR(FromArrow(items.Append(item)));
  }
  std::vector<std::shared_ptr<arrow::Array>> arrays(2);
  RETURN_IF_ERROR(FromArrow(owners.Finish(&arrays[0])));
  RETURN_IF_ERROR(FromArrow(items.Finish(&arrays[1])));
  RETURN_IF_ERROR(output->Write(arrays));
  return output->Finish();
}

absl::Status WriteItems(const std::string& path,
                        const SyntheticCatalogue& catalogue,
                        const SyntheticIds& ids, uint64_t seed) {
  ASSIGN_OR_RETURN(
      auto output,
      ParquetOutput::Create(path, arrow::schema({
                                      arrow::field("item_id", arrow::uint32()),
                                      arrow::field("title", arrow::utf8()),
                                      arrow::field("artist", arrow::utf8()),
                                  })));
  const auto artist_name = [&](int32_t artist) {
    return SyntheticArtistName(Mix64(seed, artist));
  };
  arrow::UInt32Builder item_ids;
  arrow::StringBuilder titles;
  arrow::StringBuilder artists;
  for (size_t i = 0; i < catalogue.tracks().size(); ++i) {
    const SyntheticTrack& track = catalogue.tracks()[i];
    std::string by = artist_name(track.artist);
    if (track.guest >= 0) absl::StrAppend(&by, ", ", artist_name(track.guest));
    RETURN_IF_ERROR(FromArrow(item_ids.Append(ids.items[i])));
    RETURN_IF_ERROR(
        FromArrow(titles.Append(SyntheticTrackTitle(Mix64(~seed, i)))));
    RETURN_IF_ERROR(FromArrow(artists.Append(by)));
  }
  std::vector<std::shared_ptr<arrow::Array>> arrays(3);
  RETURN_IF_ERROR(FromArrow(item_ids.Finish(&arrays[0])));
  RETURN_IF_ERROR(FromArrow(titles.Finish(&arrays[1])));
  RETURN_IF_ERROR(FromArrow(artists.Finish(&arrays[2])));
  RETURN_IF_ERROR(output->Write(arrays));
  return output->Finish();
}

}  // namespace

SyntheticIds::SyntheticIds(const SyntheticCatalogue& catalogue, uint64_t seed)
    : items(SparseIds(catalogue.tracks().size(), Mix64(seed, 1))),
      artists(SparseIds(catalogue.artists().size(), Mix64(seed, 2))),
      albums(SparseIds(catalogue.albums(), Mix64(seed, 3))) {}

struct SyntheticEventWriter::State {
  State(const SyntheticCatalogue& catalogue, const SyntheticIds& ids)
      : catalogue(catalogue), ids(ids) {}

  const SyntheticCatalogue& catalogue;
  const SyntheticIds& ids;
  std::unique_ptr<ParquetOutput> listens_file;
  std::unique_ptr<ParquetOutput> multi_event_file;
  EventColumns listens{/*has_types=*/false};
  EventColumns multi_event{/*has_types=*/true};

  absl::Status Flush(int64_t more_than) {
    if (listens.uid.length() > more_than) {
      RETURN_IF_ERROR(listens.Flush(*listens_file));
    }
    if (multi_event.uid.length() > more_than) {
      RETURN_IF_ERROR(multi_event.Flush(*multi_event_file));
    }
    return absl::OkStatus();
  }
};

SyntheticEventWriter::SyntheticEventWriter(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
SyntheticEventWriter::~SyntheticEventWriter() = default;

absl::StatusOr<std::unique_ptr<SyntheticEventWriter>>
SyntheticEventWriter::Create(const std::string& folder,
                             const SyntheticCatalogue& catalogue,
                             const SyntheticIds& ids) {
  auto state = std::make_unique<State>(catalogue, ids);
  ASSIGN_OR_RETURN(state->listens_file,
                   ParquetOutput::Create(folder + "/listens.parquet",
                                         EventColumns::Schema(false)));
  ASSIGN_OR_RETURN(state->multi_event_file,
                   ParquetOutput::Create(folder + "/multi_event.parquet",
                                         EventColumns::Schema(true)));
  return std::unique_ptr<SyntheticEventWriter>(
      new SyntheticEventWriter(std::move(state)));
}

absl::Status SyntheticEventWriter::Write(
    uint32_t uid, const std::vector<SyntheticEvent>& events) {
  for (const SyntheticEvent& event : events) {
    const uint32_t item = state_->ids.items[event.track];
    const uint32_t length =
        state_->catalogue.tracks()[event.track].length_seconds;
    RETURN_IF_ERROR(
        FromArrow(state_->multi_event.Add(uid, item, length, event)));
    if (event.type == SyntheticEvent::kListen) {
      RETURN_IF_ERROR(FromArrow(state_->listens.Add(uid, item, length, event)));
    }
  }
  return state_->Flush(kRowsPerGroup);
}

absl::Status SyntheticEventWriter::Finish() {
  RETURN_IF_ERROR(state_->Flush(0));
  RETURN_IF_ERROR(state_->listens_file->Finish());
  return state_->multi_event_file->Finish();
}

absl::Status WriteSyntheticCatalogue(const std::string& folder,
                                     const SyntheticCatalogue& catalogue,
                                     const SyntheticIds& ids, uint64_t seed) {
  std::vector<std::pair<uint32_t, uint32_t>> artists;
  std::vector<std::pair<uint32_t, uint32_t>> albums;
  for (size_t i = 0; i < catalogue.tracks().size(); ++i) {
    const SyntheticTrack& track = catalogue.tracks()[i];
    artists.emplace_back(ids.artists[track.artist], ids.items[i]);
    if (track.guest >= 0) {
      artists.emplace_back(ids.artists[track.guest], ids.items[i]);
    }
    albums.emplace_back(ids.albums[track.album], ids.items[i]);
    if (track.compilation >= 0) {
      albums.emplace_back(ids.albums[track.compilation], ids.items[i]);
    }
  }
  RETURN_IF_ERROR(WriteMapping(folder + "/artist_item_mapping.parquet",
                               "artist_id", artists));
  RETURN_IF_ERROR(
      WriteMapping(folder + "/album_item_mapping.parquet", "album_id", albums));
  return WriteItems(folder + "/items.parquet", catalogue, ids, seed);
}

}  // namespace segue
