#include "settings_dialog.hpp"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSlider>
#include <QVBoxLayout>
#include <algorithm>

namespace vigil::ui {

SettingsDialog::SettingsDialog(const Preferences& preferences, QWidget* parent)
    : QDialog(parent),
      language_(new QComboBox(this)),
      theme_(new QComboBox(this)),
      line_width_(makeSlider(QStringLiteral("lineWidth"), 1, 8, preferences.overlay.line_width)),
      font_size_(makeSlider(QStringLiteral("fontSize"), 8, 32, preferences.overlay.font_size)),
      folder_(new QLineEdit(preferences.output_folder, this)) {
    setWindowTitle(tr("Settings"));
    language_->setObjectName(QStringLiteral("language"));
    language_->addItem(tr("As the system"), QString());
    language_->addItem(QStringLiteral("English"), QStringLiteral("en"));
    language_->addItem(QStringLiteral("简体中文"), QStringLiteral("zh_CN"));
    language_->setCurrentIndex(std::max(0, language_->findData(preferences.language)));
    theme_->setObjectName(QStringLiteral("theme"));
    theme_->addItems({tr("As the system"), tr("Light"), tr("Dark")});
    theme_->setCurrentIndex(int(preferences.theme));
    folder_->setObjectName(QStringLiteral("outputFolder"));
    auto* choose = new QPushButton(tr("Choose…"), this);
    auto* folder_row = new QHBoxLayout;
    folder_row->addWidget(folder_, 1);
    folder_row->addWidget(choose);
    auto* language_hint = new QLabel(tr("A new language shows after a restart."), this);
    language_hint->setObjectName(QStringLiteral("muted"));
    auto* form = new QFormLayout;
    form->addRow(tr("Language"), language_);
    form->addRow(QString(), language_hint);
    form->addRow(tr("Colours"), theme_);
    form->addRow(tr("Line width of boxes"), withValue(line_width_));
    form->addRow(tr("Size of labels"), withValue(font_size_));
    form->addRow(tr("Folder for snapshots and recordings"), folder_row);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(14);
    column->addLayout(form);
    column->addStretch(1);
    column->addWidget(buttons);
    setMinimumWidth(560);
    buttons->button(QDialogButtonBox::Close)->setDefault(true);
    choose->setAutoDefault(false);
    language_->setFocus();

    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(language_, &QComboBox::activated, this, &SettingsDialog::changed);
    connect(theme_, &QComboBox::activated, this, &SettingsDialog::changed);
    connect(line_width_, &QSlider::valueChanged, this, &SettingsDialog::changed);
    connect(font_size_, &QSlider::valueChanged, this, &SettingsDialog::changed);
    connect(folder_, &QLineEdit::textChanged, this, &SettingsDialog::changed);
    connect(choose, &QPushButton::clicked, this, [this] {
        auto* dialog = new QFileDialog(this, tr("Choose a folder"), folder_->text());
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setFileMode(QFileDialog::Directory);
        dialog->setOption(QFileDialog::ShowDirsOnly);
        connect(dialog, &QFileDialog::fileSelected, folder_, &QLineEdit::setText);
        dialog->open();
    });
}

QSlider* SettingsDialog::makeSlider(const QString& name, int least, int most, int value) {
    auto* slider = new QSlider(Qt::Horizontal, this);
    slider->setObjectName(name);
    slider->setRange(least, most);
    slider->setValue(value);
    slider->setPageStep(1);
    return slider;
}

/// The slider with its value in pixels beside it.
QLayout* SettingsDialog::withValue(QSlider* slider) {
    auto* value = new QLabel(this);
    value->setMinimumWidth(value->fontMetrics().horizontalAdvance(tr("%1 px").arg(88)));
    value->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    const auto tell = [value](int pixels) { value->setText(tr("%1 px").arg(pixels)); };
    connect(slider, &QSlider::valueChanged, value, tell);
    tell(slider->value());
    auto* row = new QHBoxLayout;
    row->addWidget(slider, 1);
    row->addWidget(value);
    return row;
}

void SettingsDialog::apply(Preferences& preferences) const {
    preferences.language = language_->currentData().toString();
    preferences.theme = Theme::Choice(theme_->currentIndex());
    preferences.overlay.line_width = line_width_->value();
    preferences.overlay.font_size = font_size_->value();
    preferences.output_folder = folder_->text();
}

} // namespace vigil::ui
