#pragma once

#include <QKeySequence>
#include <QString>

namespace vigil::ui {

/// Keys as people know them; a sign too small to be seen is called by its name.
QString keyText(const QKeySequence& keys);

} // namespace vigil::ui
