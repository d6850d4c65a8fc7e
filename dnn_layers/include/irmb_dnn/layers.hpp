#pragma once

namespace irmb {

/// Makes the layer `irmb::iRMB` known to OpenCV's DNN module, for every importer and engine.
/// Call it before a model that contains the node is read; readModel() does so by itself.
/// May be called any number of times and from any thread.
void registerLayers();

/// Whether the layer runs on OpenCV's CUDA backend, in this build of the library and with the
/// OpenCV that is loaded. It does not tell whether there is a device.
bool hasCudaLayer();

} // namespace irmb
