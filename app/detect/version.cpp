#include "version.hpp"

#include "backend.hpp"

#include <irmb_dnn/acceleration.hpp>

#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>

#include <sstream>

namespace vigil {
namespace {

std::string engines() {
    return CV_VERSION_MAJOR >= 5 ? "new, classic" : "classic";
}

} // namespace

std::string compiler() {
#if defined(__clang__)
    return "Clang " __clang_version__;
#elif defined(__GNUC__)
    return "GCC " __VERSION__;
#else
    return "unknown compiler";
#endif
}

bool isOptimised() {
#ifdef NDEBUG
    return true;
#else
    return false;
#endif
}

std::vector<std::string> cpuFeatures() {
    // OpenCV marks what it can dispatch to with * and what this machine lacks with ?.
    std::istringstream line(cv::getCPUFeaturesLine());
    std::vector<std::string> features;
    for (std::string feature; line >> feature;) {
        if (feature.back() == '?')
            continue;
        if (feature.front() == '*')
            feature.erase(0, 1);
        features.push_back(feature);
    }
    return features;
}

std::string bfloat16Text() {
    const irmb::AccelerationSupport support = irmb::accelerationSupport();
    return support.bfloat16 ? "yes" : "no: " + support.reason;
}

std::string versionText() {
    const CudaProbe cuda = probeCuda();
    std::ostringstream text;
    text << "Vigil " VIGIL_VERSION "\n"
         << "build:    " << compiler() << (isOptimised() ? ", optimised\n" : ", with assertions\n")
         << "OpenCV:   " << cv::getVersionString() << " (built with " CV_VERSION ")\n"
         << "engines:  " << engines() << '\n'
         << "cuda:     " << (cuda.usable ? "" : "no: " + cuda.reason);
    for (std::size_t i = 0; i < cuda.devices.size(); ++i)
        text << (i == 0 ? "" : ", ") << cuda.devices[i];
    text << "\nbf16:     " << bfloat16Text() << "\ncpu:     ";
    for (const std::string& feature : cpuFeatures())
        text << ' ' << feature;
    return text.str();
}

} // namespace vigil
