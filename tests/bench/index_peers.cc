#include "tests/bench/index_peers.h"

#include <faiss/IndexFlat.h>
#include <faiss/IndexHNSW.h>
#include <faiss/IndexIVFPQ.h>
#include <faiss/impl/io.h>
#include <faiss/index_factory.h>
#include <faiss/index_io.h>

#if SEGUE_HAS_HNSWLIB
#include <hnswlib/hnswlib.h>
#endif

#include <algorithm>

#include "core/index/faiss_support.h"

namespace segue::bench {
namespace {

std::vector<int32_t> Doubled(int32_t from, int32_t to) {
  std::vector<int32_t> settings;
  for (int32_t setting = from; setting <= to; setting *= 2) {
    settings.push_back(setting);
    if (setting + setting / 2 < to) settings.push_back(setting + setting / 2);
  }
  return settings;
}

// One of FAISS's factory.
class FaissPeer : public Peer {
 public:
  FaissPeer(std::string factory, std::vector<int32_t> settings)
      : factory_(std::move(factory)), settings_(std::move(settings)) {}

  std::string name() const override { return "FAISS " + factory_; }
  void Build(absl::Span<const float> vectors, int32_t d) override {
    index_.reset(
        faiss::index_factory(d, factory_.c_str(), faiss::METRIC_INNER_PRODUCT));
    const auto rows = static_cast<int64_t>(vectors.size()) / d;
    index_->train(std::min<int64_t>(rows, 300000), vectors.data());
    index_->add(rows, vectors.data());
    faiss::VectorIOWriter counter;
    faiss::write_index(index_.get(), &counter);
    bytes_ = static_cast<double>(counter.data.size());
  }
  std::vector<int32_t> Settings() const override { return settings_; }
  std::vector<int32_t> Search(const float* query, int32_t k,
                              int32_t setting) override {
    ScopedOmpThreads alone(1);
    if (auto* ivf = dynamic_cast<faiss::IndexIVF*>(index_.get())) {
      ivf->nprobe = setting;
    } else if (auto* graph = dynamic_cast<faiss::IndexHNSW*>(index_.get())) {
      graph->hnsw.efSearch = setting;
    }
    std::vector<float> scores(k);
    std::vector<faiss::Index::idx_t> rows(k);
    index_->search(1, query, k, scores.data(), rows.data());
    return {rows.begin(), rows.end()};
  }
  double bytes() const override { return bytes_; }

 private:
  const std::string factory_;
  const std::vector<int32_t> settings_;
  std::unique_ptr<faiss::Index> index_;
  double bytes_ = 0;
};

#if SEGUE_HAS_HNSWLIB
class HnswlibPeer : public Peer {
 public:
  std::string name() const override { return "hnswlib M 16"; }
  void Build(absl::Span<const float> vectors, int32_t d) override {
    const size_t rows = vectors.size() / d;
    space_ = std::make_unique<hnswlib::InnerProductSpace>(d);
    index_ = std::make_unique<hnswlib::HierarchicalNSW<float>>(
        space_.get(), rows, /*M=*/16, /*ef_construction=*/200);
    index_->addPoint(vectors.data(), 0);
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t row = 1; row < rows; ++row) {
      index_->addPoint(vectors.data() + row * d, row);
    }
    // Of each: its vector, its lowest links and its label.
    bytes_ = static_cast<double>(rows) *
             static_cast<double>(index_->size_data_per_element_);
  }
  std::vector<int32_t> Settings() const override { return Doubled(100, 6400); }
  std::vector<int32_t> Search(const float* query, int32_t k,
                              int32_t setting) override {
    index_->setEf(std::max(setting, k));
    auto found = index_->searchKnn(query, k);
    std::vector<int32_t> rows;
    for (; !found.empty(); found.pop()) {
      rows.push_back(static_cast<int32_t>(found.top().second));
    }
    return rows;
  }
  double bytes() const override { return bytes_; }

 private:
  std::unique_ptr<hnswlib::InnerProductSpace> space_;
  std::unique_ptr<hnswlib::HierarchicalNSW<float>> index_;
  double bytes_ = 0;
};
#endif

}  // namespace

std::vector<std::unique_ptr<Peer>> Peers() {
  std::vector<std::unique_ptr<Peer>> peers;
  peers.push_back(std::make_unique<FaissPeer>("Flat", std::vector<int32_t>{0}));
  peers.push_back(
      std::make_unique<FaissPeer>("IVF1024,PQ16", Doubled(16, 1024)));
  peers.push_back(std::make_unique<FaissPeer>("HNSW32", Doubled(100, 6400)));
#if SEGUE_HAS_HNSWLIB
  peers.push_back(std::make_unique<HnswlibPeer>());
#endif
  return peers;
}

}  // namespace segue::bench
