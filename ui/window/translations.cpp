#include "translations.hpp"

#include <QFont>
#include <QGuiApplication>
#include <QLibraryInfo>
#include <QSettings>

namespace vigil::ui {

namespace {

/// Texts in a script that the usual font lacks fall back on any font that has it, in any weight.
/// Those of Simplified Chinese are to be the right ones, where they are installed.
void nameChineseFonts() {
    QFont font = QGuiApplication::font();
    font.setFamilies(font.families() + QStringList{QStringLiteral("Noto Sans CJK SC"),
                                                   QStringLiteral("Source Han Sans SC"),
                                                   QStringLiteral("WenQuanYi Micro Hei")});
    QGuiApplication::setFont(font);
}

} // namespace

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
    if (locale.language() == QLocale::Chinese)
        nameChineseFonts();
    if (ours_.load(locale, QStringLiteral("vigil"), QStringLiteral("_"), folder))
        QCoreApplication::installTranslator(&ours_);
    if (of_qt_.load(locale, QStringLiteral("qtbase"), QStringLiteral("_"),
                    QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        QCoreApplication::installTranslator(&of_qt_);
}

} // namespace vigil::ui
