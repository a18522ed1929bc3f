// Changes towers as TorchScript files. Apart, because whoever sees LibTorch's
// headers takes long to compile.
#ifndef SEGUE_TESTS_FAULTS_TOWER_EDITS_H_
#define SEGUE_TESTS_FAULTS_TOWER_EDITS_H_

#include <string>

namespace segue::testing {

// Each forward pass of the query tower in that file calls
// PassThroughInjection() (injection.h) first.
void MakeTowerWait(const std::string& path);

// A weight of the tower in that file is no number.
void PutNanIntoTower(const std::string& path);

}  // namespace segue::testing

#endif  // SEGUE_TESTS_FAULTS_TOWER_EDITS_H_
