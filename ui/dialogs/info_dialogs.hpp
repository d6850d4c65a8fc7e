#pragma once

#include <QDialog>
#include <QList>

class QAction;
class QLabel;

namespace vigil::ui {

/// What this program is and what it was made with.
class AboutDialog : public QDialog {
    Q_OBJECT

public:
    explicit AboutDialog(QWidget* parent = nullptr);
    /// Fills in what takes time to find out.
    void setVersions(const QString& text);

private:
    QLabel* versions_;
};

/// Every action that has a keyboard shortcut, in groups.
class ShortcutSheet : public QDialog {
    Q_OBJECT

public:
    struct Group {
        QString title;
        QList<QAction*> actions;
    };

    ShortcutSheet(const QList<Group>& groups, QWidget* parent = nullptr);
};

} // namespace vigil::ui
