#pragma once

#include <opencv2/core/types.hpp>
#include <opencv2/dnn.hpp>

#include <map>
#include <string>
#include <vector>

namespace irmb {

/// What to do with the iRMBs of a model.
enum class Fusion {
    Auto,     ///< fuse what is an iRMB, leave the rest as it is
    Required, ///< as Auto, but throw when a recognised iRMB could not be fused whole
    Off       ///< fuse nothing and expand custom nodes to standard operators
};

/// OpenCV's inference engine. 4.x has only the classic one.
enum class Engine {
    Auto,    ///< the new one where OpenCV has it, else the classic one
    Classic, ///< needed for the CUDA backend of 5.0
    New
};

/// What may run the network on the CPU.
enum class CpuAcceleration {
    Auto, ///< our kernels and oneDNN, where it was built in and the processor has AVX2; else OpenCV
    Off   ///< OpenCV alone
};

/// Arithmetic of the accelerated parts of a network.
enum class Precision {
    Float32,
    Bfloat16 ///< faster and less exact: scores move; needs a processor with AVX512-BF16
};

struct ReadOptions {
    cv::Size input_size; ///< pixels; empty: what the file says. Needed for dynamic shapes
    int batch = 0;       ///< images per forward pass; 0: what the file says, 1 if it is open
    Fusion fusion = Fusion::Auto;
    bool cut_tail = true; ///< end a YOLOv10 at its one-to-one head [B, 4 + nc, N]
    Engine engine = Engine::Auto;
    /// The network will run on OpenCV's CUDA backend. Where hasCudaLayer() is true, YOLOv10's own
    /// attention becomes a layer too (unless Fusion::Off); where it is false, iRMBs become standard
    /// operators, which that backend has, instead of a layer that it has not.
    bool for_cuda = false;
    /// With for_cuda: take 8-bit pixels in place of float32 where the CUDA layer can;
    /// Model::byte_input tells whether it does.
    bool byte_input = false;
    /// With for_cuda: of a YOLOv10 fetch its best candidates alone from the device, chosen there,
    /// where the CUDA layer can; Model::candidates tells whether it does.
    bool candidates_only = false;
    CpuAcceleration cpu_acceleration = CpuAcceleration::Auto; ///< not read with for_cuda
    Precision precision = Precision::Float32; ///< Bfloat16 needs CpuAcceleration::Auto
};

/// How the output of a detector is laid out.
enum class HeadKind {
    None,      ///< not a known detector
    RawXyxy,   ///< [B, 4 + nc, N]: x1, y1, x2, y2 in input pixels, then scores in 0..1
    RawCxcywh, ///< [B, 4 + nc, N]: centre, width, height in input pixels; needs NMS (YOLOv8 style)
    EndToEnd   ///< [B, K, 6]: x1, y1, x2, y2 in input pixels, score, class
};

/// Facts about a model, from its graph and from the metadata that the exporter wrote.
struct ModelInfo {
    std::string path;
    std::string input_name;
    std::vector<std::string> output_names;
    std::vector<int> input_shape;  ///< [B, C, H, W] of the network as loaded
    std::vector<int> output_shape; ///< of the first output, as loaded; empty if unknown
    cv::Size input_size;           ///< pixels
    int batch = 1;
    HeadKind head = HeadKind::None;
    bool tail_cut = false;                ///< the NMS-free tail was removed; decode() does its work
    int max_detections = 300;             ///< K of the tail, 300 if the model does not say
    int num_classes = 0;                  ///< 0: unknown
    std::vector<std::string> class_names; ///< empty, or num_classes names ("class7" for a gap)
    int stride = 0;                       ///< largest stride, 0: unknown
    float nms_iou = 0.f; ///< DecodeOptions::nms_iou that the metadata ask for, 0: none
    int opset = 0;
    std::string producer;
    std::map<std::string, std::string> metadata; ///< as written by the exporter
};

/// What became of one iRMB.
struct BlockReport {
    enum class Outcome { Whole, Core, Unfused };
    std::string name; ///< name of the tensor that the block produces
    Outcome outcome;
    std::string reason; ///< why not fused whole; empty if it was
    int dim_in = 0;
    int height = 0; ///< of the input map
    int width = 0;
};

struct FusionReport {
    std::vector<BlockReport> blocks;
    std::vector<std::string> notes; ///< remarks on the file as a whole
    int whole() const;              ///< blocks fused whole
    int core() const;               ///< blocks of which only the attention was fused
    int unfused() const;            ///< recognised blocks left as standard operators
};

/// What became of the wish to accelerate a network on the CPU.
struct AccelerationReport {
    int regions = 0;     ///< parts of the network that run accelerated
    int accelerated = 0; ///< operators in them, a fused iRMB counting as one
    int operators = 0;   ///< of the whole network
    Precision precision = Precision::Float32;
    std::string library; ///< runs them together with our own kernels: "oneDNN 2.6.3"
    std::string reason;  ///< why nothing is accelerated; empty if something is
};

/// A loaded network with what is known about it.
struct Model {
    cv::dnn::Net net;
    ModelInfo info;
    FusionReport report;
    std::string engine; ///< "new" or "classic": what really runs
    AccelerationReport acceleration;
    /// The network takes 8-bit pixels [B, H, W, 3], BGR (makeInput() in detection.hpp), in place of
    /// the float32 [B, 3, H, W], RGB, 0..1, of info.input_shape.
    bool byte_input = false;
    int attention_layers = 0; ///< YOLOv10's own attentions that became CUDA layers
    /// How many candidates the device keeps of the head, all classes together; 0: the network ends
    /// in the whole head. If it is not 0, `info` is about what forward() makes of the network's
    /// output, HeadKind::EndToEnd.
    int candidates = 0;
};

/// Reads an ONNX file (opset 11 to 20) with YOLOv10-iRMB, any other YOLOv10 or any other network
/// that OpenCV can run. Folds shape arithmetic for the concrete input size, replaces each iRMB by
/// one custom layer and cuts the NMS-free tail.
/// Throws cv::Exception with a message that names the file, what is wrong and the remedy.
Model readModel(const std::string& path, const ReadOptions& options = {});

/// A blob of zeros of the shape and type that the network takes.
cv::Mat blankInput(const Model& model);

/// Outputs of the network for the input that was set, in the order of info.output_names. They
/// belong to the network, which writes over them in the next pass. Throws cv::Exception with one
/// line that names the file when OpenCV cannot run the network.
std::vector<cv::Mat> forward(Model& model);

/// Rewrites `input` as readModel() would see it and writes it to `output`: with custom nodes, or,
/// with Fusion::Off, with standard operators only. Plain cv::dnn::readNetFromONNX reads the result
/// once registerLayers() was called. The returned model's `net` is empty.
Model convertModel(const std::string& input, const std::string& output,
                   const ReadOptions& options = {});

} // namespace irmb
