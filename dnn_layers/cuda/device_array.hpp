#pragma once

#include "cuda/require.hpp"

#include <cuda_runtime.h>
#include <memory>
#include <string>
#include <vector>

namespace irmb::cuda {

/// Constant values in device memory.
template <typename T>
class DeviceArray {
public:
    DeviceArray() = default;

    /// Uploads `values` to the current device. Throws Error that begins with `layer`.
    DeviceArray(const std::vector<T>& values, const std::string& layer) {
        if (values.empty())
            return;
        const std::size_t bytes = values.size() * sizeof(T);
        void* memory = nullptr;
        require(cudaMalloc(&memory, bytes), layer,
                {"cudaMalloc of ", std::to_string(bytes).c_str(), " bytes for weights"});
        memory_.reset(static_cast<T*>(memory));
        require(cudaMemcpy(memory, values.data(), bytes, cudaMemcpyHostToDevice), layer,
                {"the upload of weights"});
        // The copy may be on its way yet, and OpenCV's streams wait for no other.
        require(cudaStreamSynchronize(nullptr), layer, {"the upload of weights"});
    }

    const T* data() const { return memory_.get(); }

private:
    struct Free {
        void operator()(T* memory) const { cudaFree(memory); }
    };

    std::unique_ptr<T, Free> memory_;
};

} // namespace irmb::cuda
