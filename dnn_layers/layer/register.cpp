#include "accelerate/region_layer.hpp"
#include "cuda/adapter/opencv_adapter.hpp"
#include "layer/attention_layer.hpp"
#include "layer/candidate_layer.hpp"
#include "layer/irmb_layer.hpp"
#include "layer/pixel_layer.hpp"

#include <irmb_dnn/layers.hpp>

#include <mutex>

namespace irmb {

void registerLayers() {
    static std::once_flag once;
    std::call_once(once, [] {
        // Importers of OpenCV 4.x and the classic engine of 5.0 put the domain in front of the
        // type, the new engine's importer does not.
        cv::dnn::LayerFactory::registerLayer("irmb.iRMB", IrmbLayer::create);
        cv::dnn::LayerFactory::registerLayer("iRMB", IrmbLayer::create);
        cv::dnn::LayerFactory::registerLayer("irmb.GlobalAttention", AttentionLayer::create);
        cv::dnn::LayerFactory::registerLayer("GlobalAttention", AttentionLayer::create);
        cv::dnn::LayerFactory::registerLayer("irmb.Pixels", PixelLayer::create);
        cv::dnn::LayerFactory::registerLayer("Pixels", PixelLayer::create);
        cv::dnn::LayerFactory::registerLayer("irmb.Candidates", CandidateLayer::create);
        cv::dnn::LayerFactory::registerLayer("Candidates", CandidateLayer::create);
        cv::dnn::LayerFactory::registerLayer("irmb.CpuRegion", accelerate::RegionLayer::create);
        cv::dnn::LayerFactory::registerLayer("CpuRegion", accelerate::RegionLayer::create);
    });
}

bool hasCudaLayer() {
    return cuda::hasAdapter();
}

} // namespace irmb
