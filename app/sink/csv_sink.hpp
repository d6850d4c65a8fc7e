#pragma once

#include "output_file.hpp"
#include "sink.hpp"

#include <vector>

namespace vigil {

/// A table with one detection a line and a header line; corners in pixels of the source.
class CsvSink : public Sink {
public:
    CsvSink(const std::string& path, std::vector<std::string> class_names);
    void write(const FrameResult& result) override;
    void finish() override { file_.close(); }

private:
    OutputFile file_;
    std::vector<std::string> class_names_;
};

} // namespace vigil
