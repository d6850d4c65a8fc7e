#include "translations.hpp"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QSettings>

namespace vigil::ui {

void Translations::install() {
    const QString chosen = QSettings().value("language").toString();
    install(chosen.isEmpty() ? QLocale::system() : QLocale(chosen));
}

void Translations::install(const QLocale& locale) {
    const QString folder = QStringLiteral(":/translations");
    QLocale::setDefault(locale);
    if (plurals_.load(QStringLiteral("vigil_en"), folder))
        QCoreApplication::installTranslator(&plurals_);
    if (locale.language() == QLocale::English)
        return;
    if (ours_.load(locale, QStringLiteral("vigil"), QStringLiteral("_"), folder))
        QCoreApplication::installTranslator(&ours_);
    if (of_qt_.load(locale, QStringLiteral("qtbase"), QStringLiteral("_"),
                    QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        QCoreApplication::installTranslator(&of_qt_);
}

} // namespace vigil::ui
