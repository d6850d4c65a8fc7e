#include "accelerate/accelerate.hpp"

#include "accelerate/cut_regions.hpp"
#include "irmb_dnn/acceleration.hpp"

#include <opencv2/core.hpp>

#include <algorithm>

namespace irmb::accelerate {
namespace {

using onnx::GraphView;
using onnx::Node;

/// A region with what runs it.
struct Prepared {
    CutRegion cut;
    std::shared_ptr<RegionRunner> runner;
};

/// Cuts regions and prepares them. A unit that turns out to have no fast implementation is taken
/// out, and the rest is cut anew.
std::vector<Prepared> prepareRegions(const GraphView& view, Precision precision) {
    std::vector<Unit> units = findUnits(view);
    while (true) {
        std::vector<Prepared> prepared;
        int unsupported = -1;
        for (CutRegion& cut : cutRegions(view, units)) {
            try {
                prepared.push_back({cut, makeRunner(cut.region, precision)});
            } catch (const UnsupportedStep& error) {
                unsupported = cut.units[error.step];
                break;
            }
        }
        if (unsupported < 0)
            return prepared;
        units.erase(units.begin() + unsupported);
    }
}

std::vector<std::vector<int>> shapesOf(const onnx::Facts& facts,
                                       const std::vector<std::string>& tensors) {
    std::vector<std::vector<int>> shapes;
    for (const std::string& tensor : tensors) {
        const onnx::Shape& shape = *facts.at(tensor).shape;
        shapes.emplace_back(shape.begin(), shape.end());
    }
    return shapes;
}

Node regionNode(const CutRegion& cut, int number) {
    Node node;
    node.op = region_op;
    node.domain = region_domain;
    node.name = cut.region.name + "/CpuRegion";
    node.inputs = cut.inputs;
    node.outputs = cut.outputs;
    node.attributes[region_key] = int64_t{number};
    return node;
}

/// Puts one node in the place of each region.
void replaceNodes(onnx::OnnxModel& model, const std::vector<Prepared>& regions,
                  const RegionOffers& offers) {
    std::vector<int> taken;
    std::vector<Node> added;
    for (std::size_t i = 0; i < regions.size(); ++i) {
        const CutRegion& cut = regions[i].cut;
        taken.insert(taken.end(), cut.nodes.begin(), cut.nodes.end());
        added.push_back(regionNode(cut, offers[i]->number()));
    }
    onnx::replaceNodes(model.graph, taken, std::move(added));
    model.opsets[region_domain] = 1;
}

} // namespace

RegionOffers accelerate(onnx::OnnxModel& model, onnx::Facts& facts, Precision precision,
                        AccelerationReport& report) {
    const RunnerInfo info = runnerInfo();
    report.library = info.library;
    report.operators = static_cast<int>(model.graph.nodes.size());
    if (precision == Precision::Bfloat16 && !info.bfloat16)
        CV_Error(cv::Error::StsNotImplemented,
                 "precision bf16 cannot be had: " +
                     (info.reason.empty() ? no_bfloat16 : info.reason) + "; use fp32");
    if (info.library.empty()) {
        report.reason = info.reason;
        return {};
    }
    const std::vector<Prepared> regions = prepareRegions(GraphView(model, facts), precision);
    RegionOffers offers;
    for (const Prepared& region : regions) {
        offers.push_back(std::make_unique<RegionOffer>(
            RegionHandle{region.runner, shapesOf(facts, region.cut.inputs),
                         shapesOf(facts, region.cut.outputs)}));
        report.accelerated += static_cast<int>(region.cut.nodes.size());
    }
    report.regions = static_cast<int>(regions.size());
    if (regions.empty()) {
        report.reason = "the network has no part that can be accelerated";
        if (precision == Precision::Bfloat16)
            CV_Error(cv::Error::StsNotImplemented,
                     "precision bf16 cannot be had: " + report.reason + "; use fp32");
        return {};
    }
    report.precision = precision;
    replaceNodes(model, regions, offers);
    return offers;
}

} // namespace irmb::accelerate

irmb::AccelerationSupport irmb::accelerationSupport() {
    const accelerate::RunnerInfo info = accelerate::runnerInfo();
    AccelerationSupport support{info.library, info.bfloat16, info.reason};
    if (!support.bfloat16 && support.reason.empty())
        support.reason = accelerate::no_bfloat16;
    return support;
}
