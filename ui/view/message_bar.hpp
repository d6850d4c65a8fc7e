#pragma once

#include <QWidget>
#include <functional>

class QFrame;
class QVBoxLayout;

namespace vigil::ui {

/// Something to tell.
struct Message {
    enum class Kind { Info, Warning, Error };

    Kind kind = Kind::Info;
    QString topic; ///< a new message takes the place of the last one on the same topic
    QString title;
    QString details;
    QString action; ///< text of a button that does something about it; empty: none
    std::function<void()> work = {};
    bool stays = false; ///< a remark that somebody may come back for
};

/// Messages above the picture, which interrupt nobody. Errors and warnings stay until they are
/// closed or their topic is settled; so do remarks that are to stay, others go by themselves.
class MessageBar : public QWidget {
    Q_OBJECT

public:
    explicit MessageBar(QWidget* parent = nullptr);

    void show(const Message& message);
    void dismiss(const QString& topic);

    QString text() const; ///< of all messages, one a line

private:
    QFrame* makeRow(const Message& message);
    void remove(QFrame* row);

    QVBoxLayout* column_;
    QList<QFrame*> rows_;
};

} // namespace vigil::ui
