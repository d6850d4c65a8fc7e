#pragma once

#include <irmb_dnn/irmb_params.hpp>

#include <array>
#include <string>
#include <variant>
#include <vector>

/// A part of a network as plain values: what is found in the graph and what is executed. All values
/// are maps [channels][height][width] of one image (rows [channels][1][width] behind a BoxTail);
/// images of a batch are run one after the other.
namespace irmb::accelerate {

struct MapSize {
    int channels = 0;
    int height = 0;
    int width = 0;
};

/// out = after(before(conv(x)) + residual); the residual is the second input, if there is one.
struct Convolution {
    int groups = 1;
    std::array<int, 2> kernel = {1, 1}; ///< height, width
    std::array<int, 2> stride = {1, 1};
    std::array<int, 2> dilation = {1, 1};
    std::array<int, 4> pads = {0, 0, 0, 0}; ///< top, left, bottom, right
    cv::Mat weight;                         ///< float32 [out][in / groups][kernel]
    cv::Mat bias;                           ///< float32 [out], or empty
    Activation before = Activation::None;
    Activation after = Activation::None;
};

struct MaxPool {
    std::array<int, 2> kernel = {1, 1};
    std::array<int, 2> stride = {1, 1};
    std::array<int, 4> pads = {0, 0, 0, 0};
};

/// out[c][y][x] = in[c][rows[y]][cols[x]]
struct Resize {
    std::vector<int> rows;
    std::vector<int> cols;
};

struct Add {};

struct Activate {
    Activation act = Activation::None;
};

/// Concatenation along the channels.
struct Concat {};

/// Copies of ranges of channels, one an output.
struct Split {
    std::vector<int> begin; ///< first channel of each output
};

/// A fused iRMB.
struct Block {
    IrmbParams params;
    IrmbWeights weights;
};

/// Global attention among the pixels of a map, as in YOLOv10's PSA. The channels of the input are
/// for each head q, k and v; outputs are softmax(q^T k * scale) v, and v itself if there is a
/// second output.
struct Attention {
    int heads = 1;
    int dim_key = 0;   ///< channels of q and of k in a head
    int dim_value = 0; ///< channels of v in a head
    float scale = 1.f;
};

/// The tail of a YOLOv10's one-to-one head. Inputs are maps of logits, one a scale: for the left,
/// top, right and bottom side of a box a distribution over `bins` distances, then the classes. The
/// output has the rows x1, y1, x2, y2 and the scores over all pixels of all maps, scale by scale.
struct BoxTail {
    int bins = 0;
    std::vector<float> distances; ///< [bins]
    std::vector<float> first;     ///< [2][anchors]: x1, y1 = (first - distance) * scale
    std::vector<float> second;    ///< [2][anchors]: x2, y2 = (second + distance) * scale
    std::vector<float> scale;     ///< [anchors]
};

using Operation = std::variant<Convolution, MaxPool, Resize, Add, Activate, Concat, Split, Block,
                               Attention, BoxTail>;

struct Step {
    Operation operation;
    std::vector<int> inputs; ///< indices of values
    std::vector<int> outputs;
};

struct Region {
    std::string name;
    int batch = 1;
    std::vector<MapSize> values;
    std::vector<Step> steps;  ///< in an order in which they can run
    std::vector<int> inputs;  ///< values that come from outside
    std::vector<int> outputs; ///< values that are wanted outside
};

} // namespace irmb::accelerate
