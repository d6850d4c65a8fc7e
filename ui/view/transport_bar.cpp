#include "transport_bar.hpp"

#include "engine/text.hpp"
#include "window/icons.hpp"

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QSlider>
#include <QStyle>
#include <QStyleOptionSlider>
#include <QToolButton>
#include <algorithm>
#include <cmath>

namespace vigil::ui {
namespace {

constexpr int icon_side = 20;
constexpr int shortest_bar = 100;
constexpr int page_ms = 10000;
constexpr int arrow_ms = 1000;

/// A slider whose groove jumps to where it is clicked.
class SeekBar : public QSlider {
public:
    explicit SeekBar(QWidget* parent) : QSlider(Qt::Horizontal, parent) {}

protected:
    void mousePressEvent(QMouseEvent* event) override {
        QStyleOptionSlider option;
        initStyleOption(&option);
        const QRect handle =
            style()->subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderHandle, this);
        const QRect groove =
            style()->subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderGroove, this);
        if (event->button() == Qt::LeftButton && !handle.contains(event->pos())) {
            const int place = event->pos().x() - groove.x() - handle.width() / 2;
            setSliderPosition(QStyle::sliderValueFromPosition(minimum(), maximum(), place,
                                                              groove.width() - handle.width()));
        }
        QSlider::mousePressEvent(event); // the handle is under the mouse by now
    }
};

/// Wide enough for every text it will hold, so that nothing beside it moves.
void reserve(QLabel* label, const QString& widest) {
    label->setMinimumWidth(label->fontMetrics().horizontalAdvance(widest) + 4);
}

/// When the last frame begins: the bar ends there, since nothing comes behind it.
double lastFrameMs(const SourceInfo& info) {
    return info.fps > 0 ? info.duration_ms - 1000 / info.fps : info.duration_ms;
}

/// Keys of an action behind what it does.
QString withKeys(const QString& text, const QString& keys) {
    return keys.isEmpty() ? text : QStringLiteral("%1 (%2)").arg(text, keys);
}

} // namespace

TransportBar::TransportBar(QWidget* parent)
    : QWidget(parent),
      play_(makeButton(QStringLiteral("play"), QStringLiteral("play"), tr("Play or pause"))),
      stop_(makeButton(QStringLiteral("stop"), QStringLiteral("stop"),
                       tr("Stop: back to the start"))),
      back_(makeButton(QStringLiteral("stepBack"), QStringLiteral("step-back"),
                       tr("One frame back"))),
      forward_(makeButton(QStringLiteral("stepForward"), QStringLiteral("step-forward"),
                          tr("One frame forward"))),
      bar_(new SeekBar(this)),
      place_(new QLabel(this)),
      live_(new QLabel(tr("LIVE"), this)),
      speed_(new QComboBox(this)),
      loop_(
          makeButton(QStringLiteral("loop"), QStringLiteral("loop"), tr("Start again at the end"))),
      every_frame_(makeButton(QStringLiteral("everyFrame"), QStringLiteral("every-frame"),
                              tr("Show every frame, as fast as the model goes, instead of playing "
                                 "in real time and skipping frames"))) {
    bar_->setObjectName(QStringLiteral("seekBar"));
    bar_->setAccessibleName(tr("Place in the video"));
    bar_->setToolTip(tr("Click or drag to go to another place"));
    bar_->setMinimumWidth(shortest_bar);
    bar_->setPageStep(page_ms);
    bar_->setSingleStep(arrow_ms);
    place_->setObjectName(QStringLiteral("place"));
    place_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    live_->setObjectName(QStringLiteral("live"));
    live_->setStyleSheet(QStringLiteral("color: #d64545; font-weight: bold; padding: 0 6px;"));
    speed_->setObjectName(QStringLiteral("speed"));
    speed_->setToolTip(tr("Speed"));
    speed_->setAccessibleName(tr("Speed"));
    for (const double speed : {0.25, 0.5, 1.0, 1.5, 2.0, 4.0, 8.0})
        speed_->addItem(tr("%1×").arg(speed), speed);
    setSpeed(1);
    loop_->setCheckable(true);
    every_frame_->setCheckable(true);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(8, 4, 8, 4);
    row->setSpacing(4);
    for (QWidget* widget : std::initializer_list<QWidget*>{back_, play_, forward_, stop_, live_})
        row->addWidget(widget);
    row->addWidget(bar_, 1);
    row->addSpacing(8);
    row->addWidget(place_);
    row->addSpacing(8);
    for (QWidget* widget : std::initializer_list<QWidget*>{speed_, loop_, every_frame_})
        row->addWidget(widget);

    connect(play_, &QToolButton::clicked, this, &TransportBar::playToggled);
    connect(stop_, &QToolButton::clicked, this, &TransportBar::stopped);
    connect(back_, &QToolButton::clicked, this, [this] { emit stepped(-1); });
    connect(forward_, &QToolButton::clicked, this, [this] { emit stepped(1); });
    // Of the bar only what the user does counts, not what the video does.
    connect(bar_, &QSlider::sliderMoved, this, [this](int place) { emit jumped(place); });
    connect(bar_, &QSlider::actionTriggered, this, [this](int action) {
        if (action != QAbstractSlider::SliderMove && action != QAbstractSlider::SliderNoAction)
            emit jumped(bar_->sliderPosition());
    });
    connect(bar_, &QSlider::sliderPressed, this, [this] { emit jumped(bar_->sliderPosition()); });
    connect(speed_, &QComboBox::activated, this,
            [this] { emit speedChosen(speed_->currentData().toDouble()); });
    connect(loop_, &QToolButton::clicked, this, &TransportBar::loopChosen);
    connect(every_frame_, &QToolButton::clicked, this, &TransportBar::everyFrameChosen);
    setNoSource();
}

QToolButton* TransportBar::makeButton(const QString& name, const QString& icon_name,
                                      const QString& tip) {
    auto* button = new QToolButton(this);
    button->setObjectName(name);
    button->setIcon(icon(icon_name));
    button->setIconSize({icon_side, icon_side});
    setTip(button, tip);
    return button;
}

void TransportBar::setTip(QToolButton* button, const QString& tip) {
    button->setToolTip(withKeys(tip, keys_.value(button->objectName())));
    button->setAccessibleName(tip);
}

void TransportBar::setKeys(const QHash<QString, QString>& keys) {
    keys_ = keys;
    for (QToolButton* button : {play_, stop_, back_, forward_, loop_, every_frame_})
        setTip(button, button->accessibleName());
}

void TransportBar::setSource(const SourceInfo& info) {
    info_ = info;
    has_source_ = true;
    bar_->setRange(0, std::max(1, int(std::lround(lastFrameMs(info)))));
    bar_->setValue(0);
    reserve(place_, info.live ? tr("latency %1 ms").arg(88888)
                              : QStringLiteral("%1 / %1  ·  %2")
                                    .arg(timeText(info.duration_ms), tr("frame %1").arg(888888)));
    place_->clear();
    updateEnabled();
}

void TransportBar::setNoSource() {
    info_ = SourceInfo();
    has_source_ = false;
    bar_->setValue(0);
    place_->clear();
    updateEnabled();
}

void TransportBar::updateEnabled() {
    const bool recording = has_source_ && !info_.live;
    const bool seekable = recording && info_.seekable;
    play_->setEnabled(has_source_);
    stop_->setEnabled(seekable);
    back_->setEnabled(seekable);
    forward_->setEnabled(recording);
    bar_->setEnabled(seekable);
    speed_->setEnabled(recording);
    loop_->setEnabled(seekable);
    every_frame_->setEnabled(recording);
    live_->setVisible(info_.live);
    for (QWidget* widget :
         std::initializer_list<QWidget*>{stop_, back_, forward_, bar_, speed_, loop_, every_frame_})
        widget->setVisible(!info_.live); // what has no meaning there
    if (auto* row = qobject_cast<QHBoxLayout*>(layout()))
        row->setStretchFactor(place_, info_.live ? 1 : 0);
}

void TransportBar::setState(const PlaybackSource::State& state) {
    play_->setIcon(icon(state.playing ? QStringLiteral("pause") : QStringLiteral("play")));
    setTip(play_, state.playing ? tr("Pause") : tr("Play"));
}

void TransportBar::setPlace(const Picture& picture, double latency_ms, bool follow) {
    if (info_.live) {
        place_->setText(tr("latency %1 ms").arg(qRound(latency_ms)));
        return;
    }
    const Frame& frame = picture.result.frame;
    if (follow && !bar_->isSliderDown())
        bar_->setValue(int(std::lround(frame.time_ms)));
    const QString number = tr("frame %1").arg(frame.index);
    place_->setText(info_.stills
                        ? tr("image %1 of %2").arg(frame.index + 1).arg(info_.frame_count)
                        : QStringLiteral("%1 / %2  ·  %3")
                              .arg(timeText(frame.time_ms), timeText(info_.duration_ms), number));
}

void TransportBar::setSilent(bool silent) {
    live_->setVisible(info_.live && !silent);
    if (info_.live && silent)
        place_->clear();
}

void TransportBar::setSpeed(double speed) {
    const int index = speed_->findData(speed);
    speed_->setCurrentIndex(index >= 0 ? index : speed_->findData(1.0));
}

void TransportBar::setLoop(bool loop) {
    loop_->setChecked(loop);
}

void TransportBar::setEveryFrame(bool every_frame) {
    every_frame_->setChecked(every_frame);
}

} // namespace vigil::ui
