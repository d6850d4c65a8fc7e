#include "load_model.hpp"

#include <opencv2/core/utility.hpp>

namespace vigil {
namespace {

irmb::Engine engineByName(const std::string& name) {
    if (name == "new")
        return irmb::Engine::New;
    return name == "classic" ? irmb::Engine::Classic : irmb::Engine::Auto;
}

} // namespace

irmb::ReadOptions readOptions(const ModelOptions& options, const BackendChoice& backend) {
    irmb::ReadOptions read;
    read.input_size = options.input_size;
    read.batch = options.batch;
    read.fusion = options.no_fuse ? irmb::Fusion::Off : irmb::Fusion::Auto;
    read.cut_tail = !options.no_cut;
    read.engine = chooseEngine(backend, engineByName(options.engine));
    read.for_cuda = backend.backend == cv::dnn::DNN_BACKEND_CUDA;
    read.byte_input = !options.plain_tensors;
    read.candidates_only = !options.plain_tensors;
    if (options.cpu_acceleration == "off")
        read.cpu_acceleration = irmb::CpuAcceleration::Off;
    read.precision =
        backend.precision == "bf16" ? irmb::Precision::Bfloat16 : irmb::Precision::Float32;
    return read;
}

LoadedModel loadModel(const ModelOptions& options) {
    LoadedModel loaded;
    // The new engine runs on the CPU alone, so asking for it settles an open backend.
    const bool cpu_engine = options.engine == "new" && options.backend == "auto";
    loaded.backend = chooseBackend(cpu_engine ? "cpu" : options.backend, options.precision);
    if (options.threads > 0)
        cv::setNumThreads(options.threads);
    loaded.model = irmb::readModel(options.path, readOptions(options, loaded.backend));
    loaded.model.net.setPreferableBackend(loaded.backend.backend);
    loaded.model.net.setPreferableTarget(loaded.backend.target);
    return loaded;
}

} // namespace vigil
