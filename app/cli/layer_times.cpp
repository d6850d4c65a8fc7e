#include "layer_times.hpp"

#include <opencv2/core/utility.hpp>
#include <opencv2/core/version.hpp>

#include <algorithm>
#include <map>

namespace vigil {
namespace {

using ByType = std::map<std::string, LayerTypeTime>;

void addPass(ByType& types, cv::dnn::Net& net) {
#if CV_VERSION_MAJOR >= 5
    std::vector<std::string> names;
    std::vector<std::string> times_ms;
    std::vector<std::string> counts;
    net.getPerfProfile(names, times_ms, counts);
    for (std::size_t i = 0; i < names.size(); ++i) {
        types[names[i]].count = std::stoi(counts[i]);
        types[names[i]].ms += std::stod(times_ms[i]);
    }
#else
    std::vector<double> ticks;
    net.getPerfProfile(ticks);
    const std::vector<std::string> names = net.getLayerNames();
    ByType pass;
    for (std::size_t i = 0; i < std::min(ticks.size(), names.size()); ++i) {
        if (ticks[i] <= 0) // fused into another layer
            continue;
        LayerTypeTime& type = pass[net.getLayer(net.getLayerId(names[i]))->type];
        ++type.count;
        type.ms += ticks[i] * 1e3 / cv::getTickFrequency();
    }
    for (const auto& [name, type] : pass) {
        types[name].count = type.count;
        types[name].ms += type.ms;
    }
#endif
}

} // namespace

std::vector<LayerTypeTime> profileLayerTypes(cv::dnn::Net& net, const cv::Mat& input, int passes) {
#if CV_VERSION_MAJOR >= 5
    net.setProfilingMode(cv::dnn::DNN_PROFILE_SUMMARY);
#endif
    ByType types;
    for (int pass = 0; pass < passes; ++pass) {
        net.setInput(input);
        net.forward();
        addPass(types, net);
    }
#if CV_VERSION_MAJOR >= 5
    net.setProfilingMode(cv::dnn::DNN_PROFILE_NONE);
#endif
    std::vector<LayerTypeTime> table;
    for (auto& [name, type] : types)
        table.push_back({name, type.count, type.ms / passes});
    std::sort(table.begin(), table.end(),
              [](const LayerTypeTime& a, const LayerTypeTime& b) { return a.ms > b.ms; });
    return table;
}

} // namespace vigil
