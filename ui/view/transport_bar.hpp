#pragma once

#include "engine/picture.hpp"
#include "source/playback_source.hpp"

#include <QHash>
#include <QWidget>

class QComboBox;
class QLabel;
class QSlider;
class QToolButton;

namespace vigil::ui {

/// The controls below the picture: play, steps, a bar to jump with, pace.
class TransportBar : public QWidget {
    Q_OBJECT

public:
    explicit TransportBar(QWidget* parent = nullptr);

    void setSource(const SourceInfo& info);
    void setNoSource();
    void setState(const PlaybackSource::State& state);
    /// `follow`: whether the bar moves too, which it does not while older jumps are on their way.
    void setPlace(const Picture& picture, double latency_ms, bool follow);
    /// Of a live source that delivers nothing, neither that it is live nor a latency is shown.
    void setSilent(bool silent);
    void setSpeed(double speed);
    void setLoop(bool loop);
    void setEveryFrame(bool every_frame);

    /// Names the keys that do the same as a button of this object name.
    void setKeys(const QHash<QString, QString>& keys);

signals:
    void playToggled();
    void stopped();
    void stepped(int frames);
    void jumped(double time_ms);
    void speedChosen(double speed);
    void loopChosen(bool loop);
    void everyFrameChosen(bool every_frame);

private:
    QToolButton* makeButton(const QString& name, const QString& icon_name, const QString& tip);
    void setTip(QToolButton* button, const QString& tip);
    void updateEnabled();

    QHash<QString, QString> keys_;
    QToolButton* play_;
    QToolButton* stop_;
    QToolButton* back_;
    QToolButton* forward_;
    QSlider* bar_;
    QLabel* place_;
    QLabel* live_;
    QComboBox* speed_;
    QToolButton* loop_;
    QToolButton* every_frame_;
    SourceInfo info_;
    bool has_source_ = false;
};

} // namespace vigil::ui
