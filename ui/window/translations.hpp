#pragma once

#include <QLocale>
#include <QTranslator>

namespace vigil::ui {

/// The texts of the program in the language that was chosen, or that of the system.
class Translations {
public:
    /// As the settings say.
    void install();
    void install(const QLocale& locale);

private:
    QTranslator plurals_; ///< English, under the other language
    QTranslator ours_;
    QTranslator of_qt_;
};

} // namespace vigil::ui
