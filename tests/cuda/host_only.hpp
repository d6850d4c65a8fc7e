#pragma once

#include <opencv2/dnn.hpp>

#include <mutex>

namespace irmb::test {

/// A layer that OpenCV can run on the CPU alone: doubles its input.
class HostOnly final : public cv::dnn::Layer {
public:
    explicit HostOnly(const cv::dnn::LayerParams& params) : Layer(params) {}
    static cv::Ptr<cv::dnn::Layer> create(cv::dnn::LayerParams& params) {
        return cv::makePtr<HostOnly>(params);
    }
    /// Registering a layer twice is an error.
    static void registerOnce() {
        static std::once_flag once;
        std::call_once(once, [] { cv::dnn::LayerFactory::registerLayer("HostOnly", create); });
    }

    void forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                 cv::OutputArrayOfArrays /*internals*/) override {
        std::vector<cv::Mat> maps;
        std::vector<cv::Mat> results;
        in.getMatVector(maps);
        out.getMatVector(results);
        maps[0].convertTo(results[0], CV_32F, 2);
    }
};

} // namespace irmb::test
