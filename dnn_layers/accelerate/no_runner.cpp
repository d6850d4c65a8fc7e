#include "accelerate/region_runner.hpp"

#include <opencv2/core.hpp>

namespace irmb::accelerate {

RunnerInfo runnerInfo() {
    RunnerInfo info;
    info.reason = no_onednn;
    return info;
}

std::shared_ptr<RegionRunner> makeRunner(Region /*region*/, Precision /*precision*/) {
    CV_Error(cv::Error::StsInternal, no_onednn);
}

} // namespace irmb::accelerate
