#include "message_bar.hpp"

#include "window/icons.hpp"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStyle>
#include <QTimer>
#include <QToolButton>

namespace vigil::ui {
namespace {

constexpr int info_ms = 6000;
constexpr int icon_side = 20;

struct Look {
    const char* kind;
    const char* icon;
};

Look lookOf(MessageBar::Kind kind) {
    switch (kind) {
    case MessageBar::Kind::Error:
        return {"error", "error"};
    case MessageBar::Kind::Warning:
        return {"warning", "warning"};
    case MessageBar::Kind::Info:
        break;
    }
    return {"info", "info"};
}

} // namespace

MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent),
      icon_(new QLabel(this)),
      text_(new QLabel(this)),
      action_(new QPushButton(this)),
      close_(new QToolButton(this)),
      timer_(new QTimer(this)) {
    setObjectName(QStringLiteral("messageBar"));
    text_->setObjectName(QStringLiteral("messageText"));
    text_->setWordWrap(true);
    text_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    text_->setTextFormat(Qt::RichText);
    close_->setIcon(icon(QStringLiteral("close")));
    close_->setToolTip(tr("Close this message"));
    close_->setAccessibleName(close_->toolTip());
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 8, 8, 8);
    row->setSpacing(10);
    row->addWidget(icon_, 0, Qt::AlignTop);
    row->addWidget(text_, 1);
    row->addWidget(action_, 0, Qt::AlignVCenter);
    row->addWidget(close_, 0, Qt::AlignTop);
    timer_->setSingleShot(true);
    timer_->setInterval(info_ms);
    connect(timer_, &QTimer::timeout, this, &MessageBar::dismiss);
    connect(close_, &QToolButton::clicked, this, &MessageBar::dismiss);
    connect(action_, &QPushButton::clicked, this, [this] {
        const auto work = work_;
        dismiss();
        if (work)
            work();
    });
    hide();
}

void MessageBar::show(Kind kind, const QString& title, const QString& details) {
    show(kind, title, details, {}, {});
}

void MessageBar::show(Kind kind, const QString& title, const QString& details,
                      const QString& action, std::function<void()> work) {
    kind_ = kind;
    work_ = std::move(work);
    const Look look = lookOf(kind);
    setProperty("kind", QString::fromLatin1(look.kind));
    style()->unpolish(this);
    style()->polish(this);
    icon_->setPixmap(icon(QString::fromLatin1(look.icon))
                         .pixmap(QSize(icon_side, icon_side), devicePixelRatioF()));
    QString html = QStringLiteral("<b>%1</b>").arg(title.toHtmlEscaped());
    if (!details.isEmpty())
        html += QStringLiteral("<br>") + details.toHtmlEscaped();
    text_->setText(html);
    action_->setText(action);
    action_->setVisible(!action.isEmpty());
    setVisible(true);
    kind == Kind::Info ? timer_->start() : timer_->stop();
}

void MessageBar::dismiss() {
    timer_->stop();
    hide();
}

QString MessageBar::text() const {
    return isHidden() ? QString() : text_->text();
}

} // namespace vigil::ui
