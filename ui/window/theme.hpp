#pragma once

#include <QDBusVariant>
#include <QObject>
#include <QString>

namespace vigil::ui {

/// Light or dark, as the desktop says or as the user chose.
class Theme : public QObject {
    Q_OBJECT

public:
    enum class Choice { System, Light, Dark };

    explicit Theme(QObject* parent = nullptr);

    void choose(Choice choice);
    bool isDark() const { return dark_; }

private slots:
    void desktopChanged(const QString& group, const QString& key, const QDBusVariant& value);

private:
    void askDesktop();
    void apply();

    Choice choice_ = Choice::System;
    bool desktop_is_dark_ = false;
    bool dark_ = false;
};

} // namespace vigil::ui
