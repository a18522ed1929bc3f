// The configuration in a report, and what of it people compare.
#ifndef SEGUE_TRAINER_REPORT_CONFIG_LINES_H_
#define SEGUE_TRAINER_REPORT_CONFIG_LINES_H_

#include <map>
#include <optional>
#include <string>

#include "segue/v1/config.pb.h"
#include "segue/v1/report.pb.h"

namespace segue {

// None where the report has no configuration, or one that cannot be read.
// Fields that are not known are passed over.
std::optional<v1::TrainerConfig> ConfigOf(const v1::Report& report);

// Every value by its path, as --set takes it ("training.epochs": "3",
// "items.features[0].name": "artist"); defaults too, so that a default and the
// same value written down do not differ.
std::map<std::string, std::string> ConfigLines(const v1::TrainerConfig& config);

// How the events were split, and what a query of the test is, in words.
std::string SplitText(const v1::TrainerConfig& config);

// What the loss compares a target with, in words.
std::string LossText(const v1::TrainerConfig& config);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_CONFIG_LINES_H_
