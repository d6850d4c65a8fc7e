#include "renderer.hpp"

namespace vigil {

void Renderer::draw(FrameResult& result) const {
    const Scale scale = Scale::forPicture(result.frame.image.size());
    for (const std::unique_ptr<Overlay>& overlay : overlays_)
        overlay->draw(result.frame.image, result, scale);
}

} // namespace vigil
