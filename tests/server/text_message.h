// Messages as literals.
#ifndef SEGUE_TESTS_SERVER_TEXT_MESSAGE_H_
#define SEGUE_TESTS_SERVER_TEXT_MESSAGE_H_

#include <string>

#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"

namespace segue::testing {

template <typename Message>
Message FromText(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message))
      << text;
  return message;
}

}  // namespace segue::testing

#endif  // SEGUE_TESTS_SERVER_TEXT_MESSAGE_H_
