#include "accelerate/fuse_attention.hpp"
#include "accelerate/placement.hpp"
#include "accelerate/region_runner.hpp"
#include "cuda/global_attention.hpp"
#include "layer/attention_layer.hpp"
#include "onnx/file/io.hpp"
#include "onnx/fold/specialise.hpp"
#include "onnx/irmb/custom_node.hpp"
#include "support/expect_words.hpp"
#include "support/graph_builder.hpp"
#include "support/npy.hpp"
#include "support/random_irmb.hpp"
#include "support/scratch_folder.hpp"

#include <irmb_dnn/layers.hpp>
#include <irmb_dnn/model.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>

using namespace irmb::onnx;
using irmb::CpuAcceleration;
using irmb::Model;
using irmb::ReadOptions;
using irmb::test::expectWords;
using irmb::test::makeFloats;
using irmb::test::makeList;
using irmb::test::makeModel;
using irmb::test::makeNode;
using irmb::test::makeValue;
using irmb::test::maxDifference;
using irmb::test::randomMap;
using irmb::test::tolerance;
using vigil::test::ScratchFolder;

namespace {

using Ints = std::vector<int64_t>;

/// Builds a network of maps, node by node, with random weights.
class Network {
public:
    Network(int batch, int channels, int height, int width, uint64_t seed)
        : model_(makeModel(makeValue("image", {batch, channels, height, width}),
                           makeValue("out", {}))),
          rng_(seed) {
        shapes_["image"] = {batch, channels, height, width};
    }

    cv::RNG& rng() { return rng_; }
    const Shape& shape(const std::string& map) const { return shapes_.at(map); }

    std::string constant(Shape shape, double scale = 1) {
        std::vector<float> values(static_cast<std::size_t>(elementCount(shape)));
        for (float& value : values)
            value = static_cast<float>(rng_.uniform(-scale, scale));
        return initializer(makeFloats(std::move(shape), values));
    }

    std::string initializer(Tensor tensor) {
        const std::string name = "constant" + std::to_string(model_.graph.initializers.size());
        model_.graph.initializers[name] = std::move(tensor);
        return name;
    }

    std::string add(const std::string& op, std::vector<std::string> inputs, const Shape& shape,
                    std::map<std::string, Attribute> attributes = {}) {
        return addAll(op, std::move(inputs), {shape}, std::move(attributes)).front();
    }

    std::vector<std::string> addAll(const std::string& op, std::vector<std::string> inputs,
                                    const std::vector<Shape>& shapes,
                                    std::map<std::string, Attribute> attributes = {}) {
        std::vector<std::string> outputs;
        for (const Shape& shape : shapes) {
            outputs.push_back("t" + std::to_string(shapes_.size()));
            shapes_[outputs.back()] = shape;
        }
        model_.graph.nodes.push_back(
            makeNode(op, std::move(inputs), outputs, std::move(attributes)));
        return outputs;
    }

    struct Geometry {
        int kernel = 3;
        int stride = 1;
        int dilation = 1;
        Ints pads = {1, 1, 1, 1};
        int groups = 1;
        bool bias = true;
    };

    std::string conv(const std::string& x, int out, const Geometry& g) {
        const Shape& in = shape(x);
        const int64_t reach = g.dilation * (g.kernel - 1) + 1;
        const int64_t inputs = in[1] / g.groups * g.kernel * g.kernel;
        std::vector<std::string> tensors = {x,
                                            constant({out, in[1] / g.groups, g.kernel, g.kernel},
                                                     1.7 / std::sqrt(static_cast<double>(inputs)))};
        if (g.bias)
            tensors.push_back(constant({out}, 0.5));
        return add("Conv", tensors,
                   {in[0], out, (in[2] + g.pads[0] + g.pads[2] - reach) / g.stride + 1,
                    (in[3] + g.pads[1] + g.pads[3] - reach) / g.stride + 1},
                   {{"kernel_shape", Ints{g.kernel, g.kernel}},
                    {"strides", Ints{g.stride, g.stride}},
                    {"dilations", Ints{g.dilation, g.dilation}},
                    {"pads", g.pads},
                    {"group", int64_t{g.groups}}});
    }

    std::string conv(const std::string& x, int out) { return conv(x, out, Geometry()); }

    std::string pointwise(const std::string& x, int out) {
        return conv(x, out, {1, 1, 1, {0, 0, 0, 0}, 1, true});
    }

    std::string silu(const std::string& x) {
        return add("Mul", {x, add("Sigmoid", {x}, shape(x))}, shape(x));
    }

    std::string concat(const std::vector<std::string>& maps) {
        Shape joined = shape(maps[0]);
        for (std::size_t i = 1; i < maps.size(); ++i)
            joined[1] += shape(maps[i])[1];
        return add("Concat", maps, joined, {{"axis", int64_t{1}}});
    }

    std::vector<std::string> split(const std::string& x, const Ints& channels) {
        std::vector<Shape> parts(channels.size(), shape(x));
        for (std::size_t i = 0; i < channels.size(); ++i)
            parts[i][1] = channels[i];
        return addAll("Split", {x, initializer(makeList(channels))}, parts, {{"axis", int64_t{1}}});
    }

    std::string upsample(const std::string& x, int factor) {
        Shape larger = shape(x);
        larger[2] *= factor;
        larger[3] *= factor;
        const auto f = static_cast<float>(factor);
        return add("Resize", {x, "", initializer(makeFloats({4}, {1, 1, f, f}))}, larger,
                   {{"mode", std::string("nearest")},
                    {"coordinate_transformation_mode", std::string("asymmetric")},
                    {"nearest_mode", std::string("floor")}});
    }

    std::string maxPool(const std::string& x, int kernel, int stride, int pad) {
        Shape smaller = shape(x);
        for (const int i : {2, 3})
            smaller[i] = (smaller[i] + 2 * pad - kernel) / stride + 1;
        return add("MaxPool", {x}, smaller,
                   {{"kernel_shape", Ints{kernel, kernel}},
                    {"strides", Ints{stride, stride}},
                    {"pads", Ints{pad, pad, pad, pad}}});
    }

    /// The attention of YOLOv10's PSA, up to the addition of its position encoding.
    std::string attention(const std::string& x, int heads, int dim_key, int dim_value) {
        const Shape in = shape(x);
        const int64_t pixels = in[2] * in[3];
        const std::string qkv = pointwise(x, heads * (2 * dim_key + dim_value));
        const std::string seen = reshape(qkv, {in[0], heads, 2 * dim_key + dim_value, pixels});
        const auto parts =
            addAll("Split", {seen, initializer(makeList({dim_key, dim_key, dim_value}))},
                   {{in[0], heads, dim_key, pixels},
                    {in[0], heads, dim_key, pixels},
                    {in[0], heads, dim_value, pixels}},
                   {{"axis", int64_t{2}}});
        const std::string logits =
            add("MatMul", {transpose(parts[0]), parts[1]}, {in[0], heads, pixels, pixels});
        const std::string scale =
            initializer(Tensor::scalar(1.f / std::sqrt(static_cast<float>(dim_key))));
        const std::string weights = add("Softmax", {add("Mul", {logits, scale}, shape(logits))},
                                        shape(logits), {{"axis", int64_t{-1}}});
        const std::string sums =
            add("MatMul", {parts[2], transpose(weights)}, {in[0], heads, dim_value, pixels});
        const Shape map = {in[0], heads * dim_value, in[2], in[3]};
        const std::string values = reshape(parts[2], map);
        const int channels = heads * dim_value;
        return add(
            "Add",
            {reshape(sums, map), conv(values, channels, {3, 1, 1, {1, 1, 1, 1}, channels, true})},
            map);
    }

    /// The tail of a YOLOv10's one-to-one head over the logits of several scales.
    std::string boxTail(const std::vector<std::string>& maps, int bins, bool sliced) {
        const int64_t batch = shape(maps[0])[0];
        const int64_t rows = shape(maps[0])[1];
        Shape joined = {batch, rows, 0};
        std::vector<std::string> flat;
        for (const std::string& map : maps) {
            const int64_t pixels = shape(map)[2] * shape(map)[3];
            flat.push_back(reshape(map, {batch, rows, pixels}));
            joined[2] += pixels;
        }
        const int64_t anchors = joined[2];
        const int64_t classes = rows - 4 * bins;
        const std::string logits = add("Concat", flat, joined, {{"axis", int64_t{2}}});
        const auto parts =
            addAll("Split", {logits, initializer(makeList({4 * bins, classes}))},
                   {{batch, 4 * bins, anchors}, {batch, classes, anchors}}, {{"axis", int64_t{1}}});
        const Shape across = {batch, bins, 4, anchors};
        const std::string sides = add("Transpose", {reshape(parts[0], {batch, 4, bins, anchors})},
                                      across, {{"perm", Ints{0, 2, 1, 3}}});
        const std::string weights = add("Softmax", {sides}, across, {{"axis", int64_t{1}}});
        std::vector<float> distances(bins);
        for (int i = 0; i < bins; ++i)
            distances[i] = static_cast<float>(i);
        const std::string mean =
            add("Conv", {weights, initializer(makeFloats({1, bins, 1, 1}, distances))},
                {batch, 1, 4, anchors}, {{"kernel_shape", Ints{1, 1}}});
        const Shape corner = {batch, 2, anchors};
        const std::string four_sides = reshape(mean, {batch, 4, anchors});
        const auto slice = [&](int begin) {
            return add("Slice",
                       {four_sides, initializer(makeList({begin})),
                        initializer(makeList({begin + 2})), initializer(makeList({1}))},
                       corner);
        };
        const auto corners = sliced ? std::vector<std::string>{slice(0), slice(2)}
                                    : addAll("Split", {four_sides, initializer(makeList({2, 2}))},
                                             {corner, corner}, {{"axis", int64_t{1}}});
        const std::string first = add("Sub", {constant({1, 2, anchors}, 40), corners[0]}, corner);
        const std::string second = add("Add", {constant({1, 2, anchors}, 40), corners[1]}, corner);
        const Shape four = {batch, 4, anchors};
        const std::string boxes = add("Mul",
                                      {add("Concat", {first, second}, four, {{"axis", int64_t{1}}}),
                                       constant({1, anchors}, 8)},
                                      four);
        const std::string scores = add("Sigmoid", {parts[1]}, {batch, classes, anchors});
        return add("Concat", {boxes, scores}, {batch, 4 + classes, anchors},
                   {{"axis", int64_t{1}}});
    }

    std::string irmb(const std::string& x) {
        irmb::IrmbParams params;
        params.dim_in = params.dim_mid = params.dim_out = static_cast<int>(shape(x)[1]);
        const std::string output = "t" + std::to_string(shapes_.size());
        shapes_[output] = shape(x);
        Facts facts;
        model_.graph.nodes.push_back(
            makeIrmb(model_, facts, x, output, params, irmb::test::randomWeights(params, rng_)));
        return output;
    }

    std::string reshape(const std::string& x, const Shape& to) {
        return add("Reshape", {x, initializer(makeList(to))}, to);
    }

    /// Ends the network with these outputs.
    OnnxModel finish(const std::vector<std::string>& outputs) {
        model_.graph.outputs.clear();
        for (const std::string& output : outputs)
            model_.graph.outputs.push_back(makeValue(output, shape(output)));
        return model_;
    }

private:
    std::string transpose(const std::string& x) {
        const Shape& s = shape(x);
        return add("Transpose", {x}, {s[0], s[1], s[3], s[2]}, {{"perm", Ints{0, 1, 3, 2}}});
    }

    OnnxModel model_;
    cv::RNG rng_;
    std::map<std::string, Shape> shapes_;
};

Model read(const OnnxModel& model, const ReadOptions& options = {}) {
    const ScratchFolder folder;
    save(model, folder.path("model.onnx"));
    return irmb::readModel(folder.path("model.onnx"), options);
}

ReadOptions off() {
    ReadOptions options;
    options.cpu_acceleration = CpuAcceleration::Off;
    return options;
}

std::vector<cv::Mat> outputsOf(Model& model, const cv::Mat& input) {
    model.net.setInput(input);
    std::vector<cv::Mat> outputs;
    model.net.forward(outputs, model.info.output_names);
    for (cv::Mat& output : outputs)
        output = output.clone();
    return outputs;
}

std::vector<int> inputShape(const OnnxModel& model) {
    const Shape& shape = model.graph.inputs[0].shape;
    return {shape.begin(), shape.end()};
}

/// Compares the accelerated network in both engines with OpenCV's layers in the classic one; the
/// new one folds a batch norm behind an activation wrongly (seen in 5.0.0). `whole`: nothing is
/// left.
void expectSame(const OnnxModel& model, bool whole = true) {
    cv::RNG rng(7);
    const cv::Mat input = randomMap(inputShape(model), rng);
    ReadOptions classic = off();
    classic.engine = irmb::Engine::Classic;
    Model plain = read(model, classic);
    EXPECT_EQ(plain.acceleration.regions, 0);
    const std::vector<cv::Mat> expected = outputsOf(plain, input);
    for (const irmb::Engine engine : {irmb::Engine::Auto, irmb::Engine::Classic}) {
        ReadOptions options;
        options.engine = engine;
        Model fast = read(model, options);
        EXPECT_GT(fast.acceleration.regions, 0);
        if (whole) {
            EXPECT_EQ(fast.acceleration.accelerated, fast.acceleration.operators);
        }
        const std::vector<cv::Mat> outputs = outputsOf(fast, input);
        ASSERT_EQ(outputs.size(), expected.size());
        for (std::size_t i = 0; i < outputs.size(); ++i)
            EXPECT_LE(maxDifference(outputs[i], expected[i]), tolerance(expected[i]));
    }
}

class Accelerate : public ::testing::Test {
protected:
    void SetUp() override {
        if (irmb::accelerate::runnerInfo().library.empty())
            GTEST_SKIP() << irmb::accelerate::runnerInfo().reason;
    }
};

using Geometry = Network::Geometry;

TEST_F(Accelerate, Convolutions) {
    const Geometry geometries[] = {
        {1, 1, 1, {0, 0, 0, 0}, 1, true},  {1, 2, 1, {0, 0, 0, 0}, 1, false},
        {3, 1, 1, {1, 1, 1, 1}, 1, true},  {3, 2, 1, {1, 1, 1, 1}, 1, true},
        {3, 2, 1, {0, 0, 1, 1}, 1, true},  {3, 1, 2, {2, 2, 2, 2}, 1, true},
        {5, 1, 1, {2, 2, 2, 2}, 1, false}, {7, 2, 1, {3, 3, 3, 3}, 1, true},
        {2, 2, 1, {0, 0, 0, 0}, 1, true},  {3, 1, 1, {0, 2, 1, 0}, 1, true}};
    for (const Geometry& geometry : geometries)
        for (const int channels : {3, 16, 24, 40}) {
            SCOPED_TRACE("kernel " + std::to_string(geometry.kernel) + ", channels " +
                         std::to_string(channels));
            Network net(1, channels, 13, 19, 1);
            const std::string map = net.silu(net.conv("image", 2 * channels, geometry));
            expectSame(net.finish({net.pointwise(map, 7)}));
        }
}

TEST_F(Accelerate, DepthwiseConvolutions) {
    for (const int kernel : {3, 5, 7})
        for (const int stride : {1, 2})
            for (const int channels : {8, 16, 24, 48}) {
                SCOPED_TRACE("kernel " + std::to_string(kernel) + ", stride " +
                             std::to_string(stride) + ", channels " + std::to_string(channels));
                Network net(1, 3, 15, 11, 2);
                const int pad = kernel / 2;
                const std::string map = net.silu(net.conv("image", channels));
                const Geometry geometry{kernel, stride, 1, {pad, pad, pad, pad}, channels, true};
                expectSame(net.finish({net.silu(net.conv(map, channels, geometry))}));
            }
}

TEST_F(Accelerate, GroupedConvolutions) {
    for (const int groups : {2, 3, 4}) {
        Network net(1, 3, 10, 10, 3);
        const std::string map = net.conv("image", 16 * groups);
        const std::string grouped =
            net.conv(map, 32 * groups, {3, 1, 1, {1, 1, 1, 1}, groups, true});
        expectSame(net.finish({net.pointwise(grouped, 16)}));
    }
}

TEST_F(Accelerate, Activations) {
    for (const char* op : {"Relu", "Sigmoid", "Tanh", "HardSwish"}) {
        SCOPED_TRACE(op);
        Network net(1, 3, 9, 9, 4);
        const std::string map = net.conv("image", 24);
        const std::string active = net.add(op, {map}, net.shape(map));
        expectSame(net.finish({net.conv(active, 8)}));
    }
}

/// Left to OpenCV.
TEST_F(Accelerate, OtherActivations) {
    Network net(1, 3, 9, 9, 4);
    const std::string map = net.pointwise(net.conv("image", 24), 16);
    const std::string active = net.add("LeakyRelu", {map}, net.shape(map));
    expectSame(net.finish({net.conv(net.conv(active, 8), 8)}), false);
}

TEST_F(Accelerate, ActivationOfAMapThatIsReadTwice) {
    Network net(1, 3, 9, 9, 5);
    const std::string map = net.conv("image", 24);
    expectSame(net.finish({net.conv(net.silu(map), 8), net.pointwise(map, 8)}));
}

TEST_F(Accelerate, BatchNormBehindAnActivation) {
    Network net(1, 3, 9, 9, 20);
    const std::string map = net.silu(net.conv("image", 20));
    const Tensor variance = makeFloats({20}, std::vector<float>(20, 0.7f));
    const std::string norm = net.add("BatchNormalization",
                                     {map, net.constant({20}), net.constant({20}),
                                      net.constant({20}), net.initializer(variance)},
                                     net.shape(map));
    expectSame(net.finish({norm, net.conv(norm, 8)}), false);
}

TEST_F(Accelerate, Residuals) {
    for (const int channels : {16, 20}) {
        Network net(1, 3, 9, 12, 6);
        const std::string a = net.silu(net.conv("image", channels));
        const std::string b = net.add("Add", {a, net.silu(net.conv(a, channels))}, net.shape(a));
        const std::string c = net.add("Add", {net.conv(b, channels), b}, net.shape(a));
        const std::string d = net.silu(c);
        const std::string e =
            net.add("Add", {net.conv(d, channels), net.conv(b, channels)}, net.shape(a));
        const std::string f = net.add("Add", {e, d}, net.shape(a));
        expectSame(net.finish({f, net.pointwise(e, 4)}));
    }
}

/// A C2f as YOLOv8 and YOLOv10 have it.
TEST_F(Accelerate, ConcatAndSplit) {
    for (const int half : {16, 20, 24, 32}) {
        SCOPED_TRACE(half);
        Network net(1, 3, 12, 7, 7);
        const auto parts = net.split(net.silu(net.conv("image", 2 * half)), {half, half});
        const std::string a =
            net.add("Add", {parts[1], net.silu(net.conv(parts[1], half))}, net.shape(parts[1]));
        const std::string b = net.silu(net.conv(a, half));
        const std::string joined = net.concat({parts[0], parts[1], a, b});
        expectSame(net.finish({net.pointwise(joined, 2 * half), joined}));
    }
}

TEST_F(Accelerate, SlicesOfChannels) {
    for (const int half : {16, 20}) {
        SCOPED_TRACE(half);
        Network net(1, 3, 9, 7, 11);
        const std::string both = net.silu(net.conv("image", 2 * half));
        const auto part = [&](int begin, int end) {
            return net.add("Slice",
                           {both, net.initializer(makeList({begin})),
                            net.initializer(makeList({end})), net.initializer(makeList({1}))},
                           {1, half, 9, 7});
        };
        const std::string low = part(0, half);
        const std::string high = part(-half, std::numeric_limits<int>::max());
        const std::string joined = net.concat({low, high, net.silu(net.conv(high, half))});
        expectSame(net.finish({net.pointwise(joined, half), low}));
    }
}

TEST_F(Accelerate, ConcatInOddOrders) {
    Network net(1, 3, 8, 8, 8);
    const std::string x = net.conv("image", 48);
    const auto parts = net.split(x, {16, 5, 27});
    const std::string swapped = net.concat({parts[2], parts[0], parts[1]});
    const std::string twice = net.concat({x, x, parts[0]});
    const std::string nested = net.concat({net.pointwise(twice, 16), net.concat({x, swapped})});
    expectSame(net.finish({net.pointwise(nested, 9), swapped, twice}));
}

TEST_F(Accelerate, PoolingAndResizing) {
    for (const int channels : {16, 20}) {
        Network net(1, 3, 11, 14, 9);
        const std::string x = net.silu(net.conv("image", channels));
        const std::string a = net.maxPool(x, 5, 1, 2);
        const std::string b = net.maxPool(a, 5, 1, 2);
        const std::string pyramid = net.pointwise(net.concat({x, a, b}), channels);
        const std::string small = net.maxPool(pyramid, 2, 2, 0);
        const std::string large = net.upsample(small, 3);
        expectSame(net.finish({net.pointwise(net.upsample(pyramid, 2), 4), net.conv(large, 8)}));
    }
}

TEST_F(Accelerate, Attention) {
    for (const int side : {5, 7}) {
        Network net(1, 3, side, side + 2, 10);
        const std::string x = net.silu(net.conv("image", 32));
        expectSame(net.finish({net.pointwise(net.attention(x, 2, 8, 16), 16)}));
    }
}

TEST_F(Accelerate, Irmb) {
    for (const int side : {7, 10}) {
        Network net(1, 3, side, side + 3, 11);
        const std::string x = net.silu(net.conv("image", 24));
        expectSame(net.finish({net.pointwise(net.irmb(x), 16)}));
    }
}

TEST_F(Accelerate, Batches) {
    Network net(3, 3, 10, 12, 12);
    const std::string x = net.silu(net.conv("image", 32));
    const std::string y = net.irmb(net.attention(x, 2, 8, 16));
    const std::string z = net.pointwise(net.concat({x, y, net.maxPool(x, 3, 1, 1)}), 20);
    expectSame(net.finish({z, y}));
}

TEST_F(Accelerate, TailsOfDetectors) {
    for (const int bins : {4, 16})
        for (const int classes : {1, 5, 80})
            for (const int batch : {1, 2}) {
                SCOPED_TRACE(cv::format("%d bins, %d classes, batch %d", bins, classes, batch));
                Network net(batch, 3, 14, 22, 21);
                const std::string x = net.silu(net.conv("image", 32));
                const std::string y = net.maxPool(x, 3, 2, 1);
                std::vector<std::string> maps;
                for (const std::string& map : {x, y})
                    maps.push_back(
                        net.concat({net.pointwise(map, 4 * bins), net.pointwise(map, classes)}));
                expectSame(net.finish({net.boxTail(maps, bins, batch == 2)}));
            }
}

/// What lies between two regions stays with OpenCV, and no region waits for itself.
TEST_F(Accelerate, UnknownOperatorsInBetween) {
    Network net(1, 3, 12, 12, 13);
    const std::string x = net.silu(net.conv("image", 16));
    const std::string side = net.conv(x, 16);
    const std::string mean = net.add("GlobalAveragePool", {x}, {1, 16, 1, 1});
    const std::string gated =
        net.add("Mul", {side, net.add("Sigmoid", {mean}, {1, 16, 1, 1})}, net.shape(side));
    const std::string y = net.conv(net.concat({gated, x}), 16);
    const OnnxModel model = net.finish({net.add("Add", {net.conv(y, 16), side}, net.shape(side))});
    expectSame(model, false);
    EXPECT_EQ(read(model).acceleration.regions, 2);
}

/// Random networks of everything above.
TEST_F(Accelerate, RandomNetworks) {
    for (int seed = 0; seed < 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        cv::RNG rng(seed);
        Network net(rng.uniform(1, 3), 3, rng.uniform(8, 24), rng.uniform(8, 24), seed);
        std::vector<std::string> maps = {net.silu(net.conv("image", 8 * rng.uniform(1, 6)))};
        for (int i = 0; i < 12; ++i) {
            const std::string x = maps[rng.uniform(0, static_cast<int>(maps.size()))];
            const Shape shape = net.shape(x);
            const int channels = static_cast<int>(shape[1]);
            switch (rng.uniform(0, 9)) {
            case 0:
                maps.push_back(net.silu(net.conv(x, rng.uniform(4, 50))));
                break;
            case 1:
                maps.push_back(net.pointwise(x, rng.uniform(4, 50)));
                break;
            case 2:
                maps.push_back(net.add("Add", {x, net.silu(net.conv(x, channels))}, shape));
                break;
            case 3:
                maps.push_back(
                    net.silu(net.conv(x, channels, {3, 1, 1, {1, 1, 1, 1}, channels, true})));
                break;
            case 4:
                maps.push_back(net.maxPool(x, 3, 1, 1));
                break;
            case 5: {
                const int first = rng.uniform(1, channels);
                for (const std::string& part : net.split(x, {first, channels - first}))
                    maps.push_back(part);
                break;
            }
            case 6:
                for (const std::string& other : maps)
                    if (net.shape(other)[2] == shape[2] && net.shape(other)[3] == shape[3] &&
                        channels + net.shape(other)[1] < 200) {
                        maps.push_back(net.concat({other, x}));
                        break;
                    }
                break;
            case 7:
                if (shape[2] < 30)
                    maps.push_back(net.upsample(x, 2));
                break;
            case 8:
                if (channels % 8 == 0)
                    maps.push_back(net.irmb(x));
                break;
            }
        }
        const OnnxModel model =
            net.finish({net.pointwise(maps.back(), 8), net.pointwise(maps.front(), 3)});
        expectSame(model, false);
    }
}

TEST_F(Accelerate, FollowsTheNumberOfThreads) {
    Network net(1, 3, 40, 40, 14);
    const std::string x = net.silu(net.conv("image", 32));
    const OnnxModel model = net.finish({net.conv(net.irmb(x), 32)});
    cv::RNG rng(3);
    const cv::Mat input = randomMap(inputShape(model), rng);
    const int before = cv::getNumThreads();
    Model fast = read(model);
    const cv::Mat expected = outputsOf(fast, input)[0];
    for (const int threads : {1, 3, 2, 1}) {
        cv::setNumThreads(threads);
        EXPECT_LE(maxDifference(outputsOf(fast, input)[0], expected), tolerance(expected));
    }
    cv::setNumThreads(before);
}

TEST_F(Accelerate, TwoNetsInTwoThreads) {
    Network net(1, 3, 32, 32, 15);
    const std::string x = net.silu(net.conv("image", 32));
    const OnnxModel model = net.finish({net.conv(net.attention(x, 2, 8, 16), 32)});
    cv::RNG rng(3);
    const cv::Mat input = randomMap(inputShape(model), rng);
    Model first = read(model);
    const cv::Mat expected = outputsOf(first, input)[0];
    const auto check = [&](Model& own) {
        for (int i = 0; i < 20; ++i)
            EXPECT_EQ(maxDifference(outputsOf(own, input)[0], expected), 0);
    };
    Model second = read(model);
    std::thread other([&] { check(second); });
    check(first);
    other.join();
}

TEST_F(Accelerate, RefusesOtherInputSizes) {
    Network net(1, 3, 16, 16, 16);
    Model model = read(net.finish({net.conv(net.conv("image", 16), 16)}));
    cv::RNG rng(1);
    model.net.setInput(randomMap({1, 3, 24, 16}, rng));
    try {
        model.net.forward();
        FAIL() << "ran for another size";
    } catch (const cv::Exception& error) {
        expectWords(error.what(), {"1x3x16x16", "1x3x24x16"});
    }
}

TEST_F(Accelerate, Bfloat16IsCloseOrRefused) {
    Network net(1, 3, 20, 24, 17);
    const std::string x = net.silu(net.conv("image", 32));
    const std::string y =
        net.irmb(net.attention(net.concat({x, net.maxPool(x, 3, 1, 1)}), 2, 8, 16));
    const OnnxModel model = net.finish({net.pointwise(net.upsample(y, 2), 24)});
    ReadOptions options;
    options.precision = irmb::Precision::Bfloat16;
    if (!irmb::accelerate::runnerInfo().bfloat16) {
        EXPECT_THROW(read(model, options), cv::Exception);
        GTEST_SKIP() << "the processor has no AVX512-BF16";
    }
    cv::RNG rng(3);
    const cv::Mat input = randomMap(inputShape(model), rng);
    Model plain = read(model, off());
    Model fast = read(model, options);
    EXPECT_EQ(fast.acceleration.precision, irmb::Precision::Bfloat16);
    const cv::Mat expected = outputsOf(plain, input)[0];
    const double largest = cv::norm(expected.reshape(1, 1), cv::NORM_INF);
    const double difference = maxDifference(outputsOf(fast, input)[0], expected);
    EXPECT_LE(difference, 0.03 * largest);
    EXPECT_GT(difference, 0);
    options.cpu_acceleration = CpuAcceleration::Off;
    EXPECT_THROW(read(model, options), cv::Exception);
}

/// The network with its attention as nodes of our own, as readModel() makes it for CUDA.
OnnxModel withFusedAttention(OnnxModel model, int expected) {
    Facts facts = specialise(model, {{"image", model.graph.inputs[0].shape}});
    simplify(model, facts);
    EXPECT_EQ(irmb::accelerate::fuseAttention(model, facts), expected);
    return model;
}

int attentionNodes(const OnnxModel& model) {
    return static_cast<int>(
        std::count_if(model.graph.nodes.begin(), model.graph.nodes.end(),
                      [](const Node& node) { return node.op == irmb::attention_op; }));
}

TEST(FuseAttention, ComputesWhatTheOperatorsDo) {
    for (const int batch : {1, 2}) {
        Network net(batch, 16, 5, 7, 31);
        const std::string y = net.attention("image", 2, 8, 16);
        const OnnxModel model = net.finish({net.pointwise(net.attention(y, 1, 5, 12), 16)});
        const OnnxModel fused = withFusedAttention(model, 2);
        EXPECT_EQ(attentionNodes(fused), 2);
        for (const Node& node : fused.graph.nodes)
            EXPECT_FALSE(node.is("MatMul") || node.is("Softmax") || node.is("Transpose"));

        irmb::registerLayers();
        const std::vector<uint8_t> bytes = serialize(fused);
        const char* first = reinterpret_cast<const char*>(bytes.data());
        cv::dnn::Net of_ours = cv::dnn::readNetFromONNX(first, bytes.size());
        cv::RNG rng(5);
        const cv::Mat input = randomMap(inputShape(model), rng);
        of_ours.setInput(input);
        const cv::Mat output = of_ours.forward();
        ReadOptions classic = off();
        classic.engine = irmb::Engine::Classic;
        Model plain = read(model, classic);
        const cv::Mat expected = outputsOf(plain, input)[0];
        EXPECT_LE(maxDifference(output, expected), tolerance(expected));
    }
}

TEST(FuseAttention, LeavesWhatTheKernelDoesNotTake) {
    Network net(1, 16, 4, 4, 32);
    const int wide = irmb::cuda::most_attention_key + 1;
    const OnnxModel model = net.finish({net.attention("image", 1, wide, 8)});
    EXPECT_EQ(attentionNodes(withFusedAttention(model, 0)), 0);
}

TEST(AccelerateFile, ConvertedFilesHaveNoNodesForCuda) {
    Network net(1, 16, 8, 8, 33);
    const OnnxModel model = net.finish({net.attention("image", 2, 8, 16)});
    const ScratchFolder folder;
    save(model, folder.path("in.onnx"));
    ReadOptions options;
    options.for_cuda = true;
    irmb::convertModel(folder.path("in.onnx"), folder.path("out.onnx"), options);
    for (const Node& node : load(folder.path("out.onnx")).graph.nodes)
        EXPECT_EQ(node.domain, "");
}

TEST(AccelerateFile, ConvertedFilesHaveNoRegions) {
    Network net(1, 3, 16, 16, 18);
    const OnnxModel model = net.finish({net.conv(net.conv("image", 16), 16)});
    const ScratchFolder folder;
    save(model, folder.path("in.onnx"));
    irmb::convertModel(folder.path("in.onnx"), folder.path("out.onnx"));
    for (const Node& node : load(folder.path("out.onnx")).graph.nodes)
        EXPECT_EQ(node.domain, "");
}

TEST(AccelerateFile, RegionNodesOfFilesAreRefused) {
    OnnxModel model = makeModel(makeValue("image", {1, 3, 8, 8}), makeValue("out", {1, 3, 8, 8}));
    model.opsets["irmb"] = 1;
    model.graph.nodes = {makeNode("CpuRegion", {"image"}, {"out"}, {{"handle", int64_t{1}}})};
    model.graph.nodes[0].domain = "irmb";
    try {
        read(model);
        FAIL() << "taken";
    } catch (const cv::Exception& error) {
        EXPECT_NE(error.err.find("only irmb::iRMB is"), std::string::npos) << error.err;
    }
}

TEST(AccelerateFile, SwitchedOffMeansOpenCvAlone) {
    Network net(1, 3, 16, 16, 19);
    const Model model = read(net.finish({net.conv(net.conv("image", 16), 16)}), off());
    EXPECT_EQ(model.acceleration.regions, 0);
    EXPECT_EQ(model.acceleration.reason, "it is switched off");
}

TEST(PlanArena, PiecesInUseDoNotOverlap) {
    cv::RNG rng(1);
    for (int round = 0; round < 50; ++round) {
        std::vector<irmb::accelerate::Piece> pieces(rng.uniform(1, 40));
        for (auto& piece : pieces) {
            piece.bytes = rng.uniform(1, 1000);
            piece.first_step = rng.uniform(0, 20);
            piece.last_step = piece.first_step + rng.uniform(0, 5);
        }
        std::size_t total = 0;
        const auto offsets = irmb::accelerate::planArena(pieces, 64, total);
        for (std::size_t a = 0; a < pieces.size(); ++a) {
            EXPECT_EQ(offsets[a] % 64, 0u);
            EXPECT_LE(offsets[a] + pieces[a].bytes, total);
            for (std::size_t b = 0; b < a; ++b) {
                const bool together = pieces[a].first_step <= pieces[b].last_step &&
                                      pieces[b].first_step <= pieces[a].last_step;
                const bool apart = offsets[a] + pieces[a].bytes <= offsets[b] ||
                                   offsets[b] + pieces[b].bytes <= offsets[a];
                EXPECT_TRUE(apart || !together);
            }
        }
    }
}

} // namespace
