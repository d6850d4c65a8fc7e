#pragma once

#include "overlay_painter.hpp"

#include <QWidget>

namespace vigil::ui {

/// Shows pictures with what was found in them: fitted into the window with their aspect ratio, or
/// zoomed with the wheel and moved with the mouse.
class VideoView : public QWidget {
    Q_OBJECT

public:
    explicit VideoView(QWidget* parent = nullptr);

    void show(const PicturePtr& picture);
    void clear();
    PicturePtr picture() const { return picture_; }

    void setOverlayStyle(const OverlayStyle& style);
    /// Said across the picture; empty: nothing.
    void setNotice(const QString& notice);
    QString notice() const { return notice_; }

    /// 1: the picture fills the view. At most `most_zoom`.
    double zoom() const { return zoom_; }
    void setZoom(double zoom);
    void resetZoom();

    /// Maps pixels of the picture to the coordinates of this widget.
    QTransform toWidget() const;
    /// Index of the detection at a place of this widget: the smallest box there, or -1.
    int detectionAt(const QPointF& position) const;
    /// How long the last painting took.
    double paintMs() const { return paint_ms_; }

    static constexpr double most_zoom = 16;

signals:
    void zoomChanged(double zoom);
    /// In pixels of the screen; empty while the picture is zoomed.
    void roomChanged(const QSize& room);
    void doubleClicked();

protected:
    void paintEvent(QPaintEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    double fitScale() const;
    QSize room() const;
    QRectF pictureRect() const;
    void zoomAt(const QPointF& position, double zoom);
    void keepInside();
    void hover(const QPointF& position);
    void paintSurround(QPainter& painter) const;
    void paintPicture(QPainter& painter) const;
    void paintDetails(QPainter& painter) const;
    void paintNotice(QPainter& painter) const;

    PicturePtr picture_;
    OverlayStyle style_;
    QString notice_;
    double zoom_ = 1;
    QPointF centre_; ///< of the view, in pixels of the picture
    int hovered_ = -1;
    QPointF mouse_;
    bool dragging_ = false;
    double paint_ms_ = 0;
};

} // namespace vigil::ui
