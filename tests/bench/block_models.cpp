#include "onnx/file/io.hpp"
#include "onnx/fold/specialise.hpp"
#include "onnx/irmb/custom_node.hpp"
#include "onnx/irmb/fuse_irmb.hpp"
#include "support/random_irmb.hpp"

#include <opencv2/core.hpp>

#include <iostream>
#include <string>

/// Writes the blocks at the head inputs of YOLOv10n for 640 x 640 pixels, with random weights and
/// as standard operators, to FOLDER/irmb-CHANNELSxSIDExSIDE.onnx:
///     block_models FOLDER
int main(int argc, char** argv) {
    using namespace irmb;
    if (argc != 2) {
        std::cerr << "usage: block_models FOLDER\n";
        return 2;
    }
    const int sizes[][2] = {{64, 80}, {128, 40}, {256, 20}};
    cv::RNG rng(1);
    for (const auto& [channels, side] : sizes) {
        const IrmbParams params = test::defaultParams(channels);
        onnx::OnnxModel model;
        model.opsets[""] = 13;
        model.graph.inputs.push_back({"x", onnx::DataType::Float, true, {1, channels, side, side}});
        model.graph.outputs.push_back({"y", onnx::DataType::Float, false, {}});
        onnx::Facts facts;
        model.graph.nodes.push_back(
            onnx::makeIrmb(model, facts, "x", "y", params, test::randomWeights(params, rng)));
        facts = onnx::inferFacts(model);
        onnx::expandIrmbs(model, facts);
        const std::string size = std::to_string(side);
        onnx::save(model, std::string(argv[1]) + "/irmb-" + std::to_string(channels) + "x" + size +
                              "x" + size + ".onnx");
    }
    return 0;
}
