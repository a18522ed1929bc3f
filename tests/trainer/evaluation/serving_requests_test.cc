#include "trainer/evaluation/serving_requests.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "tests/trainer/toy_dataset.h"

namespace segue {
namespace {

using ::segue::testing::ToyDataset;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Three events with a device (none at the second) and a volume (none at the
// third).
Dataset WithRequestFeatures() {
  Dataset data = ToyDataset({{"a", "b", "c"}});
  FeatureTable device;
  device.name = "device";
  device.values.Add("phone");
  device.values.Add("tv");
  device.begins = {0, 1, 1, 2};
  device.value_rows = {1, 0};
  FeatureTable volume;
  volume.name = "volume";
  volume.kind = v1::NUMERIC;
  volume.numbers = {0.5, 0.25, std::numeric_limits<float>::quiet_NaN()};
  data.log.request_features = {device, volume};
  return data;
}

bool Equals(const v1::RetrieveRequest& request, const std::string& text) {
  v1::RetrieveRequest expected;
  return google::protobuf::TextFormat::ParseFromString(text, &expected) &&
         google::protobuf::util::MessageDifferencer::Equals(request, expected);
}

TEST(ToRequestTest, SendsTheNewestEventsBeforeTheTargetOldestFirst) {
  const Dataset data = ToyDataset({{"z"}, {"a", "b", "c", "b", "d"}});
  const v1::RetrieveRequest request =
      ToRequest(data, {.user = 1, .target = 5}, /*history_length=*/3);
  EXPECT_TRUE(Equals(request,
                     "user_id: 'u1' history: ['b', 'c', 'b']"
                     "history_times: [1, 2, 3] request_time: 4"))
      << request.ShortDebugString();
}

TEST(ToRequestTest, HistoryStopsAtTheUsersFirstEvent) {
  const Dataset data = ToyDataset({{"z", "y"}, {"a", "b", "c"}});
  EXPECT_THAT(ToRequest(data, {.user = 1, .target = 4}, 10).history(),
              ElementsAre("a", "b"));
  EXPECT_THAT(ToRequest(data, {.user = 1, .target = 2}, 10).history(),
              IsEmpty());
}

TEST(ToRequestTest, RequestFeaturesAreThoseOfTheTarget) {
  const Dataset data = WithRequestFeatures();
  const v1::RetrieveRequest first =
      ToRequest(data, {.user = 0, .target = 0}, 10);
  EXPECT_TRUE(Equals(first,
                     "user_id: 'u0'"
                     "request_features { name: 'device' category: 'tv' }"
                     "request_features { name: 'volume' number: 0.5 }"))
      << first.ShortDebugString();
}

TEST(ToRequestTest, WhatTheDataLacksIsNotSent) {
  const Dataset data = WithRequestFeatures();
  const v1::RetrieveRequest second =
      ToRequest(data, {.user = 0, .target = 1}, 10);
  EXPECT_TRUE(Equals(second,
                     "user_id: 'u0' history: 'a'"
                     "history_times: 0 request_time: 1 "
                     "request_features { name: 'volume' number: 0.25 }"))
      << second.ShortDebugString();
  const v1::RetrieveRequest third =
      ToRequest(data, {.user = 0, .target = 2}, 10);
  EXPECT_TRUE(Equals(third,
                     "user_id: 'u0' history: ['a', 'b']"
                     "history_times: [0, 1] request_time: 2 "
                     "request_features { name: 'device' category: 'phone' }"))
      << third.ShortDebugString();
}

TEST(ToRequestTest, AnOrderIsNoTime) {
  Dataset data = ToyDataset({{"a", "b", "c"}});
  data.log.time_unit = v1::EventsConfig::ORDER;
  EXPECT_TRUE(Equals(ToRequest(data, {.user = 0, .target = 2}, 10),
                     "user_id: 'u0' history: ['a', 'b']"));
}

// 0 would be the server's clock.
TEST(ToRequestTest, ARequestAtTime0HasNoTimes) {
  Dataset data = ToyDataset({{"a", "b"}});
  data.log.times = {0, 0};
  EXPECT_TRUE(Equals(ToRequest(data, {.user = 0, .target = 1}, 10),
                     "user_id: 'u0' history: 'a'"));
}

}  // namespace
}  // namespace segue
