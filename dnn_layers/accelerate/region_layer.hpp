#pragma once

#include "accelerate/region_runner.hpp"
#include "layer/float_layer.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace irmb::accelerate {

constexpr char region_domain[] = "irmb";
constexpr char region_op[] = "CpuRegion";
constexpr char region_key[] = "handle"; ///< attribute of the node

/// A region that waits for OpenCV's importer to make a layer of its node.
struct RegionHandle {
    std::shared_ptr<RegionRunner> runner;
    std::vector<std::vector<int>> inputs;  ///< shapes [B, C, H, W]
    std::vector<std::vector<int>> outputs; ///< shapes [B, C, H, W]
};

/// Makes a region known under a number, for as long as the object lives. The number is what the
/// node carries: neither plan nor weights go through the file format.
class RegionOffer {
public:
    explicit RegionOffer(RegionHandle region);
    ~RegionOffer();
    RegionOffer(const RegionOffer&) = delete;
    RegionOffer& operator=(const RegionOffer&) = delete;

    int number() const { return number_; }

private:
    int number_;
};

/// The node `irmb::CpuRegion` as a layer of OpenCV's DNN module. It exists in memory alone:
/// readModel() puts it into the graph that it hands to the importer.
class RegionLayer : public FloatLayer {
public:
    explicit RegionLayer(const cv::dnn::LayerParams& params);

    static cv::Ptr<cv::dnn::Layer> create(cv::dnn::LayerParams& params);

    bool supportBackend(int backend) override;
    bool getMemoryShapes(const std::vector<MatShape>& in, int required_outputs,
                         std::vector<MatShape>& out,
                         std::vector<MatShape>& internals) const override;
    void forward(cv::InputArrayOfArrays in, cv::OutputArrayOfArrays out,
                 cv::OutputArrayOfArrays internals) override;

private:
    RegionHandle region_;
};

} // namespace irmb::accelerate
