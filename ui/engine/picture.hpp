#pragma once

#include "pipeline/pipeline.hpp"

#include <QImage>
#include <QMetaType>
#include <memory>

namespace vigil::ui {

/// A result on its way to the screen.
struct Picture {
    QImage image; ///< Format_RGB32, without overlays
    FrameResult result;
    std::vector<std::string> class_names; ///< of the model that made the detections
};

using PicturePtr = std::shared_ptr<const Picture>;

} // namespace vigil::ui

Q_DECLARE_METATYPE(vigil::ui::PicturePtr)
