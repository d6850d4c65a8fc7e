#pragma once

#include "overlay.hpp"

#include <memory>
#include <vector>

namespace vigil {

/// Overlays, drawn one over the other in the order in which they were added.
class Renderer {
public:
    void add(std::unique_ptr<Overlay> overlay) { overlays_.push_back(std::move(overlay)); }

    /// Draws into the frame's own image.
    void draw(FrameResult& result) const;

private:
    std::vector<std::unique_ptr<Overlay>> overlays_;
};

} // namespace vigil
