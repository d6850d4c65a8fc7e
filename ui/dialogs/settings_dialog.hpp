#pragma once

#include "window/preferences.hpp"

#include <QDialog>

class QComboBox;
class QLineEdit;
class QSlider;

namespace vigil::ui {

/// What the program remembers, to be changed. Looks change at once, the language with the next
/// start.
class SettingsDialog : public QDialog {
    Q_OBJECT

public:
    explicit SettingsDialog(const Preferences& preferences, QWidget* parent = nullptr);

    /// Puts what the controls say into `preferences`, of which much else may have changed since.
    void apply(Preferences& preferences) const;

signals:
    void changed();

private:
    QSlider* makeSlider(const QString& name, int least, int most, int value);
    QLayout* withValue(QSlider* slider);

    QComboBox* language_;
    QComboBox* theme_;
    QSlider* line_width_;
    QSlider* font_size_;
    QLineEdit* folder_;
};

} // namespace vigil::ui
