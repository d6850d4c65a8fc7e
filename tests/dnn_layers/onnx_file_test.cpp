#include "onnx/file/io.hpp"
#include "support/expect_words.hpp"
#include "support/graph_builder.hpp"
#include "support/scratch_folder.hpp"

#include <gtest/gtest.h>
#include <opencv2/core.hpp>
#include <protozero/pbf_writer.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>

using namespace irmb::onnx;
using irmb::test::expectWords;
using irmb::test::makeModel;
using irmb::test::makeNode;
using irmb::test::makeRamp;
using irmb::test::makeSmallModel;
using irmb::test::makeValue;
using vigil::test::ScratchFolder;

namespace {

std::vector<uint8_t> bytesOf(const std::string& text) {
    return {text.begin(), text.end()};
}

OnnxModel reread(const OnnxModel& model) {
    return parse(serialize(model), "", "test.onnx");
}

/// What parse() says of the bytes; "" when it takes them.
std::string faultOf(const std::vector<uint8_t>& bytes, const std::string& folder = "") {
    try {
        parse(bytes, folder, "test.onnx");
    } catch (const cv::Exception& error) {
        EXPECT_EQ(error.err.find('\n'), std::string::npos) << error.err;
        EXPECT_EQ(error.err.rfind("test.onnx: ", 0), 0u) << error.err;
        return error.err;
    }
    return "";
}

std::string faultOf(const OnnxModel& model) {
    return faultOf(serialize(model));
}

std::string loadFault(const std::string& path) {
    try {
        load(path);
    } catch (const cv::Exception& error) {
        return error.err;
    }
    return "";
}

/// A file whose one initializer "weight" is written by `fill`, field by field.
template <typename Fill>
std::vector<uint8_t> fileWithTensor(const Fill& fill) {
    std::string bytes;
    protozero::pbf_writer model(bytes);
    model.add_int64(1, 8);
    {
        protozero::pbf_writer graph(model, 7);
        {
            protozero::pbf_writer node(graph, 1);
            node.add_string(1, "x");
            node.add_string(1, "weight");
            node.add_string(2, "y");
            node.add_string(4, "Add");
        }
        {
            protozero::pbf_writer tensor(graph, 5);
            fill(tensor);
            tensor.add_string(8, "weight");
        }
        for (const auto& [field, name] : {std::pair(11, "x"), std::pair(12, "y")}) {
            protozero::pbf_writer info(graph, static_cast<protozero::pbf_tag_type>(field));
            info.add_string(1, name);
        }
    }
    protozero::pbf_writer opset(model, 8);
    opset.add_int64(2, 13);
    opset.commit();
    return bytesOf(bytes);
}

void addExternal(protozero::pbf_writer& tensor, const std::string& key, const std::string& value) {
    protozero::pbf_writer entry(tensor, 13);
    entry.add_string(1, key);
    entry.add_string(2, value);
}

std::vector<uint8_t> fileWithExternal(const std::string& location, const std::string& offset = "",
                                      const std::string& length = "") {
    return fileWithTensor([&](protozero::pbf_writer& tensor) {
        tensor.add_int64(1, 3);
        tensor.add_int32(2, 1);
        addExternal(tensor, "location", location);
        if (!offset.empty())
            addExternal(tensor, "offset", offset);
        if (!length.empty())
            addExternal(tensor, "length", length);
        tensor.add_int32(14, 1);
    });
}

void writeFloats(const std::string& path, const std::vector<float>& values) {
    std::ofstream stream(path, std::ios::binary);
    stream.write(reinterpret_cast<const char*>(values.data()),
                 static_cast<std::streamsize>(values.size() * sizeof(float)));
}

} // namespace

TEST(OnnxFile, SurvivesWritingAndReading) {
    OnnxModel model = makeSmallModel();
    model.graph.nodes[1].attributes = {{"i", int64_t{-5}},
                                       {"f", 0.25f},
                                       {"s", std::string("text")},
                                       {"t", makeRamp({2, 2})},
                                       {"is", std::vector<int64_t>{1, -2}},
                                       {"fs", std::vector<float>{0.5f}},
                                       {"ss", std::vector<std::string>{"a", "b"}}};
    const OnnxModel copy = reread(model);
    EXPECT_EQ(copy.opset(), 13);
    EXPECT_EQ(copy.producer_name, "maker");
    EXPECT_EQ(copy.producer_version, "1.2");
    EXPECT_EQ(copy.metadata, model.metadata);
    ASSERT_EQ(copy.graph.nodes.size(), 3u);
    const Node& node = copy.graph.nodes[1];
    EXPECT_EQ(node.intAttr("i", 0), -5);
    EXPECT_EQ(node.floatAttr("f", 0.f), 0.25f);
    EXPECT_EQ(node.stringAttr("s", ""), "text");
    EXPECT_EQ(node.intsAttr("is"), (std::vector<int64_t>{1, -2}));
    EXPECT_EQ(std::get<Tensor>(node.attributes.at("t")).floats(), makeRamp({2, 2}).floats());
    EXPECT_EQ(std::get<std::vector<float>>(node.attributes.at("fs")), std::vector<float>{0.5f});
    EXPECT_EQ(std::get<std::vector<std::string>>(node.attributes.at("ss")).back(), "b");
    EXPECT_EQ(copy.graph.initializers.at("weight").data,
              model.graph.initializers.at("weight").data);
    EXPECT_EQ(copy.graph.inputs.front().shape, (Shape{1, 3, 6, 6}));
    EXPECT_EQ(copy.graph.outputs.front().name, "out");
}

TEST(OnnxFile, WritesOnlyInitializersThatAreUsed) {
    OnnxModel model = makeSmallModel();
    const std::size_t size = serialize(model).size();
    model.graph.initializers["unused"] = makeRamp({1000});
    EXPECT_EQ(serialize(model).size(), size);
}

TEST(OnnxFile, ReadsSymbolicDimensionsAsOpen) {
    OnnxModel model = makeSmallModel();
    model.graph.inputs.front().shape = {-1, 3, -1, 6};
    EXPECT_EQ(reread(model).graph.inputs.front().shape, (Shape{-1, 3, -1, 6}));
}

TEST(OnnxFile, TurnsHalfAndDoubleIntoFloat) {
    OnnxModel model = makeSmallModel();
    Tensor half;
    half.type = DataType::Float16;
    half.shape = {2};
    half.data = {0x00, 0x3C, 0x00, 0xC0}; // 1, -2
    model.graph.initializers["bias"] = half;
    model.graph.inputs.front().type = DataType::Float16;
    model.graph.nodes[1] = makeNode("Cast", {"map"}, {"positive"}, {{"to", int64_t{11}}});
    const OnnxModel copy = reread(model);
    EXPECT_EQ(copy.graph.initializers.at("bias").type, DataType::Float);
    EXPECT_EQ(copy.graph.initializers.at("bias").floats(), (std::vector<float>{1.f, -2.f}));
    EXPECT_EQ(copy.graph.inputs.front().type, DataType::Float);
    EXPECT_EQ(copy.graph.nodes[1].intAttr("to", 0), 1);
}

TEST(OnnxFile, TurnsConstantNodesIntoInitializers) {
    OnnxModel model = makeSmallModel();
    model.graph.initializers.erase("shape");
    model.graph.nodes.push_back(
        makeNode("Constant", {}, {"shape"}, {{"value_ints", std::vector<int64_t>{1, 72}}}));
    const OnnxModel copy = reread(model);
    EXPECT_EQ(copy.graph.nodes.size(), 3u);
    EXPECT_EQ(copy.graph.initializers.at("shape").ints(), (std::vector<int64_t>{1, 72}));
}

TEST(OnnxFile, LeavesInitializersOutOfTheInputs) {
    OnnxModel model = makeSmallModel();
    model.graph.inputs.push_back(makeValue("weight", {2, 3, 3, 3}));
    EXPECT_EQ(reread(model).graph.inputs.size(), 1u);
}

TEST(OnnxFile, SortsNodes) {
    OnnxModel model = makeSmallModel();
    std::swap(model.graph.nodes[0], model.graph.nodes[2]);
    EXPECT_EQ(reread(model).graph.nodes.front().op, "Conv");
}

TEST(OnnxFile, RefusesWhatIsNoModel) {
    expectWords(faultOf(std::vector<uint8_t>{}), {"empty"});
    expectWords(faultOf(bytesOf("This is a text and not a model at all.")), {"not an ONNX file"});
    expectWords(faultOf(std::vector<uint8_t>{0x08, 0x07}), {"no graph"});
    // Field 7, the graph, with a length of almost 2^32.
    expectWords(faultOf(std::vector<uint8_t>{0x3A, 0xF0, 0xFF, 0xFF, 0xFF, 0x0F}), {"damaged"});
}

TEST(OnnxFile, RefusesOpsetsThatItDoesNotKnow) {
    for (const int64_t opset : {1, 10, 21, 9999}) {
        OnnxModel model = makeSmallModel();
        model.opsets[""] = opset;
        expectWords(faultOf(model), {"opset " + std::to_string(opset), "11 to 20", "17"});
    }
    OnnxModel model = makeSmallModel();
    model.opsets["irmb"] = 2;
    Node node = makeNode("iRMB", {"image"}, {"unused"});
    node.domain = "irmb";
    model.graph.nodes.push_back(node);
    expectWords(faultOf(model), {"version 2", "irmb"});
}

TEST(OnnxFile, NamesFaultsOfTheGraph) {
    const auto change = [](const auto& edit) {
        OnnxModel model = makeSmallModel();
        edit(model.graph);
        return faultOf(model);
    };
    expectWords(change([](Graph& g) { g.initializers.erase("weight"); }),
                {"map_node", "Conv", "weight", "incomplete", "copy the model again"});
    expectWords(change([](Graph& g) { g.nodes[1].inputs[0] = "positive"; }),
                {"cycle", "Relu", "copy the model again"});
    expectWords(change([](Graph& g) { g.nodes[1].outputs[0] = "map"; }), {"map", "twice"});
    expectWords(change([](Graph& g) { g.nodes[2].outputs[0] = "elsewhere"; }), {"output", "'out'"});
    expectWords(change([](Graph& g) { g.outputs.clear(); }), {"no outputs"});
    expectWords(change([](Graph& g) { g.outputs.push_back(g.outputs.front()); }), {"out", "twice"});
    expectWords(change([](Graph& g) { g.inputs.push_back(g.inputs.front()); }), {"image", "twice"});
    expectWords(change([](Graph& g) { g.inputs.front().shape[2] = 0; }),
                {"image", "length 0", "copy the model again"});
    expectWords(change([](Graph& g) { g.inputs.front().shape[2] = int64_t{1} << 40; }), {"image"});
    expectWords(change([](Graph& g) { g.nodes[0].inputs.resize(1); }), {"Conv", "lacks"});
    expectWords(change([](Graph& g) { g.nodes[0].name = "evil\nname"; }), {"control characters"});
    expectWords(change([](Graph& g) { g.nodes[0].op.clear(); }), {"no operator"});
}

TEST(OnnxFile, ChecksTensorsAgainstTheirData) {
    const auto change = [](const auto& edit) {
        OnnxModel model = makeSmallModel();
        edit(model.graph.initializers.at("weight"));
        return faultOf(model);
    };
    expectWords(change([](Tensor& t) { t.data.resize(100); }),
                {"weight", "216", "100", "copy the model again"});
    expectWords(change([](Tensor& t) { t.data.resize(217); }), {"weight", "216", "217"});
    expectWords(change([](Tensor& t) {
                    t.shape = {2147483647, 2147483647};
                }),
                {"weight", "2 GiB", "copy the model again"});
    expectWords(change([](Tensor& t) { t.shape = {int64_t{1} << 62, 4}; }), {"too large"});
    expectWords(change([](Tensor& t) { t.shape = {-2, 27}; }), {"negative"});
    expectWords(change([](Tensor& t) { t.shape.assign(40, 1); }), {"40 dimensions"});
    expectWords(change([](Tensor& t) { t.type = DataType::String; }), {"element type 8"});
}

TEST(OnnxFile, ReadsEveryWayToStoreNumbers) {
    const auto floats = [](const std::vector<uint8_t>& bytes) {
        return parse(bytes, "", "test.onnx").graph.initializers.at("weight").floats();
    };
    const std::vector<float> expected = {1.f, -2.f, 3.f};
    EXPECT_EQ(floats(fileWithTensor([&](protozero::pbf_writer& t) {
                  const std::vector<int64_t> dims = {3};
                  t.add_packed_int64(1, dims.begin(), dims.end());
                  t.add_int32(2, 1);
                  t.add_packed_float(4, expected.begin(), expected.end());
              })),
              expected);
    EXPECT_EQ(floats(fileWithTensor([&](protozero::pbf_writer& t) {
                  t.add_int64(1, 3);
                  t.add_int32(2, 1);
                  for (const float value : expected)
                      t.add_float(4, value);
              })),
              expected);
    EXPECT_EQ(floats(fileWithTensor([&](protozero::pbf_writer& t) {
                  t.add_int64(1, 3);
                  t.add_int32(2, 11);
                  t.add_packed_double(10, expected.begin(), expected.end());
              })),
              expected);
    EXPECT_EQ(floats(fileWithTensor([](protozero::pbf_writer& t) {
                  const std::vector<int32_t> halves = {0x3C00, 0xC000, 0x4200};
                  t.add_int64(1, 3);
                  t.add_int32(2, 10);
                  t.add_packed_int32(5, halves.begin(), halves.end());
              })),
              expected);
    EXPECT_EQ(floats(fileWithTensor([](protozero::pbf_writer& t) {
                  const std::vector<int64_t> integers = {1, -2, 3};
                  t.add_int64(1, 3);
                  t.add_int32(2, 7);
                  t.add_packed_int64(7, integers.begin(), integers.end());
              })),
              expected);
}

TEST(OnnxFile, RefusesWrongWireTypes) {
    expectWords(faultOf(fileWithTensor([](protozero::pbf_writer& t) { t.add_string(2, "float"); })),
                {"damaged"});
    expectWords(faultOf(fileWithTensor([](protozero::pbf_writer& t) { t.add_int64(9, 5); })),
                {"damaged"});
}

TEST(OnnxFile, ReadsExternalData) {
    const ScratchFolder folder;
    writeFloats(folder.path("weights.bin"), {9.f, 1.f, 2.f, 3.f});
    const OnnxModel model =
        parse(fileWithExternal("weights.bin", "4", "12"), folder.path(), "test.onnx");
    EXPECT_EQ(model.graph.initializers.at("weight").floats(), (std::vector<float>{1.f, 2.f, 3.f}));
}

TEST(OnnxFile, ChecksTheSizeOfExternalData) {
    const ScratchFolder folder;
    writeFloats(folder.path("weights.bin"), {1.f, 2.f, 3.f});
    const auto fault = [&](const std::string& offset, const std::string& length) {
        return faultOf(fileWithExternal("weights.bin", offset, length), folder.path());
    };
    expectWords(fault("4", ""), {"weights.bin", "12 bytes", "copy the model again"});
    expectWords(fault("18446744073709551615", ""), {"weights.bin", "18446744073709551615"});
    expectWords(fault("", "8"), {"weight", "12 bytes", "8"});
    expectWords(fault("-4", ""), {"offset", "-4"});
    expectWords(faultOf(fileWithExternal("weights.bin")), {"weight", "another file"});
}

TEST(OnnxFile, KeepsExternalDataInTheFolder) {
    const ScratchFolder outside;
    const ScratchFolder folder;
    writeFloats(outside.path("secret.bin"), {1.f, 2.f, 3.f});
    const auto fault = [&](const std::string& location) {
        return faultOf(fileWithExternal(location), folder.path());
    };
    const std::string name = std::filesystem::path(outside.path()).filename().string();
    expectWords(fault(outside.path("secret.bin")), {"inside the model's folder"});
    expectWords(fault("../" + name + "/secret.bin"),
                {"inside the model's folder", "export the model with its weights beside it"});
    expectWords(fault("a/../../" + name + "/secret.bin"), {"inside the model's folder"});
    expectWords(fault(""), {"inside the model's folder"});
    expectWords(fault("missing.bin"), {"missing.bin", "is missing"});

    std::filesystem::create_symlink(outside.path("secret.bin"), folder.path("link.bin"));
    expectWords(fault("link.bin"), {"link.bin", "leads out"});
    std::filesystem::create_directory_symlink(outside.path(), folder.path("inner"));
    expectWords(fault("inner/secret.bin"), {"leads out"});
    std::filesystem::create_directory(folder.path("folder"));
    expectWords(fault("folder"), {"folder, not a file"});
}

TEST(OnnxFile, RefusesFilesThatAreNone) {
    const ScratchFolder folder;
    expectWords(loadFault(folder.path("absent.onnx")), {"absent.onnx", "cannot open"});
    expectWords(loadFault(folder.path()), {"folder"});
    ASSERT_EQ(::mkfifo(folder.path("pipe.onnx").c_str(), 0600), 0);
    expectWords(loadFault(folder.path("pipe.onnx")), {"not a regular file"});
}

TEST(OnnxFile, SavesAtOnce) {
    const ScratchFolder folder;
    const std::string path = folder.path("model.onnx");
    save(makeSmallModel(), path);
    save(makeSmallModel(), path);
    EXPECT_EQ(load(path).graph.nodes.size(), 3u);
    const auto entries = std::filesystem::directory_iterator(folder.path());
    EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
    try {
        save(makeSmallModel(), folder.path("no/such/folder.onnx"));
        ADD_FAILURE() << "writing into a folder that is not there worked";
    } catch (const cv::Exception& error) {
        expectWords(error.err, {"no/such/folder.onnx", "cannot write"});
    }
}

namespace {

/// A function "twice" (a + a), called by a model as often as `calls` says, or by itself.
std::vector<uint8_t> fileWithFunction(int calls, bool is_recursive) {
    std::string bytes;
    protozero::pbf_writer model(bytes);
    model.add_int64(1, 8);
    {
        protozero::pbf_writer graph(model, 7);
        for (int i = 0; i < calls; ++i) {
            protozero::pbf_writer node(graph, 1);
            node.add_string(1, i == 0 ? "x" : "y" + std::to_string(i - 1));
            node.add_string(2, i == calls - 1 ? "y" : "y" + std::to_string(i));
            node.add_string(4, "twice");
            node.add_string(7, "custom");
        }
        for (const auto& [field, name] : {std::pair(11, "x"), std::pair(12, "y")}) {
            protozero::pbf_writer info(graph, static_cast<protozero::pbf_tag_type>(field));
            info.add_string(1, name);
        }
    }
    {
        protozero::pbf_writer opset(model, 8);
        opset.add_int64(2, 13);
    }
    protozero::pbf_writer function(model, 25);
    function.add_string(1, "twice");
    function.add_string(10, "custom");
    function.add_string(4, "a");
    function.add_string(5, "b");
    {
        protozero::pbf_writer node(function, 7);
        node.add_string(1, "a");
        if (!is_recursive)
            node.add_string(1, "a");
        node.add_string(2, "b");
        node.add_string(4, is_recursive ? "twice" : "Add");
        if (is_recursive)
            node.add_string(7, "custom");
    }
    function.commit();
    return bytesOf(bytes);
}

} // namespace

TEST(OnnxFile, ExpandsFunctions) {
    const Graph graph = parse(fileWithFunction(3, false), "", "test.onnx").graph;
    ASSERT_EQ(graph.nodes.size(), 3u);
    for (const Node& node : graph.nodes)
        EXPECT_EQ(node.op, "Add");
    EXPECT_EQ(graph.nodes[0].inputs, (std::vector<std::string>{"x", "x"}));
    EXPECT_EQ(graph.nodes[2].outputs.front(), "y");
}

TEST(OnnxFile, RefusesFunctionsThatCallThemselves) {
    expectWords(faultOf(fileWithFunction(1, true)), {"twice", "too deep"});
}

TEST(OnnxFile, RefusesSubgraphs) {
    // A node with an attribute of kind GRAPH.
    std::string bytes;
    protozero::pbf_writer model(bytes);
    {
        protozero::pbf_writer graph(model, 7);
        {
            protozero::pbf_writer node(graph, 1);
            node.add_string(1, "x");
            node.add_string(2, "y");
            node.add_string(3, "branch");
            node.add_string(4, "If");
            protozero::pbf_writer attribute(node, 5);
            attribute.add_string(1, "then_branch");
            attribute.add_int32(20, 5);
        }
        for (const auto& [field, name] : {std::pair(11, "x"), std::pair(12, "y")}) {
            protozero::pbf_writer info(graph, static_cast<protozero::pbf_tag_type>(field));
            info.add_string(1, name);
        }
    }
    protozero::pbf_writer opset(model, 8);
    opset.add_int64(2, 13);
    opset.commit();
    expectWords(faultOf(bytesOf(bytes)), {"branch", "If", "then_branch"});
}

TEST(OnnxFile, SurvivesTruncation) {
    const std::vector<uint8_t> whole = serialize(makeSmallModel());
    for (std::size_t size = 0; size < whole.size(); ++size)
        faultOf(std::vector<uint8_t>(whole.begin(), whole.begin() + static_cast<long>(size)));
}

TEST(OnnxFile, SurvivesFlippedBits) {
    const std::vector<uint8_t> whole = serialize(makeSmallModel());
    cv::RNG rng(20261124);
    int taken = 0;
    for (int round = 0; round < 20000; ++round) {
        std::vector<uint8_t> damaged = whole;
        const int flips = rng.uniform(1, 6);
        for (int i = 0; i < flips; ++i)
            damaged[static_cast<std::size_t>(rng.uniform(0, static_cast<int>(whole.size())))] ^=
                static_cast<uint8_t>(1 << rng.uniform(0, 8));
        taken += faultOf(damaged).empty() ? 1 : 0;
    }
    EXPECT_GT(taken, 0); // flips in weights and names do no harm
}
