#pragma once

#include <QFrame>
#include <functional>

class QLabel;
class QPushButton;
class QToolButton;
class QTimer;

namespace vigil::ui {

/// A message above the picture that interrupts nobody. Errors and warnings stay until they are
/// closed; remarks go by themselves.
class MessageBar : public QFrame {
    Q_OBJECT

public:
    enum class Kind { Info, Warning, Error };

    explicit MessageBar(QWidget* parent = nullptr);

    void show(Kind kind, const QString& title, const QString& details = {});
    /// The same with a button that does something about it.
    void show(Kind kind, const QString& title, const QString& details, const QString& action,
              std::function<void()> work);
    void dismiss();

    QString text() const;
    Kind kind() const { return kind_; }

private:
    QLabel* icon_;
    QLabel* text_;
    QPushButton* action_;
    QToolButton* close_;
    QTimer* timer_;
    Kind kind_ = Kind::Info;
    std::function<void()> work_;
};

} // namespace vigil::ui
