#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace irmb::test {

/// Each of `words` must occur in `message`.
inline void expectWords(const std::string& message, const std::vector<std::string>& words) {
    for (const std::string& word : words)
        EXPECT_NE(message.find(word), std::string::npos)
            << "'" << word << "' is missing in: " << message;
}

} // namespace irmb::test
