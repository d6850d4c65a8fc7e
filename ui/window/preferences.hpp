#pragma once

#include "theme.hpp"
#include "view/overlay_painter.hpp"

#include <QString>
#include <QStringList>

namespace vigil::ui {

/// What the program remembers, apart from the layout of the window.
struct Preferences {
    QString language; ///< "en", "zh_CN"; empty: that of the system
    Theme::Choice theme = Theme::Choice::System;
    OverlayStyle overlay;
    double confidence = 0.25;
    bool loop = false;
    bool every_frame = false;
    QString output_folder; ///< for snapshots, recordings and exports
    QString model;         ///< loaded last; empty: none
    QString backend = QStringLiteral("auto");
    QString precision = QStringLiteral("auto");
    QString engine = QStringLiteral("auto");

    static Preferences load();
    void save() const;
};

/// Paths and addresses used lately, newest first.
class RecentItems {
public:
    /// `key` tells lists apart in the settings.
    explicit RecentItems(const QString& key);

    const QStringList& items() const { return items_; }
    void add(const QString& item);
    void remove(const QString& item);
    void clear();

    static constexpr int most_items = 8;

private:
    void save() const;

    QString key_;
    QStringList items_;
};

} // namespace vigil::ui
