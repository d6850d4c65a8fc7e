#pragma once

namespace irmb {

/// Makes the layer `irmb::iRMB` known to OpenCV's DNN module, for every importer and engine.
/// Call it before a model that contains the node is read; readModel() does so by itself.
/// May be called any number of times and from any thread.
void registerLayers();

} // namespace irmb
