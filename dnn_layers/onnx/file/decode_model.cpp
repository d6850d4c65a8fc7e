#include "files.hpp"
#include "onnx/fault.hpp"
#include "onnx/text.hpp"
#include "proto.hpp"
#include "raw_model.hpp"

#include <opencv2/core.hpp>

#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

namespace irmb::onnx {
namespace {

using proto::Fields;
using protozero::data_view;

constexpr std::size_t kMaxRank = 10; // of OpenCV 5
constexpr std::size_t kMaxNameBytes = 4096;

template <typename Container>
void checkRoom(const Container& items, const char* what) {
    if (items.size() >= kMaxItems)
        refuseFile("more than " + std::to_string(kMaxItems) + " " + what);
}

/// Names show up in every message and in other programs: they must be one line.
std::string checkedName(std::string name) {
    if (name.size() > kMaxNameBytes)
        refuseFile("a name has " + std::to_string(name.size()) + " bytes");
    for (const char c : name)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            refuseFile("the name " + quoted(name) + " contains control characters");
    return name;
}

std::string standardised(std::string domain) {
    return domain == "ai.onnx" ? "" : domain;
}

std::pair<std::string, std::string> decodeEntry(data_view bytes) {
    std::pair<std::string, std::string> entry;
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.number()) {
        case proto::string_entry::Key:
            entry.first = fields.text();
            break;
        case proto::string_entry::Value:
            entry.second = fields.text();
            break;
        default:
            fields.skip();
        }
    }
    return entry;
}

uint64_t decodeNumber(const std::string& text, const std::string& what) {
    uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end)
        refuseFile("external data: " + what + " " + quoted(text) + " is no number");
    return value;
}

/// What a TensorProto says, before its data is looked at.
struct TensorFields {
    std::string name;
    Shape dims;
    int64_t type = 0;
    int64_t location = 0;
    bool in_segments = false;
    std::optional<data_view> raw;
    std::vector<int64_t> integers; ///< int32_data, int64_data and uint64_data
    std::vector<float> floats;
    std::vector<double> doubles;
    std::map<std::string, std::string> external;
};

TensorFields decodeTensorFields(data_view bytes) {
    TensorFields tensor;
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.number()) {
        case proto::tensor::Dims:
            fields.append(tensor.dims);
            break;
        case proto::tensor::Type:
            tensor.type = fields.integer();
            break;
        case proto::tensor::Segment:
            tensor.in_segments = true;
            fields.skip();
            break;
        case proto::tensor::Floats:
            fields.append(tensor.floats);
            break;
        case proto::tensor::Int32s:
        case proto::tensor::Int64s:
        case proto::tensor::Uint64s:
            fields.append(tensor.integers);
            break;
        case proto::tensor::Doubles:
            fields.append(tensor.doubles);
            break;
        case proto::tensor::Name:
            tensor.name = checkedName(fields.text());
            break;
        case proto::tensor::Raw:
            tensor.raw = fields.bytes();
            break;
        case proto::tensor::ExternalData:
            tensor.external.insert(decodeEntry(fields.bytes()));
            break;
        case proto::tensor::DataLocation:
            tensor.location = fields.integer();
            break;
        default:
            fields.skip();
        }
    }
    return tensor;
}

/// The low bytes of each value, as many as an element has.
std::vector<uint8_t> narrowed(const std::vector<int64_t>& values, std::size_t element_size) {
    std::vector<uint8_t> data(values.size() * element_size);
    for (std::size_t i = 0; i < values.size(); ++i)
        std::memcpy(data.data() + i * element_size, &values[i], element_size);
    return data;
}

template <typename T>
std::vector<uint8_t> bytesOf(const std::vector<T>& values) {
    std::vector<uint8_t> data(values.size() * sizeof(T));
    if (!values.empty())
        std::memcpy(data.data(), values.data(), data.size());
    return data;
}

class Decoder {
public:
    explicit Decoder(std::string folder) : folder_(std::move(folder)) {}

    RawModel model(data_view bytes);

private:
    std::pair<std::string, Tensor> tensor(data_view bytes);
    std::vector<uint8_t> externalData(const TensorFields& fields, uint64_t size);
    ValueInfo valueInfo(data_view bytes) const;
    void attribute(data_view bytes, RawNode& node);
    RawNode node(data_view bytes);
    Function function(data_view bytes);
    void graph(data_view bytes, RawModel& raw);

    std::string folder_;
    uint64_t external_bytes_ = 0;
};

std::vector<uint8_t> Decoder::externalData(const TensorFields& fields, uint64_t size) {
    if (folder_.empty())
        refuseFile("tensor " + quoted(fields.name) + " keeps its data in another file",
                   "export the model with its weights inside");
    const auto entry = [&](const char* key) {
        const auto it = fields.external.find(key);
        return it != fields.external.end() ? it->second : std::string();
    };
    external_bytes_ += size;
    if (external_bytes_ > kMaxModelBytes)
        refuseFile("the external data is larger than 2 GiB", "use a smaller model");
    const std::string offset = entry("offset");
    const std::string length = entry("length");
    if (!length.empty() && decodeNumber(length, "length") != size)
        refuseFile("tensor " + quoted(fields.name) + " needs " + std::to_string(size) +
                   " bytes, its external data has " + quoted(length));
    const InputFile file(resolveInside(folder_, entry("location")));
    return file.read(offset.empty() ? 0 : decodeNumber(offset, "offset"), size);
}

std::pair<std::string, Tensor> Decoder::tensor(data_view bytes) {
    TensorFields fields = decodeTensorFields(bytes);
    const std::string label = "tensor " + quoted(fields.name);
    Tensor tensor;
    tensor.type = static_cast<DataType>(fields.type);
    const std::size_t element =
        fields.type >= 0 && fields.type <= 16 ? elementSize(tensor.type) : 0;
    if (element == 0)
        refuseFile(label + " has element type " + std::to_string(fields.type) +
                       ", which is not supported",
                   "export the model in float32");
    if (fields.in_segments)
        refuseFile(label + " is stored in segments, which is not supported",
                   "export the model with whole tensors");
    if (fields.dims.size() > kMaxRank)
        refuseFile(label + " has " + std::to_string(fields.dims.size()) + " dimensions");
    const auto count = static_cast<uint64_t>(elementCount(fields.dims));
    if (count > kMaxModelBytes / element)
        refuseFile(label + " of shape " + toString(fields.dims) + " is larger than 2 GiB");

    const uint64_t size = count * element;
    if (fields.location == 1)
        tensor.data = externalData(fields, size);
    else if (fields.raw)
        tensor.data.assign(fields.raw->data(), fields.raw->data() + fields.raw->size());
    else if (tensor.type == DataType::Float)
        tensor.data = bytesOf(fields.floats);
    else if (tensor.type == DataType::Double)
        tensor.data = bytesOf(fields.doubles);
    else
        tensor.data = narrowed(fields.integers, element);
    if (tensor.data.size() != size)
        refuseFile(label + " of shape " + toString(fields.dims) + " needs " + std::to_string(size) +
                   " bytes, the file has " + std::to_string(tensor.data.size()));
    tensor.shape = std::move(fields.dims);
    return {std::move(fields.name), std::move(tensor)};
}

int64_t decodeDimension(data_view bytes, const std::string& label) {
    int64_t value = -1;
    Fields fields(bytes);
    while (fields.next()) {
        if (fields.number() != proto::dimension::Value) {
            fields.skip();
            continue;
        }
        value = fields.integer();
        if (value == 0)
            refuseFile(label + " has a side of length 0");
        if (value > std::numeric_limits<int32_t>::max())
            refuseFile(label + " has a side of length " + std::to_string(value));
    }
    return value < 0 ? -1 : value;
}

void decodeTensorType(data_view bytes, ValueInfo& info) {
    const std::string label = "input or output " + quoted(info.name);
    Fields fields(bytes);
    while (fields.next()) {
        if (fields.number() == proto::tensor_type::ElementType) {
            const int64_t type = fields.integer();
            info.type = static_cast<DataType>(type);
            if (type < 0 || type > 16 || elementSize(info.type) == 0)
                refuseFile(label + " has element type " + std::to_string(type) +
                               ", which is not supported",
                           "export the model in float32");
        } else if (fields.number() == proto::tensor_type::Shape) {
            info.has_shape = true;
            Fields dims(fields.bytes());
            while (dims.next()) {
                if (dims.number() != proto::shape::Dim) {
                    dims.skip();
                    continue;
                }
                info.shape.push_back(decodeDimension(dims.bytes(), label));
                if (info.shape.size() > kMaxRank)
                    refuseFile(label + " has more than " + std::to_string(kMaxRank) +
                               " dimensions");
            }
        } else {
            fields.skip();
        }
    }
}

ValueInfo Decoder::valueInfo(data_view bytes) const {
    ValueInfo info;
    std::optional<data_view> type;
    Fields fields(bytes);
    while (fields.next()) {
        if (fields.number() == proto::value_info::Name)
            info.name = checkedName(fields.text());
        else if (fields.number() == proto::value_info::Type)
            type = fields.bytes();
        else
            fields.skip();
    }
    if (info.name.empty())
        refuseFile("an input or output has no name");
    if (!type)
        return info;
    Fields kinds(*type);
    while (kinds.next()) {
        if (kinds.number() != proto::type::Tensor)
            refuseFile("input or output " + quoted(info.name) + " is not a tensor",
                       "export the model with tensors alone");
        decodeTensorType(kinds.bytes(), info);
    }
    return info;
}

using proto::attribute::Kind;

/// What an AttributeProto holds. Old files do not say the kind: then it is the field that is there.
struct AttributeFields {
    std::string name;
    std::string reference;
    Kind kind = Kind::Undefined;
    int64_t integer = 0;
    float real = 0.f;
    std::string text;
    std::optional<data_view> tensor;
    std::vector<int64_t> integers;
    std::vector<float> reals;
    std::vector<std::string> texts;
};

AttributeFields decodeAttributeFields(data_view bytes) {
    AttributeFields result;
    Kind found = Kind::Undefined;
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.number()) {
        case proto::attribute::Name:
            result.name = checkedName(fields.text());
            break;
        case proto::attribute::Reference:
            result.reference = checkedName(fields.text());
            break;
        case proto::attribute::Type:
            result.kind = static_cast<Kind>(fields.integer());
            break;
        case proto::attribute::Float:
            result.real = fields.real();
            found = Kind::Float;
            break;
        case proto::attribute::Int:
            result.integer = fields.integer();
            found = Kind::Int;
            break;
        case proto::attribute::String:
            result.text = fields.text();
            found = Kind::String;
            break;
        case proto::attribute::Tensor:
            result.tensor = fields.bytes();
            found = Kind::Tensor;
            break;
        case proto::attribute::Floats:
            fields.append(result.reals);
            found = Kind::Floats;
            break;
        case proto::attribute::Ints:
            fields.append(result.integers);
            found = Kind::Ints;
            break;
        case proto::attribute::Strings:
            checkRoom(result.texts, "strings in an attribute");
            result.texts.push_back(fields.text());
            found = Kind::Strings;
            break;
        default:
            fields.skip();
        }
    }
    if (result.kind == Kind::Undefined)
        result.kind = found;
    return result;
}

void Decoder::attribute(data_view bytes, RawNode& node) {
    AttributeFields fields = decodeAttributeFields(bytes);
    if (fields.name.empty())
        refuseFile("an attribute has no name");
    if (!fields.reference.empty()) {
        node.references[fields.name] = fields.reference;
        return;
    }
    const auto keep = [&](Attribute value) {
        if (!node.node.attributes.emplace(fields.name, std::move(value)).second)
            refuseFile("attribute " + quoted(fields.name) + " occurs twice in a node");
    };
    switch (fields.kind) {
    case Kind::Float:
        return keep(fields.real);
    case Kind::Int:
        return keep(fields.integer);
    case Kind::String:
        return keep(std::move(fields.text));
    case Kind::Tensor:
        if (!fields.tensor)
            refuseFile("attribute " + quoted(fields.name) + " lacks its tensor");
        return keep(tensor(*fields.tensor).second);
    case Kind::Floats:
        return keep(std::move(fields.reals));
    case Kind::Ints:
        return keep(std::move(fields.integers));
    case Kind::Strings:
        return keep(std::move(fields.texts));
    case Kind::Undefined:
    case Kind::Graph:
        break;
    }
    node.unsupported = fields.name;
}

RawNode Decoder::node(data_view bytes) {
    RawNode result;
    Node& node = result.node;
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.number()) {
        case proto::node::Input:
            checkRoom(node.inputs, "inputs of a node");
            node.inputs.push_back(checkedName(fields.text()));
            break;
        case proto::node::Output:
            checkRoom(node.outputs, "outputs of a node");
            node.outputs.push_back(checkedName(fields.text()));
            break;
        case proto::node::Name:
            node.name = checkedName(fields.text());
            break;
        case proto::node::OpType:
            node.op = checkedName(fields.text());
            break;
        case proto::node::Domain:
            node.domain = standardised(checkedName(fields.text()));
            break;
        case proto::node::Attribute:
            attribute(fields.bytes(), result);
            break;
        default:
            fields.skip();
        }
    }
    return result;
}

std::pair<std::string, int64_t> decodeOpset(data_view bytes) {
    std::pair<std::string, int64_t> opset;
    Fields fields(bytes);
    while (fields.next()) {
        if (fields.number() == proto::opset_id::Domain)
            opset.first = standardised(checkedName(fields.text()));
        else if (fields.number() == proto::opset_id::Version)
            opset.second = fields.integer();
        else
            fields.skip();
    }
    return opset;
}

Function Decoder::function(data_view bytes) {
    Function result;
    RawNode defaults;
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.number()) {
        case proto::function::Name:
            result.name = checkedName(fields.text());
            break;
        case proto::function::Domain:
            result.domain = standardised(checkedName(fields.text()));
            break;
        case proto::function::Input:
            checkRoom(result.inputs, "inputs of a function");
            result.inputs.push_back(checkedName(fields.text()));
            break;
        case proto::function::Output:
            checkRoom(result.outputs, "outputs of a function");
            result.outputs.push_back(checkedName(fields.text()));
            break;
        case proto::function::Node:
            checkRoom(result.nodes, "nodes in a function");
            result.nodes.push_back(node(fields.bytes()));
            break;
        case proto::function::OpsetImport:
            result.opsets.insert(decodeOpset(fields.bytes()));
            break;
        case proto::function::AttributeDefault:
            attribute(fields.bytes(), defaults);
            break;
        default:
            fields.skip();
        }
    }
    result.defaults = std::move(defaults.node.attributes);
    return result;
}

void Decoder::graph(data_view bytes, RawModel& raw) {
    Graph& graph = raw.model.graph;
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.number()) {
        case proto::graph::Node:
            checkRoom(raw.nodes, "nodes");
            raw.nodes.push_back(node(fields.bytes()));
            break;
        case proto::graph::Name:
            graph.name = printable(fields.text());
            break;
        case proto::graph::Initializer:
            checkRoom(raw.initializers, "initializers");
            raw.initializers.push_back(tensor(fields.bytes()));
            break;
        case proto::graph::Input:
            checkRoom(graph.inputs, "inputs");
            graph.inputs.push_back(valueInfo(fields.bytes()));
            break;
        case proto::graph::Output:
            checkRoom(graph.outputs, "outputs");
            graph.outputs.push_back(valueInfo(fields.bytes()));
            break;
        case proto::graph::SparseInitializer:
            refuseFile("sparse initializers are not supported",
                       "export the model with dense weights");
        default:
            fields.skip();
        }
    }
}

RawModel Decoder::model(data_view bytes) {
    RawModel raw;
    std::optional<data_view> graph_bytes;
    Fields fields(bytes);
    while (fields.next()) {
        switch (fields.number()) {
        case proto::model::IrVersion:
            raw.model.ir_version = fields.integer();
            break;
        case proto::model::ProducerName:
            raw.model.producer_name = printable(fields.text());
            break;
        case proto::model::ProducerVersion:
            raw.model.producer_version = printable(fields.text());
            break;
        case proto::model::Graph:
            if (graph_bytes)
                refuseFile("the file contains two graphs");
            graph_bytes = fields.bytes();
            break;
        case proto::model::OpsetImport:
            checkRoom(raw.model.opsets, "operator sets");
            raw.model.opsets.insert(decodeOpset(fields.bytes()));
            break;
        case proto::model::Metadata:
            checkRoom(raw.model.metadata, "metadata entries");
            raw.model.metadata.insert(decodeEntry(fields.bytes()));
            break;
        case proto::model::Functions:
            checkRoom(raw.functions, "functions");
            raw.functions.push_back(function(fields.bytes()));
            break;
        default:
            fields.skip();
        }
    }
    if (!graph_bytes)
        refuseFile("there is no graph in it: not an ONNX model");
    graph(*graph_bytes, raw);
    return raw;
}

} // namespace

RawModel decodeModel(const std::vector<uint8_t>& bytes, const std::string& folder) {
    const data_view view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    try {
        return Decoder(folder).model(view);
    } catch (const protozero::exception&) {
        refuseFile("not an ONNX file, or a damaged or truncated one");
    }
}

} // namespace irmb::onnx
