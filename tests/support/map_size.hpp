#pragma once

#include <gtest/gtest.h>

#include <string>

namespace irmb::test {

/// A parameter of tests that run over maps of several sizes.
struct MapSize {
    int height;
    int width;
};

inline std::string nameOf(const testing::TestParamInfo<MapSize>& size) {
    return std::to_string(size.param.height) + "x" + std::to_string(size.param.width);
}

} // namespace irmb::test
