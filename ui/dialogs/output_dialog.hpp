#pragma once

#include "engine/media_engine.hpp"

#include <QDialog>
#include <map>

class QCheckBox;
class QGridLayout;
class QLineEdit;
class QPushButton;

namespace vigil::ui {

/// Asks which files to write: an annotated video and the kinds of data files that Vigil knows.
class OutputDialog : public QDialog {
    Q_OBJECT

public:
    /// `stem`: path without an ending for the names that are proposed.
    OutputDialog(const QString& title, const QString& explanation, const QString& stem,
                 QWidget* parent = nullptr);

    Outputs outputs() const;

private:
    struct Row {
        QCheckBox* wanted;
        QLineEdit* path;
    };

    Row addRow(QGridLayout* grid, int row, const QString& name, const QString& text,
               const QString& path);
    void browse(QLineEdit* path);
    void updateButton();

    Row video_{};
    std::map<std::string, Row> data_;
    QPushButton* start_ = nullptr;
};

} // namespace vigil::ui
