#pragma once

#include <QDialog>
#include <QList>

class QAction;
class QFormLayout;
class QLabel;

namespace vigil {
struct CudaProbe;
}

namespace vigil::ui {

/// What this program is and what it was made with.
class AboutDialog : public QDialog {
    Q_OBJECT

public:
    explicit AboutDialog(QWidget* parent = nullptr);
    /// Fills in what takes time to find out.
    void setCuda(const CudaProbe& cuda);

private:
    void addFacts();
    QLabel* addFact(const QString& name, const QString& value);
    void fitHeight();

    QFormLayout* facts_;
    QLabel* cuda_ = nullptr;
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
