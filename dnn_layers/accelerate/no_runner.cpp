#include "accelerate/region_runner.hpp"

#include <opencv2/core.hpp>

namespace irmb::accelerate {

RunnerInfo runnerInfo() {
    RunnerInfo info;
    info.reason = "irmb_dnn was built without oneDNN";
    return info;
}

std::shared_ptr<RegionRunner> makeRunner(Region /*region*/, Precision /*precision*/) {
    CV_Error(cv::Error::StsInternal, "irmb_dnn was built without oneDNN");
}

} // namespace irmb::accelerate
