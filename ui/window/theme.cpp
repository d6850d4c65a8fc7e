#include "theme.hpp"

#include "quiet_style.hpp"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QPalette>
#include <QToolTip>

namespace vigil::ui {
namespace {

// Where desktops publish whether they are dark: the settings portal of freedesktop.org.
const QString portal = QStringLiteral("org.freedesktop.portal.Desktop");
const QString portal_path = QStringLiteral("/org/freedesktop/portal/desktop");
const QString portal_interface = QStringLiteral("org.freedesktop.portal.Settings");
const QString appearance = QStringLiteral("org.freedesktop.appearance");
const QString colour_scheme = QStringLiteral("color-scheme");
constexpr uint prefers_dark = 1;

struct Colours {
    QColor window, base, alternate, text, muted, button;
    QColor border; ///< between parts of the window
    QColor edge;   ///< around what can be used: stands out more
    QColor accent, on_accent;
};

const Colours light = {QColor(0xf4f6f5), QColor(0xffffff), QColor(0xf0f3f2), QColor(0x1c2422),
                       QColor(0x687370), QColor(0xfafbfb), QColor(0xd3dad7), QColor(0xa3acaa),
                       QColor(0x0b7a5c), QColor(0xffffff)};
const Colours dark = {QColor(0x1d2221), QColor(0x161a19), QColor(0x1b201f), QColor(0xe6ebe9),
                      QColor(0x93a09c), QColor(0x2a312f), QColor(0x3a4341), QColor(0x5f6b68),
                      QColor(0x3fd6a6), QColor(0x08241c)};

QPalette paletteOf(const Colours& c) {
    QPalette palette(c.text, c.button, c.border.lighter(130), c.edge, c.border, c.text, c.text,
                     c.base, c.window);
    palette.setColor(QPalette::AlternateBase, c.alternate);
    palette.setColor(QPalette::Highlight, c.accent);
    palette.setColor(QPalette::HighlightedText, c.on_accent);
    palette.setColor(QPalette::Link, c.accent);
    palette.setColor(QPalette::LinkVisited, c.accent);
    palette.setColor(QPalette::PlaceholderText, c.muted);
    palette.setColor(QPalette::ToolTipBase, c.base);
    palette.setColor(QPalette::ToolTipText, c.text);
    QColor faded = c.muted;
    faded.setAlpha(150);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        palette.setColor(QPalette::Disabled, role, faded);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, c.border);
    return palette;
}

/// What palettes cannot say: flat tool buttons, quiet docks, cards on the start page.
QString styleSheet(const Colours& c) {
    return QStringLiteral(R"(
QToolTip { color: %1; background: %2; border: 1px solid %3; padding: 4px; }
QToolBar { border: none; border-bottom: 1px solid %3; spacing: 4px; padding: 3px 6px; }
QToolBar::separator { background: %3; width: 1px; margin: 6px 5px; }
QToolButton { border: 1px solid transparent; border-radius: 5px; padding: 4px; }
QToolButton:hover, QToolButton:focus { border-color: %3; background: %4; }
QToolButton:pressed { background: %3; }
QToolButton:checked { background: %4; border-color: %5; }
QToolButton::menu-indicator { image: none; }
QStatusBar { border-top: 1px solid %3; }
QStatusBar::item { border: none; }
QHeaderView::section { background: %2; color: %7; border: none; border-bottom: 1px solid %3;
    padding: 4px 6px; }
QDockWidget::title { text-align: left center; padding: 0 8px; background: %6; border-bottom: 1px solid %3; }
QMainWindow::separator { background: %3; width: 1px; height: 1px; margin: 2px; }
QPushButton#tile { text-align: left; padding: 12px 14px; border: 1px solid %3; border-radius: 8px;
    background: %2; }
QPushButton#tile:hover, QPushButton#tile:focus { border-color: %5; }
QPushButton#tile:pressed { background: %4; }
QPushButton#recent { text-align: left; border: none; padding: 5px 0; }
QPushButton#recent:hover, QPushButton#recent:focus { color: %5; text-decoration: underline; }
QLabel#muted { color: %7; }
QFrame#message { border-radius: 6px; border: 1px solid %3; background: %2; }
QFrame#message[kind="error"] { border-left: 4px solid #d64545; }
QFrame#message[kind="warning"] { border-left: 4px solid #d99a1c; }
QFrame#message[kind="info"] { border-left: 4px solid %5; }
)")
        .arg(c.text.name(), c.base.name(), c.border.name(), c.alternate.darker(104).name(),
             c.accent.name(), c.window.name(), c.muted.name());
}

} // namespace

Theme::Theme(QObject* parent) : QObject(parent) {
    desktop_is_dark_ = QApplication::palette().color(QPalette::Window).lightness() < 128;
    QApplication::setStyle(new QuietStyle);
    QDBusConnection::sessionBus().connect(portal, portal_path, portal_interface,
                                          QStringLiteral("SettingChanged"), this,
                                          SLOT(desktopChanged(QString, QString, QDBusVariant)));
    askDesktop();
    apply();
}

void Theme::choose(Choice choice) {
    if (choice == choice_)
        return;
    choice_ = choice;
    apply();
}

void Theme::askDesktop() {
    if (!QDBusConnection::sessionBus().isConnected())
        return;
    QDBusMessage question = QDBusMessage::createMethodCall(portal, portal_path, portal_interface,
                                                           QStringLiteral("Read"));
    question << appearance << colour_scheme;
    auto* watcher =
        new QDBusPendingCallWatcher(QDBusConnection::sessionBus().asyncCall(question), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
        const QDBusPendingReply<QDBusVariant> answer = *watcher;
        if (!answer.isError())
            desktopChanged(appearance, colour_scheme,
                           answer.value().variant().value<QDBusVariant>());
        watcher->deleteLater();
    });
}

void Theme::desktopChanged(const QString& group, const QString& key, const QDBusVariant& value) {
    if (group != appearance || key != colour_scheme)
        return;
    desktop_is_dark_ = value.variant().toUInt() == prefers_dark;
    apply();
}

void Theme::apply() {
    dark_ = choice_ == Choice::Dark || (choice_ == Choice::System && desktop_is_dark_);
    const Colours& colours = dark_ ? dark : light;
    QApplication::setPalette(paletteOf(colours));
    QToolTip::setPalette(paletteOf(colours));
    qApp->setStyleSheet(styleSheet(colours));
}

} // namespace vigil::ui
