#include "performance_panel.hpp"

#include "chart.hpp"
#include "engine/text.hpp"
#include "view/overlay_painter.hpp"

#include <QFormLayout>
#include <QGridLayout>
#include <QLabel>
#include <QVBoxLayout>
#include <algorithm>
#include <cmath>
#include <numeric>

namespace vigil::ui {
namespace {

constexpr std::size_t most_lines = 5;
constexpr int shortest_history_s = 30;

QLabel* heading(const QString& text, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    QFont font = label->font();
    font.setBold(true);
    label->setFont(font);
    return label;
}

QLabel* number(const QString& name, QWidget* parent) {
    auto* label = new QLabel(QStringLiteral("–"), parent);
    label->setObjectName(name);
    label->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    return label;
}

double mean(const std::vector<double>& values) {
    constexpr std::size_t newest = 20;
    const auto begin = values.end() - std::ptrdiff_t(std::min(newest, values.size()));
    return std::accumulate(begin, values.end(), 0.0) / double(values.end() - begin);
}

/// Of all that is known: gaps count nothing.
double total(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0, [](double sum, double value) {
        return std::isnan(value) ? sum : sum + value;
    });
}

QString onOneLine(QString text) {
    return text.replace(QLatin1Char(' '), QChar::Nbsp);
}

} // namespace

PerformancePanel::PerformancePanel(QWidget* parent)
    : QWidget(parent),
      fps_(number(QStringLiteral("fps"), this)),
      latency_(number(QStringLiteral("latency"), this)),
      captured_(number(QStringLiteral("captured"), this)),
      processed_(number(QStringLiteral("processed"), this)),
      superseded_(number(QStringLiteral("superseded"), this)),
      damaged_(number(QStringLiteral("damaged"), this)),
      objects_(new Chart(this)),
      legend_(new QLabel(this)) {
    auto* grid = new QGridLayout;
    grid->setColumnStretch(1, 1);
    grid->setHorizontalSpacing(10);
    grid->setVerticalSpacing(4);
    grid->addWidget(heading(tr("Frames a second"), this), 0, 0, 1, 2);
    grid->addWidget(fps_, 0, 2);
    QFont large = fps_->font();
    large.setBold(true);
    fps_->setFont(large);
    grid->addWidget(new QLabel(tr("Capture to result"), this), 1, 0, 1, 2);
    grid->addWidget(latency_, 1, 2);
    const QString names[] = {tr("Decoding"), tr("Preparing"), tr("Inference"), tr("Finding boxes"),
                             tr("Writing")};
    int row = 2;
    for (std::size_t i = 0; i < Telemetry::StageCount; ++i, ++row) {
        stage_charts_[i] = new Chart(this);
        stage_charts_[i]->setFilled(true);
        stage_charts_[i]->setAccessibleName(names[i]);
        stage_ms_[i] = number(QStringLiteral("stage%1").arg(i), this);
        grid->addWidget(new QLabel(names[i], this), row, 0);
        grid->addWidget(stage_charts_[i], row, 1);
        grid->addWidget(stage_ms_[i], row, 2);
    }
    const std::pair<QString, QLabel*> counters[] = {
        {tr("Frames captured"), captured_},
        {tr("Frames processed"), processed_},
        {tr("Skipped for newer ones"), superseded_},
        {tr("Damaged"), damaged_},
    };
    for (const auto& [text, label] : counters) {
        grid->addWidget(new QLabel(text, this), row, 0, 1, 2);
        grid->addWidget(label, row++, 2);
    }
    legend_->setObjectName(QStringLiteral("legend"));
    legend_->setWordWrap(true);
    legend_->setTextFormat(Qt::RichText);
    objects_->setAccessibleName(tr("Objects over time"));
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(10, 8, 10, 8);
    column->setSpacing(8);
    column->addLayout(grid);
    column->addWidget(heading(tr("Objects over time"), this));
    column->addWidget(objects_, 1);
    column->addWidget(legend_);
    update({}, {}, {}, false);
}

void PerformancePanel::update(const Telemetry::Snapshot& snapshot, const RunCounts& counts,
                              const std::vector<std::string>& class_names, bool live) {
    fps_->setText(snapshot.fps > 0 ? QString::number(snapshot.fps, 'f', 1) : QStringLiteral("–"));
    latency_->setText(counts.processed > 0 ? tr("%1 ms").arg(qRound(snapshot.latency_ms))
                                           : QStringLiteral("–"));
    latency_->setToolTip(live ? tr("How old the picture is that you see") : QString());
    for (std::size_t i = 0; i < Telemetry::StageCount; ++i) {
        const std::vector<double>& times = snapshot.stage_ms[i];
        stage_charts_[i]->setLines({{QString(), QColor(), times}}, int(Telemetry::history_frames));
        stage_ms_[i]->setText(times.empty() ? QStringLiteral("–")
                                            : tr("%1 ms").arg(mean(times), 0, 'f', 1));
    }
    captured_->setText(QString::number(counts.captured));
    processed_->setText(QString::number(counts.processed));
    superseded_->setText(QString::number(counts.dropped.superseded));
    damaged_->setText(QString::number(counts.dropped.damaged));
    updateObjects(snapshot, class_names);
}

/// The classes that were found most, each in its colour.
void PerformancePanel::updateObjects(const Telemetry::Snapshot& snapshot,
                                     const std::vector<std::string>& class_names) {
    std::vector<std::pair<double, int>> order;
    for (const auto& [class_id, values] : snapshot.per_second)
        order.emplace_back(-total(values), class_id);
    std::sort(order.begin(), order.end());
    if (order.size() > most_lines)
        order.resize(most_lines);
    std::vector<Chart::Line> lines;
    QStringList legend;
    std::size_t seconds = shortest_history_s;
    for (const auto& [rank, class_id] : order) {
        const std::vector<double>& values = snapshot.per_second.at(class_id);
        seconds = std::max(seconds, values.size());
        const QString name = classLabel(class_names, class_id);
        lines.push_back({name, classColor(class_id), values});
        legend << QStringLiteral("<span style=\"color:%1\">●</span>&nbsp;%2")
                      .arg(classColor(class_id).name(), onOneLine(name.toHtmlEscaped()));
    }
    objects_->setAxes(tr("now"), tr("%n s ago", nullptr, int(seconds)));
    objects_->setLines(std::move(lines), int(seconds));
    legend_->setText(legend.isEmpty() ? tr("Nothing was found yet") : legend.join("&nbsp;&nbsp; "));
}

} // namespace vigil::ui
