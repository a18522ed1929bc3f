// What a ServerConfig must hold before anything starts.
#ifndef SEGUE_SERVER_CONFIG_VALIDATION_H_
#define SEGUE_SERVER_CONFIG_VALIDATION_H_

#include "absl/status/status.h"
#include "segue/v1/config.pb.h"

namespace segue {

// InvalidArgument that names every violation, one a line, each with field and
// value. Pure: looks at no file and no port.
absl::Status ValidateServerConfig(const v1::ServerConfig& config);

}  // namespace segue

#endif  // SEGUE_SERVER_CONFIG_VALIDATION_H_
