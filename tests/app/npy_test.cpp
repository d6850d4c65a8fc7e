#include "cli/npy.hpp"
#include "npy_files.hpp"

#include <gmock/gmock.h>
#include <opencv2/core.hpp>

#include <vector>

namespace vigil::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

NpyArray read(const std::string& bytes) {
    const std::string path = temporaryPath(".npy");
    writeFile(path, bytes);
    return readNpy(path);
}

std::string errorOf(const std::string& bytes) {
    try {
        read(bytes);
    } catch (const cv::Exception& error) {
        EXPECT_EQ(error.err.find('\n'), std::string::npos);
        return error.err;
    }
    return "no error";
}

std::vector<double> valuesOf(const NpyArray& array) {
    cv::Mat values;
    array.values.convertTo(values, CV_64F);
    return {values.ptr<double>(), values.ptr<double>() + values.total()};
}

const std::string six_floats = bytesOf(std::vector<float>{0, 1, 2, 3, 4, 5});

TEST(Npy, ReadsFloat32InEveryFormatVersion) {
    for (const int version : {1, 2, 3}) {
        const NpyArray array = read(npyBytes(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", six_floats, version));
        EXPECT_TRUE(array.isFloat32());
        EXPECT_THAT(array.shape, ElementsAre(2, 3));
        EXPECT_THAT(valuesOf(array), ElementsAre(0, 1, 2, 3, 4, 5));
    }
}

TEST(Npy, ReadsFloat64) {
    const NpyArray array = read(npyBytes("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}",
                                         bytesOf(std::vector<double>{0.1, -1e300})));
    EXPECT_FALSE(array.isFloat32());
    EXPECT_THAT(valuesOf(array), ElementsAre(0.1, -1e300));
}

TEST(Npy, ReadsScalarsAndOtherSpellings) {
    const NpyArray array = read(npyBytes("{ \"shape\":(),'fortran_order':False,\"descr\":'<f4'}",
                                         bytesOf(std::vector<float>{7})));
    EXPECT_TRUE(array.shape.empty());
    EXPECT_THAT(valuesOf(array), ElementsAre(7));
}

TEST(Npy, ReordersFortranOrder) {
    const NpyArray array =
        read(npyBytes("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", six_floats));
    // Columns lie one after the other: element (r, c) is 2 c + r.
    EXPECT_THAT(valuesOf(array), ElementsAre(0, 2, 4, 1, 3, 5));
}

TEST(Npy, GivesABlobOfItsShape) {
    const NpyArray array = read(
        npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 1, 3), }", six_floats));
    const cv::Mat blob = array.blob();
    ASSERT_EQ(blob.dims, 4);
    EXPECT_EQ(blob.at<float>(cv::Vec4i(0, 1, 0, 2)), 5.f);
}

TEST(Npy, RefusesOtherElementTypes) {
    for (const char* descr : {"<i4", ">f4", "<f2", "|b1", "<c8"}) {
        const std::string header =
            std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (6,), }";
        EXPECT_THAT(errorOf(npyBytes(header, six_floats)), HasSubstr(descr));
    }
    EXPECT_THAT(errorOf(npyBytes("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}",
                                 six_floats)),
                HasSubstr("named fields"));
}

TEST(Npy, RefusesSizesThatTheFileDoesNotBack) {
    const auto with_shape = [](const std::string& shape) {
        return npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }",
                        six_floats);
    };
    EXPECT_THAT(errorOf(with_shape("7,")), HasSubstr("24 bytes"));
    EXPECT_THAT(errorOf(with_shape("5,")), HasSubstr("calls for 20"));
    EXPECT_THAT(errorOf(with_shape("2147483647, 2147483647, 2147483647, 2147483647")),
                HasSubstr("calls for more"));
    EXPECT_THAT(errorOf(with_shape("4294967296, 4294967296")), HasSubstr("beyond"));
    EXPECT_THAT(errorOf(with_shape("99999999999999999999999999")), HasSubstr("beyond"));
    EXPECT_THAT(errorOf(with_shape("0, 6")), HasSubstr("no elements"));
    EXPECT_THAT(errorOf(with_shape("-6,")), HasSubstr("whole number"));
    EXPECT_THAT(errorOf(with_shape("1,1,1,1,1,1,1,1,6")), HasSubstr("dimensions"));
}

TEST(Npy, RefusesEveryTruncation) {
    const std::string bytes =
        npyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", six_floats);
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_NE(errorOf(bytes.substr(0, size)), "no error") << size;
}

TEST(Npy, RefusesMalformedHeaders) {
    for (const char* header :
         {"", "{", "{}", "{'descr': '<f4'}",
          "{'descr': '<f4', 'fortran_order': Maybe, 'shape': ()}",
          "{'descr': '<f4, 'fortran_order': False, 'shape': (6,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': '1'}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (6", "__import__('os')"})
        EXPECT_NE(errorOf(npyBytes(header, six_floats)), "no error") << header;
}

TEST(Npy, RefusesAHugeHeaderBeforeReadingIt) {
    EXPECT_THAT(errorOf(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{", 13)),
                HasSubstr("too long"));
}

TEST(Npy, NamesFilesThatAreNotThere) {
    try {
        readNpy("/no/such/file.npy");
        FAIL();
    } catch (const cv::Exception& error) {
        EXPECT_THAT(error.err, HasSubstr("/no/such/file.npy"));
    }
    EXPECT_THROW(readNpy(::testing::TempDir()), cv::Exception);
}

} // namespace
} // namespace vigil::test
