#pragma once

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include <cstdint>
#include <string>
#include <vector>

/// Field numbers of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), as far as
/// Vigil reads or writes them, and a protobuf reader that trusts nothing.
namespace irmb::onnx::proto {

namespace model {
enum : uint32_t {
    IrVersion = 1,
    ProducerName = 2,
    ProducerVersion = 3,
    Graph = 7,
    OpsetImport = 8,
    Metadata = 14,
    Functions = 25
};
}
namespace opset_id {
enum : uint32_t { Domain = 1, Version = 2 };
}
namespace string_entry {
enum : uint32_t { Key = 1, Value = 2 };
}
namespace graph {
enum : uint32_t {
    Node = 1,
    Name = 2,
    Initializer = 5,
    Input = 11,
    Output = 12,
    SparseInitializer = 15
};
}
namespace node {
enum : uint32_t { Input = 1, Output = 2, Name = 3, OpType = 4, Attribute = 5, Domain = 7 };
}
namespace attribute {
enum : uint32_t {
    Name = 1,
    Float = 2,
    Int = 3,
    String = 4,
    Tensor = 5,
    Graph = 6,
    Floats = 7,
    Ints = 8,
    Strings = 9,
    Type = 20,
    Reference = 21
};
enum class Kind : int64_t {
    Undefined = 0,
    Float = 1,
    Int = 2,
    String = 3,
    Tensor = 4,
    Graph = 5,
    Floats = 6,
    Ints = 7,
    Strings = 8
};
} // namespace attribute
namespace function {
enum : uint32_t {
    Name = 1,
    Input = 4,
    Output = 5,
    Node = 7,
    OpsetImport = 9,
    Domain = 10,
    AttributeDefault = 11
};
}
namespace tensor {
enum : uint32_t {
    Dims = 1,
    Type = 2,
    Segment = 3,
    Floats = 4,
    Int32s = 5,
    Strings = 6,
    Int64s = 7,
    Name = 8,
    Raw = 9,
    Doubles = 10,
    Uint64s = 11,
    ExternalData = 13,
    DataLocation = 14
};
}
namespace value_info {
enum : uint32_t { Name = 1, Type = 2 };
}
namespace type {
enum : uint32_t { Tensor = 1 };
}
namespace tensor_type {
enum : uint32_t { ElementType = 1, Shape = 2 };
}
namespace shape {
enum : uint32_t { Dim = 1 };
}
namespace dimension {
enum : uint32_t { Value = 1 };
}

/// The fields of one message, in file order. Every getter checks the wire type, so a damaged file
/// ends in a protozero::exception and never in a misread.
class Fields {
public:
    explicit Fields(protozero::data_view bytes) : reader_(bytes) {}

    bool next() { return reader_.next(); }
    uint32_t number() const { return reader_.tag(); }
    void skip() { reader_.skip(); }

    int64_t integer() {
        expect(protozero::pbf_wire_type::varint);
        return reader_.get_int64();
    }
    float real() {
        expect(protozero::pbf_wire_type::fixed32);
        return reader_.get_float();
    }
    protozero::data_view bytes() {
        expect(protozero::pbf_wire_type::length_delimited);
        return reader_.get_view();
    }
    std::string text() {
        const protozero::data_view view = bytes();
        return {view.data(), view.size()};
    }

    // Repeated numbers come packed or one by one.
    void append(std::vector<int64_t>& values) {
        if (packed())
            extend(values, reader_.get_packed_int64());
        else
            values.push_back(integer());
    }
    void append(std::vector<float>& values) {
        if (packed())
            extend(values, reader_.get_packed_float());
        else
            values.push_back(real());
    }
    void append(std::vector<double>& values) {
        if (packed()) {
            extend(values, reader_.get_packed_double());
        } else {
            expect(protozero::pbf_wire_type::fixed64);
            values.push_back(reader_.get_double());
        }
    }

private:
    bool packed() const {
        return reader_.has_wire_type(protozero::pbf_wire_type::length_delimited);
    }
    void expect(protozero::pbf_wire_type type) const {
        if (!reader_.has_wire_type(type))
            throw protozero::unknown_pbf_wire_type_exception{};
    }
    template <typename T, typename Range>
    static void extend(std::vector<T>& values, const Range& range) {
        for (const auto value : range)
            values.push_back(static_cast<T>(value));
    }

    protozero::pbf_reader reader_;
};

} // namespace irmb::onnx::proto
