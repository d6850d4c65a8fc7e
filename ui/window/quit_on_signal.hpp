#pragma once

#include <QObject>

namespace vigil::ui {

/// Turns SIGINT and SIGTERM into a request to close the windows, so that files are completed.
class QuitOnSignal : public QObject {
    Q_OBJECT

public:
    explicit QuitOnSignal(QObject* parent = nullptr);
    ~QuitOnSignal() override;
};

} // namespace vigil::ui
