#include "overlay_painter.hpp"

#include "engine/text.hpp"
#include "render/box_overlay.hpp"
#include "render/palette.hpp"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QtMath>

namespace vigil::ui {
namespace {

constexpr qreal rim = 1;
constexpr qreal dimmed = 0.35;

QColor fromBgr(const cv::Scalar& bgr) {
    return QColor(int(bgr[2]), int(bgr[1]), int(bgr[0]));
}

QString labelOf(const irmb::Detection& found, const Picture& picture, const OverlayStyle& style) {
    QString text = classLabel(picture.class_names, found.class_id);
    if (style.scores)
        text += QStringLiteral("  %1%").arg(qRound(100 * found.score));
    return text;
}

QRectF screenBox(const irmb::Detection& found, const QTransform& to_screen) {
    return to_screen.mapRect(QRectF(found.box.x, found.box.y, found.box.width, found.box.height));
}

cv::Rect toCv(const QRectF& rect) {
    const QRect aligned = rect.toAlignedRect();
    return {aligned.x(), aligned.y(), aligned.width(), aligned.height()};
}

/// A dark rim keeps the box visible on a background of its own colour.
void paintBox(QPainter& painter, const QRectF& box, const QColor& colour, qreal width) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(
        QPen(colour.darker(320), width + 2 * rim, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
    painter.drawRect(box);
    painter.setPen(QPen(colour, width, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
    painter.drawRect(box);
}

void paintLabel(QPainter& painter, const QRectF& place, const QString& text, int class_id) {
    painter.setPen(Qt::NoPen);
    painter.setBrush(classColor(class_id));
    painter.drawRect(place);
    painter.setPen(fromBgr(textColourOn(classColour(class_id))));
    painter.drawText(place, Qt::AlignCenter, text);
}

void paintInfo(QPainter& painter, const Picture& picture, const QRectF& visible) {
    const Frame& frame = picture.result.frame;
    const auto count = static_cast<int>(picture.result.detections.size());
    const QString text =
        QCoreApplication::translate("Overlay", "frame %1   %2   %n object(s)", nullptr, count)
            .arg(frame.index)
            .arg(timeText(frame.time_ms));
    const QFontMetricsF metrics(painter.font());
    QRectF place(0, 0, metrics.horizontalAdvance(text) + metrics.height(), metrics.height() * 1.5);
    place.moveBottomLeft(visible.bottomLeft());
    painter.fillRect(place, QColor(0, 0, 0, 165));
    painter.setPen(Qt::white);
    painter.drawText(place, Qt::AlignCenter, text);
}

} // namespace

QColor classColor(int class_id) {
    return fromBgr(classColour(class_id));
}

void paintOverlay(QPainter& painter, const Picture& picture, const OverlayStyle& style,
                  const QTransform& to_screen, const QRectF& visible, int highlighted) {
    QFont font = painter.font();
    font.setPixelSize(style.font_size);
    font.setWeight(QFont::Medium);
    painter.setFont(font);
    painter.setRenderHint(QPainter::Antialiasing, false);
    const auto& detections = picture.result.detections;
    const auto opacity = [&](int i) { return highlighted < 0 || i == highlighted ? 1 : dimmed; };
    const auto count = static_cast<int>(detections.size());

    // The best come last, on top of the others; labels on top of all boxes.
    for (int i = count - 1; i >= 0 && style.boxes; --i) {
        const irmb::Detection& found = detections[static_cast<std::size_t>(i)];
        painter.setOpacity(opacity(i));
        paintBox(painter, screenBox(found, to_screen), classColor(found.class_id),
                 style.line_width);
    }
    if (style.labels) {
        const QFontMetricsF metrics(font);
        const cv::Rect area = toCv(visible);
        std::vector<cv::Rect> taken;
        for (int i = 0; i < count; ++i) { // the best choose their place first
            const irmb::Detection& found = detections[static_cast<std::size_t>(i)];
            const qreal outwards = style.line_width / 2.0 + rim;
            const QRectF box =
                screenBox(found, to_screen).adjusted(-outwards, -outwards, outwards, outwards);
            if (!box.intersects(visible))
                continue;
            const QString text = labelOf(found, picture, style);
            const cv::Size size(qCeil(metrics.horizontalAdvance(text) + 10),
                                qCeil(metrics.height() + 3));
            const cv::Rect inner = toCv(box & visible) - area.tl();
            const cv::Rect place = placeLabel(inner, size, area.size(), taken);
            taken.push_back(place);
            painter.setOpacity(opacity(i));
            paintLabel(painter,
                       QRectF(place.x + area.x, place.y + area.y, place.width, place.height), text,
                       found.class_id);
        }
    }
    painter.setOpacity(1);
    if (style.info)
        paintInfo(painter, picture, visible);
}

} // namespace vigil::ui
