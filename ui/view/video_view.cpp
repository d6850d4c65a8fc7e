#include "video_view.hpp"

#include "engine/text.hpp"

#include <QCursor>
#include <QElapsedTimer>
#include <QMouseEvent>
#include <QPainter>
#include <QWheelEvent>
#include <QtMath>
#include <algorithm>
#include <cmath>

namespace vigil::ui {
namespace {

constexpr double zoom_step = 1.2;
const QColor surround(0x10, 0x13, 0x12);

double area(const irmb::Detection& found) {
    return double(found.box.width) * double(found.box.height);
}

} // namespace

VideoView::VideoView(QWidget* parent) : QWidget(parent) {
    setAttribute(Qt::WA_OpaquePaintEvent);
    setMouseTracking(true);
    setMinimumSize(320, 180);
    setFocusPolicy(Qt::ClickFocus);
    setAccessibleName(tr("Picture"));
}

void VideoView::show(const PicturePtr& picture) {
    const bool new_size = !picture_ || !picture || picture_->image.size() != picture->image.size();
    picture_ = picture;
    if (new_size)
        resetZoom();
    // A dialog may hide that the mouse left: what it was over before may be gone.
    hovered_ = underMouse() || hovered_ >= 0 ? detectionAt(mouse_) : -1;
    update();
}

void VideoView::clear() {
    hovered_ = -1;
    show(nullptr);
}

void VideoView::setOverlayStyle(const OverlayStyle& style) {
    style_ = style;
    update();
}

void VideoView::setNotice(const QString& notice) {
    notice_ = notice;
    update();
}

double VideoView::fitScale() const {
    if (!picture_ || picture_->image.isNull())
        return 1;
    const QSize size = picture_->image.size();
    return std::min(double(width()) / size.width(), double(height()) / size.height());
}

QSize VideoView::room() const {
    return zoom_ > 1 ? QSize() : (QSizeF(size()) * devicePixelRatioF()).toSize();
}

QTransform VideoView::toWidget() const {
    const double scale = fitScale() * zoom_;
    return QTransform(scale, 0, 0, scale, width() / 2.0 - centre_.x() * scale,
                      height() / 2.0 - centre_.y() * scale);
}

QRectF VideoView::pictureRect() const {
    return toWidget().mapRect(QRectF(picture_->image.rect()));
}

void VideoView::setZoom(double zoom) {
    zoomAt(rect().center(), zoom);
}

void VideoView::resetZoom() {
    zoom_ = 1;
    if (picture_)
        centre_ = QRectF(picture_->image.rect()).center();
    update();
    emit zoomChanged(zoom_);
    emit roomChanged(room());
}

void VideoView::zoomAt(const QPointF& position, double zoom) {
    if (!picture_)
        return;
    const QPointF pixel = toWidget().inverted().map(position);
    zoom_ = std::clamp(zoom, 1.0, most_zoom);
    centre_ += pixel - toWidget().inverted().map(position);
    keepInside();
    update();
    emit zoomChanged(zoom_);
    emit roomChanged(room());
}

/// The picture fills the view where it is large enough, and lies in its middle where it is not.
void VideoView::keepInside() {
    if (!picture_)
        return;
    const double scale = fitScale() * zoom_;
    const auto keep = [scale](double centre, int view, int picture) {
        const double half = view / scale / 2;
        return 2 * half >= picture ? picture / 2.0 : std::clamp(centre, half, picture - half);
    };
    centre_ = {keep(centre_.x(), width(), picture_->image.width()),
               keep(centre_.y(), height(), picture_->image.height())};
}

int VideoView::detectionAt(const QPointF& position) const {
    if (!picture_ || !style_.boxes)
        return -1;
    const QPointF pixel = toWidget().inverted().map(position);
    const auto& detections = picture_->result.detections;
    int found = -1;
    for (std::size_t i = 0; i < detections.size(); ++i)
        if (detections[i].box.contains(cv::Point2f(float(pixel.x()), float(pixel.y()))) &&
            (found < 0 || area(detections[i]) < area(detections[std::size_t(found)])))
            found = int(i);
    return found;
}

void VideoView::hover(const QPointF& position) {
    mouse_ = position;
    const int before = hovered_;
    hovered_ = detectionAt(position);
    if (hovered_ >= 0 || before >= 0)
        update();
}

void VideoView::wheelEvent(QWheelEvent* event) {
    const double turns = event->angleDelta().y() / 120.0;
    zoomAt(event->position(), zoom_ * std::pow(zoom_step, turns));
    event->accept();
}

void VideoView::mousePressEvent(QMouseEvent* event) {
    dragging_ = event->button() == Qt::LeftButton && zoom_ > 1;
    if (dragging_)
        setCursor(Qt::ClosedHandCursor);
    mouse_ = event->position();
}

void VideoView::mouseMoveEvent(QMouseEvent* event) {
    if (dragging_) {
        centre_ -= (event->position() - mouse_) / (fitScale() * zoom_);
        keepInside();
        update();
    }
    hover(event->position());
}

void VideoView::mouseReleaseEvent(QMouseEvent*) {
    dragging_ = false;
    unsetCursor();
}

void VideoView::mouseDoubleClickEvent(QMouseEvent* event) {
    if (event->button() == Qt::LeftButton)
        emit doubleClicked();
}

void VideoView::leaveEvent(QEvent*) {
    hovered_ = -1;
    update();
}

void VideoView::resizeEvent(QResizeEvent*) {
    keepInside();
    // The mouse stays where it is on the screen, which is another place of the picture now.
    mouse_ = mapFromGlobal(QPointF(QCursor::pos()));
    hovered_ = underMouse() ? detectionAt(mouse_) : -1;
    emit roomChanged(room());
}

void VideoView::paintEvent(QPaintEvent*) {
    QElapsedTimer timer;
    timer.start();
    QPainter painter(this);
    paintSurround(painter);
    if (picture_) {
        paintPicture(painter);
        const QRectF visible = pictureRect() & QRectF(rect());
        painter.save();
        painter.setClipRect(visible);
        paintOverlay(painter, *picture_, style_, toWidget(), visible, hovered_);
        painter.restore();
        if (hovered_ >= 0)
            paintDetails(painter);
    }
    if (!notice_.isEmpty())
        paintNotice(painter);
    paint_ms_ = double(timer.nsecsElapsed()) / 1e6;
}

/// What the picture leaves free: on a large screen, filling what it covers takes milliseconds.
void VideoView::paintSurround(QPainter& painter) const {
    QRegion free = rect();
    if (picture_) {
        const QRectF whole = pictureRect();
        free -= QRect(QPoint(qCeil(whole.left()) + 1, qCeil(whole.top()) + 1),
                      QPoint(qFloor(whole.right()) - 2, qFloor(whole.bottom()) - 2));
    }
    for (const QRect& part : free)
        painter.fillRect(part, surround);
}

void VideoView::paintPicture(QPainter& painter) const {
    const double ratio = devicePixelRatioF();
    if (zoom_ == 1 && picture_->fitted.size() == fittedSize(picture_->image.size(), room())) {
        painter.save();
        painter.scale(1 / ratio, 1 / ratio); // one pixel of the picture is one of the screen
        painter.drawImage((pictureRect().topLeft() * ratio).toPoint(), picture_->fitted);
        painter.restore();
        return;
    }
    // Zoomed in beyond four times, pixels are what one wants to see.
    painter.setRenderHint(QPainter::SmoothPixmapTransform,
                          zoom_ == 1 || fitScale() * zoom_ * ratio < 4);
    painter.drawImage(pictureRect(), picture_->image);
}

/// A card with what is known of the box under the mouse.
void VideoView::paintDetails(QPainter& painter) const {
    const irmb::Detection& found = picture_->result.detections[std::size_t(hovered_)];
    const QString name = classLabel(picture_->class_names, found.class_id);
    const QString facts = tr("score %1\nposition %2, %3\nsize %4")
                              .arg(found.score, 0, 'f', 3)
                              .arg(qRound(found.box.x))
                              .arg(qRound(found.box.y))
                              .arg(sizeText(qRound(found.box.width), qRound(found.box.height)));
    QFont bold = font();
    bold.setBold(true);
    constexpr int margin = 10;
    const QRectF title = QFontMetricsF(bold).boundingRect(QRectF(0, 0, 400, 400), 0, name);
    const QRectF body = QFontMetricsF(font()).boundingRect(QRectF(0, 0, 400, 400), 0, facts);
    QRectF card(0, 0, std::max(title.width(), body.width()) + 2 * margin + 8,
                title.height() + body.height() + 2 * margin);
    card.moveTopLeft(mouse_ + QPointF(16, 16));
    if (card.right() > width())
        card.moveRight(mouse_.x() - 8);
    if (card.bottom() > height())
        card.moveBottom(mouse_.y() - 8);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(16, 20, 19, 225));
    painter.drawRoundedRect(card, 6, 6);
    painter.fillRect(QRectF(card.left(), card.top() + 8, 4, card.height() - 16),
                     classColor(found.class_id));
    const QRectF inner = card.adjusted(margin + 4, margin, -margin, -margin);
    painter.setPen(Qt::white);
    painter.setFont(bold);
    painter.drawText(inner, Qt::AlignTop | Qt::AlignLeft, name);
    painter.setFont(font());
    painter.setPen(QColor(0xc8, 0xd2, 0xcf));
    painter.drawText(inner.adjusted(0, title.height(), 0, 0), Qt::AlignTop | Qt::AlignLeft, facts);
}

void VideoView::paintNotice(QPainter& painter) const {
    constexpr int margin = 14;
    QFont large = font();
    large.setPointSizeF(font().pointSizeF() * 1.15);
    painter.setFont(large);
    const QRectF room = QRectF(rect()).adjusted(40, 20, -40, -20);
    QRectF text = painter.boundingRect(room, Qt::AlignCenter | Qt::TextWordWrap, notice_);
    const QRectF card = text.adjusted(-margin * 1.5, -margin, margin * 1.5, margin);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(QColor(16, 20, 19, 225));
    painter.drawRoundedRect(card, 8, 8);
    painter.setPen(Qt::white);
    painter.drawText(text, Qt::AlignCenter | Qt::TextWordWrap, notice_);
}

} // namespace vigil::ui
