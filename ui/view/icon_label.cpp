#include "icon_label.hpp"

#include "window/icons.hpp"

#include <QPainter>

namespace vigil::ui {

IconLabel::IconLabel(const QString& name, int side, QPalette::ColorRole role, QWidget* parent)
    : QWidget(parent), name_(name), role_(role) {
    setFixedSize(side, side);
}

IconLabel::IconLabel(const QString& name, int side, const QColor& colour, QWidget* parent)
    : IconLabel(name, side, QPalette::NoRole, parent) {
    colour_ = colour;
}

void IconLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const QColor colour = role_ == QPalette::NoRole ? colour_ : palette().color(role_);
    icon(name_, colour).paint(&painter, rect());
}

} // namespace vigil::ui
