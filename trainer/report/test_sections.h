// Sections of report.html about the test: the model beside baselines, parts of
// the queries, what is recommended, examples. Each is without a body where the
// report has nothing to say.
#ifndef SEGUE_TRAINER_REPORT_TEST_SECTIONS_H_
#define SEGUE_TRAINER_REPORT_TEST_SECTIONS_H_

#include <string>

#include "segue/v1/report.pb.h"
#include "trainer/report/html.h"

namespace segue {

// The figures to see first, and in red the baselines that the model loses to.
std::string Summary(const v1::SplitReport& test);

PageSection TestSection(const v1::SplitReport& test);
PageSection SlicesSection(const v1::SplitReport& test);
// Coverage of the catalogue, and popularity of the answers.
PageSection AnswersSection(const v1::SplitReport& test);
PageSection ExamplesSection(const v1::EvaluationReport& evaluation);

}  // namespace segue

#endif  // SEGUE_TRAINER_REPORT_TEST_SECTIONS_H_
