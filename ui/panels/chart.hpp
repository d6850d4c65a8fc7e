#pragma once

#include <QColor>
#include <QPolygonF>
#include <QWidget>
#include <vector>

namespace vigil::ui {

/// A small chart of lines over time, the newest value at the right edge. (Qt Charts is licensed
/// under the GPL alone, which this program is not.)
class Chart : public QWidget {
    Q_OBJECT

public:
    struct Line {
        QString name;
        QColor colour;              ///< invalid: the accent colour
        std::vector<double> values; ///< NaN: a gap
    };

    explicit Chart(QWidget* parent = nullptr);

    /// `length`: values from the left edge to the right one.
    void setLines(std::vector<Line> lines, int length);
    /// Draws a scale: its unit, and what the left edge means.
    void setAxes(const QString& unit, const QString& left);
    void setFilled(bool filled) { filled_ = filled; }

    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    double top() const;
    void paintAxes(QPainter& painter, const QRectF& area) const;
    std::vector<QPolygonF> stretches(const QRectF& area, const Line& line) const;
    void paintLine(QPainter& painter, const QRectF& area, const Line& line) const;

    std::vector<Line> lines_;
    int length_ = 2;
    bool has_axes_ = false;
    bool filled_ = false;
    QString unit_;
    QString left_;
};

} // namespace vigil::ui
