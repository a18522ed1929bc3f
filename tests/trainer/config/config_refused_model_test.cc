// What a TrainerConfig may not say of model, training, index and publishing.
#include "tests/trainer/config/config_cases.h"

namespace segue {
namespace {

using ::segue::testing::ExpectRefused;
using ::segue::testing::Refused;

class InvalidModelConfigTest : public ::testing::TestWithParam<Refused> {};

TEST_P(InvalidModelConfigTest, IsRefusedWithFieldAndReason) {
  ExpectRefused(GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Model, InvalidModelConfigTest,
    ::testing::Values(
        Refused{"Layer",
                {"model.layers=[64, 0, 32]"},
                "model.layers: is 0, must be at least 1"},
        Refused{"Temperature",
                {"model.temperature=0"},
                "model.temperature: is 0, must be above 0 and finite"},
        Refused{"TemperatureInfinite",
                {"model.temperature=inf"},
                "model.temperature: is inf"},
        Refused{"UserDropout",
                {"model.user_id_dropout=1"},
                "model.user_id_dropout: is 1, must be in [0, 1)"},
        Refused{"ItemDropout",
                {"model.item_id_dropout=-0.1"},
                "model.item_id_dropout: is -0.1"},
        Refused{"Dropout", {"model.dropout=nan"}, "model.dropout: is nan"},
        Refused{"EncoderWidth",
                {"model.encoder.width=0"},
                "model.encoder.width: is 0, must be at least 1"},
        Refused{"EncoderBlocks",
                {"model.encoder.blocks=0"},
                "model.encoder.blocks: is 0, must be at least 1"},
        Refused{"EncoderHeads",
                {"model.encoder.heads=3"},
                "model.encoder.heads: is 3, must divide model.encoder.width "
                "(64)"},
        Refused{"EncoderHeadsZero",
                {"model.encoder.heads=0"},
                "model.encoder.heads: is 0"},
        Refused{"EncoderDropout",
                {"model.encoder.dropout=1"},
                "model.encoder.dropout: is 1, must be in [0, 1)"},
        Refused{"SharedTowerOfAnotherWidth",
                {"model.encoder.share_item_tower=true",
                 "model.encoder.kind=HSTU", "model.encoder.width=32"},
                "model.encoder.share_item_tower: needs model.encoder.width "
                "(32) to be the last of model.layers (128)"},
        Refused{"LearntTemperatureOutOfBounds",
                {"model.learn_temperature=true", "model.temperature=0.001"},
                "model.temperature: is 0.001; a learnt one must begin in"},
        Refused{"AgeQuantile",
                {"model.serving_age_quantile=1.01"},
                "model.serving_age_quantile: is 1.01, must be in [0, 1]"},
        Refused{"AgeQuantileNan",
                {"model.serving_age_quantile=nan"},
                "model.serving_age_quantile: is nan"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Training, InvalidModelConfigTest,
    ::testing::Values(
        Refused{"Batch", {"training.batch_size=1"}, "training.batch_size"},
        Refused{"LargeBatch",
                {"training.batch_size=131073"},
                "training.batch_size: is 131073, must be in [2, 131072]"},
        Refused{"ManyUniformNegatives",
                {"training.loss.uniform_negatives=131073"},
                "uniform_negatives: is 131073, must be in [1, 131072]"},
        Refused{"Epochs", {"training.epochs=0"}, "training.epochs: is 0"},
        Refused{"Rate",
                {"training.learning_rate=0"},
                "training.learning_rate: is 0, must be above 0"},
        Refused{"DecayNegative",
                {"training.weight_decay=-1"},
                "training.weight_decay: must not be negative"},
        Refused{"DecayEatsWeights",
                {"training.weight_decay=1000"},
                "nor eat a weight in one step"},
        Refused{"Beta1Negative", {"training.beta1=-0.1"}, "training.beta1"},
        Refused{"Beta2One", {"training.beta2=1"}, "training.beta2"},
        Refused{"Beta2BelowBeta1",
                {"training.beta2=0.81", "training.beta1=0.9"},
                "training.beta2: must be above beta1 squared"},
        Refused{"Epsilon", {"training.epsilon=0"}, "training.epsilon: is 0"},
        Refused{"EpsilonNegative",
                {"training.epsilon=-1e-8"},
                "training.epsilon: is -1e-08"},
        Refused{"EpsilonBelowFloat",
                {"training.epsilon=1e-60"},
                "training.epsilon: is 1e-60"},
        Refused{"Alpha", {"training.logq_alpha=0"}, "training.logq_alpha"},
        Refused{"AlphaAboveOne",
                {"training.logq_alpha=1.5"},
                "training.logq_alpha: must be in (0, 1]"},
        Refused{"Slots", {"training.logq_slots=-1"}, "training.logq_slots"},
        Refused{"Steps", {"training.max_steps=-1"}, "training.max_steps"},
        Refused{"CheckpointsBeforeTheStart",
                {"training.checkpoint_minutes=-1"},
                "training.checkpoint_minutes: must not be negative"},
        Refused{"Checkpoints",
                {"training.keep_checkpoints=0"},
                "training.keep_checkpoints"},
        Refused{"Patience",
                {"training.early_stopping_epochs=-1"},
                "training.early_stopping_epochs: is -1"},
        Refused{"ValidationK", {"training.validation_k=0"}, "validation_k"},
        Refused{"PatienceWithoutValidation",
                {"training.early_stopping_epochs=2", "split.validation_days=0"},
                "training.early_stopping_epochs: needs validation queries"},
        Refused{"MaxQueries",
                {"evaluation.max_queries=-1"},
                "evaluation.max_queries"},
        Refused{"Resamples",
                {"evaluation.bootstrap_samples=-1"},
                "evaluation.bootstrap_samples"},
        Refused{"HalfLife",
                {"evaluation.recent_half_life_days=0"},
                "evaluation.recent_half_life_days: is 0, must be above 0"},
        Refused{"ItemKnnHistory",
                {"evaluation.item_knn_history=0"},
                "evaluation.item_knn_history: is 0, must be at least 1"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Index, InvalidModelConfigTest,
    ::testing::Values(
        Refused{"FactoryMissing",
                {"index.kind=FACTORY"},
                "index.factory: is required for kind FACTORY"},
        Refused{"FactoryUnused",
                {"index.factory=Flat"},
                "index.factory: is for kind FACTORY only"},
        Refused{
            "FlatLimit", {"index.flat_limit=-1"}, "index.flat_limit: is -1"},
        Refused{"Cells", {"index.nlist=-1"}, "index.nlist: is -1"},
        Refused{"MoreCellsThanVectors",
                {"index.nlist=4096", "index.max_training_vectors=4000"},
                "index.nlist: is 4096, more cells than max_training_vectors"},
        Refused{"Subquantisers", {"index.pq_m=-1"}, "index.pq_m: is -1"},
        Refused{"SubquantisersOfTheDefaultLayers",
                {"index.pq_m=48"},
                "index.pq_m: 48 sub-quantisers do not divide the 128"},
        Refused{"SubquantisersOfOtherLayers",
                {"index.kind=HNSW_IVF_PQ", "model.layers=[128, 50]",
                 "index.pq_m=32"},
                "index.pq_m: 32 sub-quantisers do not divide the 50"},
        Refused{"Probes", {"index.nprobe=-1"}, "index.nprobe: is -1"},
        Refused{"Factor", {"index.k_factor=-1"}, "index.k_factor: is -1"},
        Refused{"TuneK", {"index.at_k=0"}, "index.at_k: is 0"},
        Refused{"TuneQueries",
                {"index.tune_queries=0"},
                "index.tune_queries: is 0"},
        Refused{"Target",
                {"index.target_overlap=1.01"},
                "index.target_overlap: is 1.01, must be in [0, 1]"},
        Refused{"TrainingVectors",
                {"index.max_training_vectors=15"},
                "index.max_training_vectors: is 15, must be at least 16"},
        Refused{"TrainingVectorsOfFlat",
                {"index.kind=FLAT", "index.max_training_vectors=0"},
                "index.max_training_vectors: is 0, must be at least 1"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Publish, InvalidModelConfigTest,
    ::testing::Values(
        Refused{"GateWithoutFigures",
                {"publish.gate_k=20"},
                "publish.gate_k: is 20, must be one of 5, 10, 30, 50, 100, "
                "300, 500, 1000"},
        Refused{"GateZero", {"publish.gate_k=0"}, "publish.gate_k: is 0"},
        Refused{"Recall", {"publish.min_recall=1.5"}, "publish.min_recall"},
        Refused{"RecallNan", {"publish.min_recall=nan"}, "publish.min_recall"},
        Refused{"Overlap", {"publish.min_overlap=-1"}, "publish.min_overlap"},
        Refused{"Versions",
                {"publish.keep_versions=-1"},
                "publish.keep_versions: is -1"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace segue
