#include "accelerate/cut_regions.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace irmb::accelerate {
namespace {

using onnx::GraphView;

/// The graph with each unit, and each node that is in none, as one item.
class Contraction {
public:
    Contraction(const GraphView& view, const std::vector<Unit>& units)
        : view_(view), units_(units), item_of_node_(view.graph().nodes.size(), -1) {
        for (std::size_t unit = 0; unit < units.size(); ++unit)
            for (const int node : units[unit].nodes)
                item_of_node_[node] = static_cast<int>(unit);
        items_ = static_cast<int>(units.size());
        for (int& item : item_of_node_)
            if (item < 0)
                item = items_++;
        sources_.resize(items_);
        for (std::size_t node = 0; node < item_of_node_.size(); ++node)
            for (const std::string& input : view.node(static_cast<int>(node)).inputs)
                addSource(item_of_node_[node], input);
    }

    bool isUnit(int item) const { return item < static_cast<int>(units_.size()); }
    const std::set<int>& sources(int item) const { return sources_[item]; }

    /// Items after those that they depend on; shorter than the number of items on a cycle.
    std::vector<int> sorted() const {
        std::vector<std::vector<int>> readers(items_);
        std::vector<std::size_t> waits(items_);
        std::set<int> ready;
        for (int item = 0; item < items_; ++item) {
            waits[item] = sources_[item].size();
            for (const int source : sources_[item])
                readers[source].push_back(item);
            if (waits[item] == 0)
                ready.insert(item);
        }
        std::vector<int> order;
        while (!ready.empty()) {
            const int item = next(ready, order);
            ready.erase(item);
            order.push_back(item);
            for (const int reader : readers[item])
                if (--waits[reader] == 0)
                    ready.insert(reader);
        }
        return order;
    }

    int size() const { return items_; }

private:
    /// Prefers what reads the newest result, so that results are used while they are in the cache.
    int next(const std::set<int>& ready, const std::vector<int>& order) const {
        if (!order.empty())
            for (const int item : ready)
                if (sources_[item].count(order.back()))
                    return item;
        return *ready.begin();
    }

    void addSource(int item, const std::string& tensor) {
        const int producer = view_.producerIndex(tensor);
        if (producer >= 0 && item_of_node_[producer] != item)
            sources_[item].insert(item_of_node_[producer]);
    }

    const GraphView& view_;
    const std::vector<Unit>& units_;
    std::vector<int> item_of_node_;
    int items_ = 0;
    std::vector<std::set<int>> sources_;
};

/// Units by level. The level counts how often a path from the inputs enters or leaves the units, so
/// that all units of a level can run between two groups of other nodes.
std::map<int, std::vector<int>> unitsByLevel(const Contraction& graph) {
    std::map<int, std::vector<int>> levels;
    const std::vector<int> order = graph.sorted();
    if (static_cast<int>(order.size()) < graph.size())
        return levels;
    std::vector<int> level(graph.size());
    for (const int item : order) {
        for (const int source : graph.sources(item))
            level[item] =
                std::max(level[item], level[source] + (graph.isUnit(source) != graph.isUnit(item)));
        // Units without units before them belong to the first level of units.
        if (graph.isUnit(item))
            level[item] |= 1;
        if (graph.isUnit(item))
            levels[level[item]].push_back(item);
    }
    return levels;
}

class RegionBuilder {
public:
    RegionBuilder(const GraphView& view, const std::vector<Unit>& units)
        : view_(view), units_(units) {}

    CutRegion build(const std::vector<int>& members) {
        cut_.units = members;
        for (const int unit : members)
            cut_.nodes.insert(cut_.nodes.end(), units_[unit].nodes.begin(),
                              units_[unit].nodes.end());
        std::sort(cut_.nodes.begin(), cut_.nodes.end());
        for (const int unit : members)
            for (const std::string& output : units_[unit].outputs)
                produced_.insert(output);
        for (const int unit : members)
            addStep(units_[unit]);
        for (const int unit : members)
            for (const std::string& output : units_[unit].outputs)
                if (isWantedOutside(output)) {
                    cut_.outputs.push_back(output);
                    cut_.region.outputs.push_back(values_.at(output));
                }
        cut_.region.name = cut_.outputs.empty() ? std::string() : cut_.outputs.front();
        return std::move(cut_);
    }

private:
    void addStep(const Unit& unit) {
        Step step{unit.operation, {}, {}};
        for (const std::string& input : unit.inputs)
            step.inputs.push_back(valueOf(input));
        for (const std::string& output : unit.outputs)
            step.outputs.push_back(valueOf(output));
        cut_.region.steps.push_back(std::move(step));
    }

    int valueOf(const std::string& tensor) {
        const auto found = values_.find(tensor);
        if (found != values_.end())
            return found->second;
        const onnx::Shape& shape = *view_.shape(tensor);
        const int value = static_cast<int>(cut_.region.values.size());
        cut_.region.batch = static_cast<int>(shape[0]);
        const int64_t height = shape.size() == 4 ? shape[2] : 1;
        cut_.region.values.push_back(
            {static_cast<int>(shape[1]), static_cast<int>(height), static_cast<int>(shape.back())});
        if (produced_.count(tensor) == 0) {
            cut_.inputs.push_back(tensor);
            cut_.region.inputs.push_back(value);
        }
        return values_[tensor] = value;
    }

    bool isWantedOutside(const std::string& tensor) const {
        const std::vector<int>& readers = view_.links().consumers(tensor);
        return view_.links().isOutput(tensor) ||
               std::any_of(readers.begin(), readers.end(), [&](int reader) {
                   return !std::binary_search(cut_.nodes.begin(), cut_.nodes.end(), reader);
               });
    }

    const GraphView& view_;
    const std::vector<Unit>& units_;
    CutRegion cut_;
    std::set<std::string> produced_;
    std::unordered_map<std::string, int> values_;
};

bool isWorthwhile(const std::vector<int>& members, const std::vector<Unit>& units) {
    return std::count_if(members.begin(), members.end(), [&](int unit) {
               return std::holds_alternative<Convolution>(units[unit].operation);
           }) >= 2;
}

} // namespace

std::vector<CutRegion> cutRegions(const GraphView& view, const std::vector<Unit>& units) {
    std::vector<CutRegion> regions;
    for (const auto& [level, members] : unitsByLevel(Contraction(view, units)))
        if (isWorthwhile(members, units))
            regions.push_back(RegionBuilder(view, units).build(members));
    return regions;
}

} // namespace irmb::accelerate
