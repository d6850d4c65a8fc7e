#pragma once

#include "engine/picture.hpp"

#include <QPainter>
#include <QTransform>

namespace vigil::ui {

/// What is drawn over a picture, and how.
struct OverlayStyle {
    bool boxes = true;
    bool labels = true;
    bool scores = true;
    bool info = false;  ///< frame number, time and number of objects in a corner
    int line_width = 2; ///< 1..8, pixels of the screen before scaling for high resolutions
    int font_size = 12; ///< 8..32, the same
};

/// The colour of a class on the screen, the same as in annotated videos.
QColor classColor(int class_id);

/// Draws detections as vectors: they stay crisp however far the picture is zoomed.
/// `to_screen` maps pixels of the picture to those of the painter; `visible` is what may be drawn
/// on; `highlighted` is the index of a detection to stress, or -1.
void paintOverlay(QPainter& painter, const Picture& picture, const OverlayStyle& style,
                  const QTransform& to_screen, const QRectF& visible, int highlighted);

} // namespace vigil::ui
