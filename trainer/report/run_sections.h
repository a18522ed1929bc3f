// Sections of report.html about the run: what it read, how it trained, which
// index it built, with which settings. Each is without a body where the report
// has nothing to say.
#ifndef SEGUE_TRAINER_REPORT_RUN_SECTIONS_H_
#define SEGUE_TRAINER_REPORT_RUN_SECTIONS_H_

#include "segue/v1/report.pb.h"
#include "trainer/report/html.h"

namespace segue {

PageSection DataSection(const v1::Report& report);
PageSection TrainingSection(const v1::Report& report);
// The index beside exact search, and what the tuner tried.
PageSection IndexSection(const v1::Report& report);
// Seed, versions, the whole configuration.
PageSection ConfigSection(const v1::Report& report);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_RUN_SECTIONS_H_
