#pragma once

#include "pipeline/pipeline.hpp"

#include <QImage>
#include <QMetaType>
#include <memory>

namespace vigil::ui {

/// A result on its way to the screen.
struct Picture {
    QImage image;  ///< Format_RGB32, without overlays
    QImage fitted; ///< the same at the size that the view shows; may be null
    FrameResult result;
    std::vector<std::string> class_names; ///< of the model that made the detections
};

/// The size in which a picture fills a room, in pixels of the screen.
inline QSize fittedSize(const QSize& picture, const QSize& room) {
    return picture.scaled(room, Qt::KeepAspectRatio).expandedTo({1, 1});
}

using PicturePtr = std::shared_ptr<const Picture>;

} // namespace vigil::ui

Q_DECLARE_METATYPE(vigil::ui::PicturePtr)
