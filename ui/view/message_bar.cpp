#include "message_bar.hpp"

#include "icon_label.hpp"
#include "window/icons.hpp"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QTimer>
#include <QToolButton>

namespace vigil::ui {
namespace {

constexpr int info_ms = 6000;
constexpr int icon_side = 20;
const char* const topic_property = "topic";
const QString text_name = QStringLiteral("messageText");

struct Look {
    QString name; ///< of the icon, and in the style sheet
    QColor colour;
};

Look lookOf(Message::Kind kind) {
    switch (kind) {
    case Message::Kind::Error:
        return {QStringLiteral("error"), QColor(0xd64545)};
    case Message::Kind::Warning:
        return {QStringLiteral("warning"), QColor(0xd99a1c)};
    case Message::Kind::Info:
        break;
    }
    return {QStringLiteral("info"), QColor()};
}

IconLabel* makeIcon(const Look& look, QWidget* parent) {
    return look.colour.isValid() ? new IconLabel(look.name, icon_side, look.colour, parent)
                                 : new IconLabel(look.name, icon_side, QPalette::Highlight, parent);
}

QString htmlOf(const Message& message) {
    QString html = QStringLiteral("<b>%1</b>").arg(message.title.toHtmlEscaped());
    if (!message.details.isEmpty())
        html += QStringLiteral("<br>") +
                message.details.toHtmlEscaped().replace(QLatin1Char('\n'), QLatin1String("<br>"));
    return html;
}

} // namespace

MessageBar::MessageBar(QWidget* parent) : QWidget(parent), column_(new QVBoxLayout(this)) {
    column_->setContentsMargins(6, 6, 6, 6);
    column_->setSpacing(6);
    hide();
}

void MessageBar::show(const Message& message) {
    dismiss(message.topic);
    QFrame* row = makeRow(message);
    rows_.prepend(row);
    column_->insertWidget(0, row);
    setVisible(true);
    if (message.kind == Message::Kind::Info && !message.stays)
        QTimer::singleShot(info_ms, row, [this, row] { remove(row); });
}

QFrame* MessageBar::makeRow(const Message& message) {
    const Look look = lookOf(message.kind);
    auto* row = new QFrame(this);
    row->setObjectName(QStringLiteral("message"));
    row->setProperty("kind", look.name);
    row->setProperty(topic_property, message.topic);
    auto* text = new QLabel(htmlOf(message), row);
    text->setObjectName(text_name);
    text->setWordWrap(true);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    text->setTextFormat(Qt::RichText);
    auto* close = new QToolButton(row);
    close->setIcon(icon(QStringLiteral("close")));
    close->setToolTip(tr("Close this message"));
    close->setAccessibleName(close->toolTip());
    connect(close, &QToolButton::clicked, this, [this, row] { remove(row); });
    auto* parts = new QHBoxLayout(row);
    parts->setContentsMargins(12, 8, 8, 8);
    parts->setSpacing(10);
    parts->addWidget(makeIcon(look, row), 0, Qt::AlignTop);
    parts->addWidget(text, 1);
    if (!message.action.isEmpty()) {
        auto* action = new QPushButton(message.action, row);
        action->setObjectName(QStringLiteral("messageAction"));
        parts->addWidget(action, 0, Qt::AlignVCenter);
        connect(action, &QPushButton::clicked, this, [this, row, work = message.work] {
            remove(row);
            work();
        });
    }
    parts->addWidget(close, 0, Qt::AlignTop);
    return row;
}

void MessageBar::dismiss(const QString& topic) {
    const QList<QFrame*> rows = rows_;
    for (QFrame* row : rows)
        if (row->property(topic_property) == topic)
            remove(row);
}

void MessageBar::remove(QFrame* row) {
    rows_.removeAll(row);
    row->hide();
    row->deleteLater();
    setVisible(!rows_.isEmpty());
}

QString MessageBar::text() const {
    QStringList texts;
    for (const QFrame* row : rows_)
        texts << row->findChild<QLabel*>(text_name)->text();
    return texts.join(QLatin1Char('\n'));
}

} // namespace vigil::ui
