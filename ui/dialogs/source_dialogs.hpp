#pragma once

#include "engine/media_engine.hpp"
#include "source/cameras.hpp"

#include <QDialog>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace vigil::ui {

/// Asks for a camera and a resolution.
class CameraDialog : public QDialog {
    Q_OBJECT

public:
    explicit CameraDialog(QWidget* parent = nullptr);

    /// The cameras of this machine, once they are known.
    void setCameras(const std::vector<Camera>& cameras);
    SourceRequest request() const;

signals:
    void refreshWanted();

private:
    void showSizes();

    std::vector<Camera> cameras_;
    QComboBox* camera_;
    QComboBox* size_;
    QLabel* hint_;
    QPushButton* open_;
};

/// Asks for the address of a stream.
class StreamDialog : public QDialog {
    Q_OBJECT

public:
    StreamDialog(const QStringList& recent, QWidget* parent = nullptr);

    QString address() const;

private:
    QComboBox* address_;
};

} // namespace vigil::ui
