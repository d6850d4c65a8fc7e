#include "info_dialogs.hpp"

#include "engine/text.hpp"

#include <QAction>
#include <QDialogButtonBox>
#include <QGridLayout>
#include <QGroupBox>
#include <QIcon>
#include <QLabel>
#include <QVBoxLayout>

namespace vigil::ui {

AboutDialog::AboutDialog(QWidget* parent) : QDialog(parent), versions_(new QLabel(this)) {
    setWindowTitle(tr("About Vigil"));
    constexpr int logo_side = 64;
    auto* logo = new QLabel(this);
    logo->setPixmap(QIcon(QStringLiteral(":/icons/vigil.svg"))
                        .pixmap(QSize(logo_side, logo_side), devicePixelRatioF()));
    auto* text = new QLabel(
        tr("<h2>Vigil</h2><p>Finds objects in videos, cameras and streams with YOLOv10 models and "
           "their iRMB blocks, on OpenCV alone.</p><p>Licence: Apache-2.0. Models have licences of "
           "their own.</p>"),
        this);
    text->setWordWrap(true);
    versions_->setObjectName(QStringLiteral("versions"));
    versions_->setTextFormat(Qt::PlainText);
    versions_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    versions_->setWordWrap(true);
    auto* head = new QHBoxLayout;
    head->setSpacing(16);
    head->addWidget(logo, 0, Qt::AlignTop);
    head->addWidget(text, 1);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(14);
    column->addLayout(head);
    column->addWidget(versions_);
    column->addStretch(1);
    column->addWidget(buttons);
    setMinimumWidth(520);
}

void AboutDialog::setVersions(const QString& text) {
    versions_->setText(text + QStringLiteral("\nQt:       ") + QString::fromLatin1(qVersion()));
    adjustSize();
}

ShortcutSheet::ShortcutSheet(const QList<Group>& groups, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Keyboard and mouse"));
    auto* columns = new QHBoxLayout;
    columns->setSpacing(16);
    for (const Group& group : groups) {
        auto* box = new QGroupBox(group.title, this);
        auto* grid = new QGridLayout(box);
        grid->setHorizontalSpacing(18);
        int row = 0;
        for (const QAction* action : group.actions) {
            if (action->shortcut().isEmpty())
                continue;
            auto* keys = new QLabel(action->shortcut().toString(QKeySequence::NativeText), box);
            QFont bold = keys->font();
            bold.setBold(true);
            keys->setFont(bold);
            grid->addWidget(keys, row, 0);
            grid->addWidget(new QLabel(withoutMnemonic(action->text()), box), row++, 1);
        }
        grid->setRowStretch(row, 1);
        columns->addWidget(box);
    }
    auto* mouse = new QLabel(tr("Wheel: zoom · Drag: move the zoomed picture · Double click: full "
                                "screen · Hover over a box: its details · Click a class: only it"),
                             this);
    mouse->setWordWrap(true);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(12);
    column->addLayout(columns);
    column->addWidget(mouse);
    column->addWidget(buttons);
}

} // namespace vigil::ui
