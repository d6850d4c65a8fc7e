#pragma once

#include <QIcon>
#include <QString>

namespace vigil::ui {

/// An icon of resources/icons, drawn in the text colour of the palette of the moment.
QIcon icon(const QString& name);

/// The same in a colour of its own.
QIcon icon(const QString& name, const QColor& colour);

} // namespace vigil::ui
