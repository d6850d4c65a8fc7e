#include "chart.hpp"

#include <QPainter>
#include <algorithm>
#include <cmath>
#include <utility>

namespace vigil::ui {
namespace {

/// The next of 1, 2, 5, 10, 20, 50 ... at or above a value.
double roundUp(double value) {
    if (value <= 0)
        return 1;
    const double power = std::pow(10, std::floor(std::log10(value)));
    for (const double step : {1.0, 2.0, 5.0})
        if (value <= step * power)
            return step * power;
    return 10 * power;
}

} // namespace

Chart::Chart(QWidget* parent) : QWidget(parent) {
    setMinimumHeight(22);
}

QSize Chart::sizeHint() const {
    return has_axes_ ? QSize(220, 110) : QSize(90, 24);
}

void Chart::setLines(std::vector<Line> lines, int length) {
    lines_ = std::move(lines);
    length_ = std::max(2, length);
    update();
}

void Chart::setAxes(const QString& unit, const QString& left) {
    has_axes_ = true;
    unit_ = unit;
    left_ = left;
}

double Chart::top() const {
    double most = 0;
    for (const Line& line : lines_)
        for (const double value : line.values)
            most = std::fmax(most, value); // which passes over gaps
    return has_axes_ ? roundUp(most) : std::max(most * 1.1, 1e-3);
}

void Chart::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QRectF area = QRectF(rect()).adjusted(1, 2, -1, -2);
    if (has_axes_) {
        const int text = fontMetrics().height();
        area = area.adjusted(fontMetrics().horizontalAdvance(QStringLiteral("000")), text / 2.0, -2,
                             -text);
        paintAxes(painter, area);
    }
    for (const Line& line : lines_)
        paintLine(painter, area, line);
}

void Chart::paintAxes(QPainter& painter, const QRectF& area) const {
    const QColor text = palette().color(QPalette::PlaceholderText);
    QColor grid = text;
    grid.setAlpha(60);
    for (const double part : {0.0, 0.5, 1.0}) {
        const double y = area.bottom() - part * area.height();
        painter.setPen(grid);
        painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
        const double value = part * top();
        if (value != std::floor(value))
            continue;
        painter.setPen(text);
        painter.drawText(QRectF(0, y - 10, area.left() - 5, 20), Qt::AlignRight | Qt::AlignVCenter,
                         QString::number(value));
    }
    painter.setPen(text);
    const QRectF below(area.left(), area.bottom() + 1, area.width(), fontMetrics().height());
    painter.drawText(below, Qt::AlignLeft, left_);
    painter.drawText(below, Qt::AlignRight, unit_);
}

/// The parts of a line between its gaps.
std::vector<QPolygonF> Chart::stretches(const QRectF& area, const Line& line) const {
    const double highest = top();
    const double step = area.width() / (length_ - 1);
    const double first = area.right() - step * (double(line.values.size()) - 1);
    std::vector<QPolygonF> parts;
    bool in_gap = true;
    for (std::size_t i = 0; i < line.values.size(); ++i) {
        const bool was_gap = std::exchange(in_gap, std::isnan(line.values[i]));
        if (in_gap)
            continue;
        if (was_gap)
            parts.emplace_back();
        parts.back() << QPointF(first + step * double(i),
                                area.bottom() - area.height() * line.values[i] / highest);
    }
    return parts;
}

void Chart::paintLine(QPainter& painter, const QRectF& area, const Line& line) const {
    const QColor colour =
        line.colour.isValid() ? line.colour : palette().color(QPalette::Highlight);
    QColor shade = colour;
    shade.setAlpha(45);
    const QPen pen(colour, 1.5);
    const QPen dot(colour, 3, Qt::SolidLine, Qt::RoundCap);
    painter.setClipRect(area.adjusted(-1, -2, 1, 2));
    for (const QPolygonF& part : stretches(area, line)) {
        if (filled_) {
            painter.setPen(Qt::NoPen);
            painter.setBrush(shade);
            painter.drawPolygon(QPolygonF(part) << QPointF(part.back().x(), area.bottom())
                                                << QPointF(part.front().x(), area.bottom()));
        }
        painter.setPen(part.size() == 1 ? dot : pen);
        part.size() == 1 ? painter.drawPoint(part.front()) : painter.drawPolyline(part);
    }
    painter.setClipping(false);
}

} // namespace vigil::ui
