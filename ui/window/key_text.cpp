#include "key_text.hpp"

#include <QCoreApplication>

namespace vigil::ui {

QString keyText(const QKeySequence& keys) {
    QString text = keys.toString(QKeySequence::NativeText);
    if (text.endsWith(QLatin1Char(',')))
        text.replace(text.size() - 1, 1, QCoreApplication::translate("Keys", "Comma"));
    else if (text.endsWith(QLatin1Char('.')))
        text.replace(text.size() - 1, 1, QCoreApplication::translate("Keys", "Full stop"));
    return text;
}

} // namespace vigil::ui
