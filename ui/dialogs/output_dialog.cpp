#include "output_dialog.hpp"

#include "engine/text.hpp"
#include "sink/registry.hpp"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace vigil::ui {
namespace {

constexpr int path_width = 480; // most paths can be read whole

struct DataText {
    QString title;
    QString ending;
};

DataText textOf(const std::string& kind) {
    if (kind == "jsonl")
        return {OutputDialog::tr("Detections, JSON lines"), QStringLiteral(".jsonl")};
    if (kind == "csv")
        return {OutputDialog::tr("Detections, CSV table"), QStringLiteral(".csv")};
    if (kind == "mot")
        return {OutputDialog::tr("Detections, MOTChallenge"), QStringLiteral(".mot.txt")};
    return {fromStd(kind), QStringLiteral(".") + fromStd(kind)};
}

} // namespace

OutputDialog::OutputDialog(const QString& title, const QString& explanation, const QString& stem,
                           QWidget* parent)
    : QDialog(parent) {
    setWindowTitle(title);
    auto* text = new QLabel(explanation, this);
    text->setWordWrap(true);
    auto* grid = new QGridLayout;
    grid->setColumnStretch(1, 1);
    int row = 0;
    video_ = addRow(grid, row++, QStringLiteral("video"), tr("Annotated video"),
                    stem + QStringLiteral(".mp4"));
    video_.wanted->setChecked(true);
    for (const DataSinkKind& kind : dataSinkKinds()) {
        const DataText words = textOf(kind.name);
        data_[kind.name] =
            addRow(grid, row++, fromStd(kind.name), words.title, stem + words.ending);
    }
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    start_ = buttons->addButton(tr("Start"), QDialogButtonBox::AcceptRole);
    start_->setDefault(true);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(12);
    column->addWidget(text);
    column->addLayout(grid);
    column->addStretch(1);
    column->addWidget(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    updateButton();
}

OutputDialog::Row OutputDialog::addRow(QGridLayout* grid, int row, const QString& name,
                                       const QString& text, const QString& path) {
    Row made{new QCheckBox(text, this), new QLineEdit(path, this)};
    made.wanted->setObjectName(name + QStringLiteral("Wanted"));
    made.path->setObjectName(name + QStringLiteral("Path"));
    made.path->setMinimumWidth(path_width);
    made.path->setEnabled(false);
    auto* choose = new QPushButton(tr("Choose…"), this);
    choose->setEnabled(false);
    grid->addWidget(made.wanted, row, 0);
    grid->addWidget(made.path, row, 1);
    grid->addWidget(choose, row, 2);
    connect(choose, &QPushButton::clicked, this, [this, edit = made.path] { browse(edit); });
    connect(made.wanted, &QCheckBox::toggled, made.path, &QWidget::setEnabled);
    connect(made.wanted, &QCheckBox::toggled, choose, &QWidget::setEnabled);
    connect(made.wanted, &QCheckBox::toggled, this, &OutputDialog::updateButton);
    connect(made.path, &QLineEdit::textChanged, this, &OutputDialog::updateButton);
    return made;
}

void OutputDialog::browse(QLineEdit* path) {
    auto* dialog = new QFileDialog(this, tr("Save as"), path->text());
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    connect(dialog, &QFileDialog::fileSelected, path, &QLineEdit::setText);
    dialog->open();
}

void OutputDialog::updateButton() {
    if (start_)
        start_->setEnabled(!outputs().empty());
}

Outputs OutputDialog::outputs() const {
    Outputs outputs;
    if (video_.wanted->isChecked())
        outputs.picture = video_.path->text().trimmed().toStdString();
    for (const auto& [kind, row] : data_)
        if (row.wanted->isChecked() && !row.path->text().trimmed().isEmpty())
            outputs.data[kind] = row.path->text().trimmed().toStdString();
    return outputs;
}

} // namespace vigil::ui
