#include "layer_times.hpp"

#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>

#include <algorithm>

namespace vigil {
namespace {

#if CV_VERSION_MAJOR >= 5

std::vector<LayerTypeTime> lastPass(cv::dnn::Net& net) {
    std::vector<std::string> types;
    std::vector<std::string> times_ms;
    std::vector<std::string> counts;
    // The mode only selects what is reported: times are taken in any case.
    net.setProfilingMode(cv::dnn::DNN_PROFILE_SUMMARY);
    net.getPerfProfile(types, times_ms, counts);
    net.setProfilingMode(cv::dnn::DNN_PROFILE_NONE);
    std::vector<LayerTypeTime> pass;
    for (std::size_t i = 0; i < types.size(); ++i)
        pass.push_back({types[i], std::stoi(counts[i]), std::stod(times_ms[i])});
    return pass;
}

#else

std::vector<LayerTypeTime> lastPass(cv::dnn::Net& net) {
    std::vector<double> ticks;
    net.getPerfProfile(ticks);
    const std::vector<std::string> names = net.getLayerNames();
    std::map<std::string, LayerTypeTime> types;
    for (std::size_t i = 0; i < std::min(ticks.size(), names.size()); ++i) {
        if (ticks[i] <= 0) // fused into another layer
            continue;
        const std::string& type = net.getLayer(net.getLayerId(names[i]))->type;
        types[type].type = type;
        types[type].ms += ticks[i] * 1e3 / cv::getTickFrequency();
        ++types[type].count;
    }
    std::vector<LayerTypeTime> pass;
    for (const auto& entry : types)
        pass.push_back(entry.second);
    return pass;
}

#endif

} // namespace

void LayerTimes::addPass(cv::dnn::Net& net) {
    ++passes_;
    for (const LayerTypeTime& layer : lastPass(net)) {
        LayerTypeTime& sum = types_[layer.type];
        sum.type = layer.type;
        sum.count = layer.count;
        sum.ms += layer.ms;
    }
}

std::vector<LayerTypeTime> LayerTimes::table() const {
    std::vector<LayerTypeTime> table;
    for (const auto& entry : types_)
        table.push_back({entry.second.type, entry.second.count, entry.second.ms / passes_});
    std::sort(table.begin(), table.end(),
              [](const LayerTypeTime& a, const LayerTypeTime& b) { return a.ms > b.ms; });
    return table;
}

} // namespace vigil
