#include "accelerate/region_layer.hpp"

#include <opencv2/core.hpp>

#include <map>
#include <mutex>

namespace irmb::accelerate {
namespace {

/// Regions on their way into a net.
struct Offers {
    std::mutex mutex;
    std::map<int, RegionHandle> regions;
    int next = 1;
};

Offers& offers() {
    static Offers all;
    return all;
}

RegionHandle accept(int number) {
    const std::lock_guard lock(offers().mutex);
    const auto found = offers().regions.find(number);
    if (found == offers().regions.end())
        CV_Error(cv::Error::StsBadArg,
                 "an irmb::CpuRegion node works only in the process that made "
                 "it: read the original file with irmb::readModel()");
    return found->second;
}

std::string shapeText(const std::vector<int>& shape) {
    std::string text;
    for (const int side : shape)
        text += (text.empty() ? "" : "x") + std::to_string(side);
    return text;
}

} // namespace

RegionOffer::RegionOffer(RegionHandle region) {
    const std::lock_guard lock(offers().mutex);
    number_ = offers().next++;
    offers().regions.emplace(number_, std::move(region));
}

RegionOffer::~RegionOffer() {
    const std::lock_guard lock(offers().mutex);
    offers().regions.erase(number_);
}

RegionLayer::RegionLayer(const cv::dnn::LayerParams& params)
    : FloatLayer(params), region_(accept(params.get<int>(region_key, 0))) {}

cv::Ptr<cv::dnn::Layer> RegionLayer::create(cv::dnn::LayerParams& params) {
    return cv::makePtr<RegionLayer>(params);
}

bool RegionLayer::supportBackend(int backend) {
    return backend == cv::dnn::DNN_BACKEND_OPENCV;
}

bool RegionLayer::getMemoryShapes(const std::vector<MatShape>& in, int /*required_outputs*/,
                                  std::vector<MatShape>& out,
                                  std::vector<MatShape>& internals) const {
    CV_Assert(in.size() == region_.inputs.size());
    for (std::size_t i = 0; i < in.size(); ++i) {
        const std::vector<int> shape(in[i].begin(), in[i].end());
        if (shape != region_.inputs[i])
            CV_Error(cv::Error::StsBadArg, "the accelerated network was prepared for maps of " +
                                               shapeText(region_.inputs[i]) + ", not " +
                                               shapeText(shape) +
                                               ": read it for this input size and batch");
    }
    out.clear();
    for (const std::vector<int>& shape : region_.outputs)
        out.emplace_back(shape.begin(), shape.end());
    internals.clear();
    return false;
}

void RegionLayer::forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                          cv::OutputArrayOfArrays internals) {
    if (in.depth() == CV_16F) { // OpenCL's half precision: convert, run, convert back
        forward_fallback(in, out, internals);
        return;
    }
    std::vector<cv::Mat> sources;
    std::vector<cv::Mat> results;
    in.getMatVector(sources);
    out.getMatVector(results);
    CV_Assert(sources.size() == region_.inputs.size() && results.size() == region_.outputs.size());
    std::vector<const float*> from;
    std::vector<float*> to;
    for (cv::Mat& source : sources) {
        if (!source.isContinuous())
            source = source.clone();
        from.push_back(source.ptr<float>());
    }
    for (cv::Mat& result : results) {
        CV_Assert(result.isContinuous());
        to.push_back(result.ptr<float>());
    }
    region_.runner->run(from, to);
}

} // namespace irmb::accelerate
