#include "import_net.hpp"

#include "opencv_message.hpp"

#include <opencv2/core/utils/logger.hpp>

#if CV_VERSION_MAJOR < 4 || (CV_VERSION_MAJOR == 4 && CV_VERSION_MINOR < 10)
#error "irmb_dnn needs OpenCV 4.10 or newer: older importers cannot read YOLOv10 or miscompute it"
#endif

namespace irmb {
namespace {

/// OpenCV's importers log every failed attempt at length; we say it in one line.
class QuietLog {
public:
    QuietLog() : before_(cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT)) {}
    ~QuietLog() { cv::utils::logging::setLogLevel(before_); }
    QuietLog(const QuietLog&) = delete;
    QuietLog& operator=(const QuietLog&) = delete;

private:
    cv::utils::logging::LogLevel before_;
};

[[noreturn]] void refuse(const std::string& path, const std::string& cause) {
    const std::string who = path + ": OpenCV " CV_VERSION;
    const std::string missing = missingOperator(cause);
    if (!missing.empty())
        CV_Error(cv::Error::StsNotImplemented,
                 who + " has no " + missing + "; export the model with standard operators");
    CV_Error(cv::Error::StsNotImplemented,
             who + " cannot import this network: " + condensed(cause) +
                 "; try another engine, or export the model again, simplified");
}

#if CV_VERSION_MAJOR >= 5

int engineId(Engine engine) {
    switch (engine) {
    case Engine::Classic:
        return cv::dnn::ENGINE_CLASSIC;
    case Engine::New:
        return cv::dnn::ENGINE_NEW;
    case Engine::Auto:
        break;
    }
    return cv::dnn::ENGINE_AUTO;
}

// The overload for std::vector forgets ENGINE_CLASSIC in 5.0.0; this one does not.
cv::dnn::Net readNet(const std::vector<uint8_t>& bytes, Engine engine) {
    return cv::dnn::readNetFromONNX(reinterpret_cast<const char*>(bytes.data()), bytes.size(),
                                    engineId(engine));
}

std::string engineOf(const cv::dnn::Net& net) {
    return net.getMainGraph() ? "new" : "classic";
}

#else

cv::dnn::Net readNet(const std::vector<uint8_t>& bytes, Engine engine) {
    if (engine == Engine::New)
        CV_Error(cv::Error::StsNotImplemented, "it has no new engine, only the classic one");
    return cv::dnn::readNetFromONNX(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::string engineOf(const cv::dnn::Net&) {
    return "classic";
}

#endif

} // namespace

ImportedNet importNet(const std::vector<uint8_t>& bytes, Engine engine, const std::string& path) {
    ImportedNet imported;
    try {
        const QuietLog quiet;
        imported.net = readNet(bytes, engine);
    } catch (const cv::Exception& error) {
        refuse(path, error.err);
    } catch (const std::exception& error) {
        refuse(path, error.what());
    }
    if (imported.net.empty())
        refuse(path, "an operator is unknown or used in a way that its engine does not support");
    imported.engine = engineOf(imported.net);
    return imported;
}

} // namespace irmb
