#pragma once

#include <irmb_dnn/irmb_params.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// The node `irmb::iRMB` as docs/irmb-node.md specifies it: names of attributes and order of
/// inputs. The layer and the ONNX passes share this one description.
namespace irmb {

const char* toString(Norm norm);
const char* toString(Activation act);
const char* toString(Part part);

/// Inverse of toString(). Throw cv::Exception (StsBadArg) that names `layer` and lists the choices.
Norm normFromString(const std::string& text, const std::string& layer);
Activation activationFromString(const std::string& text, const std::string& layer);
Part partFromString(const std::string& text, const std::string& layer);

/// Attributes of one node by type. What is absent has the default of the specification.
struct NodeAttributes {
    std::map<std::string, int64_t> ints;
    std::map<std::string, float> floats;
    std::map<std::string, std::string> strings;
};

/// All attributes that matter for `params`, defaults included.
NodeAttributes toAttributes(const IrmbParams& params);

/// Parameters of a node whose input has `channels` channels, checked by checkParams().
/// Throws cv::Exception (StsBadArg) that names `layer`, the attribute and its value when one is
/// unknown, of another type or out of range.
IrmbParams fromAttributes(const NodeAttributes& attributes, int channels, const std::string& layer);

/// One weight input of the node.
struct WeightSlot {
    const char* name; ///< as in the specification, "qk_weight"
    cv::Mat IrmbWeights::*member;
    std::vector<int> shape; ///< as in the specification, [2C, C, 1, 1]
    bool single = false;    ///< [1] is accepted as well (slopes of PReLU)
};

/// The weight inputs that `params` call for, in the order of the node's inputs after x.
/// `params` must have passed checkParams().
std::vector<WeightSlot> weightSlots(const IrmbParams& params);

/// The same for every weight that a node can have, whatever the parameters; shapes are empty.
/// Serves to find weights that the parameters do not call for.
const std::vector<WeightSlot>& allWeightSlots();

} // namespace irmb
