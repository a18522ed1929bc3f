#include "server/lifecycle/snapshot_holder.h"

#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace segue {
namespace {

std::shared_ptr<const ServingSnapshot> Named(const std::string& version) {
  auto snapshot = std::make_shared<ServingSnapshot>();
  snapshot->version = version;
  return snapshot;
}

TEST(SnapshotHolderTest, HoldsNothingBeforeTheFirstPublication) {
  EXPECT_EQ(SnapshotHolder().Get(), nullptr);
}

TEST(SnapshotHolderTest, PublishReturnsWhatWasThereBefore) {
  SnapshotHolder holder;
  EXPECT_EQ(holder.Publish(Named("one")), nullptr);
  EXPECT_EQ(holder.Get()->version, "one");
  EXPECT_EQ(holder.Publish(Named("two"))->version, "one");
  EXPECT_EQ(holder.Get()->version, "two");
}

TEST(SnapshotHolderTest, TheOneBeforeIsHeldAndSwapsBack) {
  SnapshotHolder holder;
  EXPECT_EQ(holder.Publish(Named("one"), /*hold=*/true), nullptr);
  EXPECT_EQ(holder.previous(), nullptr);
  EXPECT_EQ(holder.Publish(Named("two"), /*hold=*/true), nullptr);
  EXPECT_EQ(holder.previous()->version, "one");
  EXPECT_EQ(holder.Publish(Named("three"), /*hold=*/true)->version, "one");
  EXPECT_EQ(holder.Get("two")->version, "two");
  EXPECT_EQ(holder.Get("one"), nullptr);
  holder.SwapBack();
  EXPECT_EQ(holder.Get()->version, "two");
  EXPECT_EQ(holder.previous()->version, "three");
  EXPECT_EQ(holder.DropPrevious()->version, "three");
  EXPECT_EQ(holder.DropPrevious(), nullptr);
  EXPECT_EQ(holder.Unload()->version, "two");
  EXPECT_EQ(holder.Get(), nullptr);
}

TEST(SnapshotHolderTest, AShadowIsFoundByItsNameAndPromoted) {
  SnapshotHolder holder;
  ASSERT_EQ(holder.Publish(Named("one"), /*hold=*/true), nullptr);
  ASSERT_EQ(holder.Publish(Named("two"), /*hold=*/true), nullptr);
  EXPECT_EQ(holder.SetShadow(Named("three")), nullptr);
  EXPECT_EQ(holder.SetShadow(Named("four"))->version, "three");
  EXPECT_EQ(holder.Get()->version, "two");
  EXPECT_EQ(holder.Get("four")->version, "four");
  EXPECT_EQ(holder.PromoteShadow(/*hold=*/true)->version, "one");
  EXPECT_EQ(holder.Get()->version, "four");
  EXPECT_EQ(holder.previous()->version, "two");
  EXPECT_EQ(holder.shadow(), nullptr);
  EXPECT_EQ(holder.ShadowPrevious(), nullptr);
  EXPECT_EQ(holder.shadow()->version, "two");
  EXPECT_EQ(holder.previous(), nullptr);
  EXPECT_EQ(holder.PromoteShadow(/*hold=*/false)->version, "four");
}

TEST(SnapshotHolderTest, AUserKeepsItsSnapshotAcrossAPublication) {
  SnapshotHolder holder;
  ASSERT_EQ(holder.Publish(Named("one")), nullptr);
  const auto used = holder.Get();
  auto retired = holder.Publish(Named("two"));
  EXPECT_EQ(used->version, "one");
  EXPECT_EQ(retired.use_count(), 2);
}

TEST(SnapshotHolderTest, ARetiredSnapshotWithoutUsersHasOneOwner) {
  SnapshotHolder holder;
  ASSERT_EQ(holder.Publish(Named("one")), nullptr);
  auto retired = holder.Publish(Named("two"));
  EXPECT_EQ(retired.use_count(), 1);
}

TEST(SnapshotHolderTest, ReadersSeeWholeSnapshotsInOrder) {
  constexpr int kPublications = 200;
  SnapshotHolder holder;
  ASSERT_EQ(holder.Publish(Named(std::string(1, '\1'))), nullptr);
  std::latch begin(4);
  std::vector<std::thread> readers;
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      begin.arrive_and_wait();
      for (size_t last = 1; last < kPublications;) {
        const auto snapshot = holder.Get();
        const size_t length = snapshot->version.size();
        ASSERT_GE(length, last);
        ASSERT_EQ(snapshot->version, std::string(length, '\1'));
        last = length;
      }
    });
  }
  begin.arrive_and_wait();
  for (int i = 2; i <= kPublications; ++i) {
    EXPECT_EQ(holder.Publish(Named(std::string(i, '\1')))->version.size(),
              static_cast<size_t>(i - 1));
  }
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace segue
