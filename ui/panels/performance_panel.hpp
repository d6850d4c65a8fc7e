#pragma once

#include "engine/telemetry.hpp"

#include <QWidget>
#include <array>

class QLabel;

namespace vigil::ui {

class Chart;

/// How fast it goes, where the time goes, which frames got lost and what was found when.
class PerformancePanel : public QWidget {
    Q_OBJECT

public:
    explicit PerformancePanel(QWidget* parent = nullptr);

    void update(const Telemetry::Snapshot& snapshot, const RunCounts& counts,
                const std::vector<std::string>& class_names, bool live);

private:
    void updateObjects(const Telemetry::Snapshot& snapshot,
                       const std::vector<std::string>& class_names);

    QLabel* fps_;
    QLabel* latency_;
    std::array<QLabel*, Telemetry::StageCount> stage_ms_{};
    std::array<Chart*, Telemetry::StageCount> stage_charts_{};
    QLabel* captured_;
    QLabel* processed_;
    QLabel* superseded_;
    QLabel* damaged_;
    Chart* objects_;
    QLabel* legend_;
};

} // namespace vigil::ui
