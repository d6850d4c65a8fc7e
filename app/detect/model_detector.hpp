#pragma once

#include "backend.hpp"
#include "detector.hpp"

#include <irmb_dnn/model.hpp>

#include <mutex>
#include <string>
#include <vector>

namespace vigil {

/// Detector around a model that irmb::readModel() read.
class ModelDetector : public Detector {
public:
    /// Throws cv::Exception when the model is no detector of objects in colour images.
    ModelDetector(irmb::Model model, const BackendChoice& backend);

    Prepared prepare(const cv::Mat& bgr) override;
    Inference infer(const Prepared& picture) override;
    std::vector<irmb::Detection> decode(const Inference& inference) override;

    /// Takes effect with the next frame; may be called from any thread while the pipeline runs.
    void setOptions(const irmb::DecodeOptions& options);

    const irmb::ModelInfo& info() const { return model_.info; }
    const irmb::FusionReport& report() const { return model_.report; }
    const std::string& engine() const { return model_.engine; }
    const BackendChoice& backend() const { return backend_; }
    const irmb::AccelerationReport& acceleration() const { return model_.acceleration; }

    /// Layers that the CUDA backend hands back to the CPU, by name; empty on the CPU.
    std::vector<std::string> fallbackLayers();

private:
    irmb::Model model_;
    BackendChoice backend_;
    std::mutex mutex_;
    irmb::DecodeOptions options_;
};

/// "person", or "class7" where the model does not name class 7.
std::string className(const std::vector<std::string>& names, int class_id);

/// Ids of classes given as names (any case) or numbers. Throws cv::Exception (StsBadArg) that names
/// the entry that the model does not know.
std::vector<int> parseClasses(const std::vector<std::string>& wanted, const irmb::ModelInfo& info);

} // namespace vigil
