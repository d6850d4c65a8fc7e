#pragma once

#include <QPalette>
#include <QWidget>

namespace vigil::ui {

/// An icon of resources/icons among texts. Follows the theme.
class IconLabel : public QWidget {
public:
    /// `side` in pixels before scaling for high resolutions.
    IconLabel(const QString& name, int side, QPalette::ColorRole role, QWidget* parent);
    /// In a colour that is the same in every theme.
    IconLabel(const QString& name, int side, const QColor& colour, QWidget* parent);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QString name_;
    QPalette::ColorRole role_ = QPalette::NoRole;
    QColor colour_; ///< where there is no role
};

} // namespace vigil::ui
