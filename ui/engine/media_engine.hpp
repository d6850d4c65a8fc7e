#pragma once

#include "background.hpp"
#include "detect/load_model.hpp"
#include "picture.hpp"
#include "pipeline/player.hpp"
#include "telemetry.hpp"

#include <QObject>
#include <QTimer>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace vigil {
class ModelDetector;
}

namespace vigil::ui {

class Mailbox;

/// What to open.
struct SourceRequest {
    std::string spec; ///< as openSource() takes it
    LiveOptions live;
};

/// A loaded model, in facts.
struct ModelFacts {
    irmb::ModelInfo info;
    irmb::FusionReport report;
    std::string engine;
    BackendChoice backend;
    std::vector<std::string> fallback_layers;
    irmb::AccelerationReport acceleration;
    ModelOptions options; ///< it was loaded with
    qint64 file_bytes = 0;
};

/// Files to write.
struct Outputs {
    std::string picture;                     ///< annotated video or images; empty: none
    std::map<std::string, std::string> data; ///< path by kind of data sink
    bool empty() const { return picture.empty() && data.empty(); }
};

/// Everything that the window controls: a source, a model and what becomes of them. Lives in the
/// thread of the window and never waits there; what takes time happens elsewhere and is reported by
/// a signal. Pictures come newest-wins: one that the window had no time for is replaced.
class MediaEngine : public QObject {
    Q_OBJECT

public:
    explicit MediaEngine(QObject* parent = nullptr);
    /// Completes recordings and ends all threads, which may take as long as a silent stream needs
    /// to time out.
    ~MediaEngine() override;

    void open(const SourceRequest& request);
    void close();
    bool hasSource() const { return player_ != nullptr; }
    const SourceRequest& request() const { return request_; }
    SourceInfo sourceInfo() const;

    void loadModel(const ModelOptions& options);
    void unloadModel();
    bool loadingModel() const { return loading_model_; }
    const std::shared_ptr<const ModelFacts>& model() const { return facts_; }

    void play();
    void pause();
    void togglePlaying();
    void stop(); ///< pauses at the start
    void seek(double time_ms);
    void step(int frames); ///< +1 or -1
    void setSpeed(double speed);
    void setLoop(bool loop);
    void setEveryFrame(bool every_frame);
    PlaybackSource::State playback() const;
    /// Whether `picture` shows the place that was asked for last.
    bool isCurrent(const Picture& picture) const;

    void setConfidence(double confidence);
    /// Classes to look for; nullopt: all.
    void setClasses(const std::optional<std::vector<int>>& classes);
    const irmb::DecodeOptions& decodeOptions() const { return decode_options_; }

    void startRecording(const Outputs& outputs);
    void stopRecording();
    Recorder::State recording() const;

    /// Saves the frame of `picture` as an image.
    void saveSnapshot(const PicturePtr& picture, const QString& path, bool with_overlay);

    /// Pictures come scaled to fill this many pixels of the screen, too; empty: they do not.
    void setRoom(const QSize& room) { room_ = room; }
    PicturePtr picture() const { return picture_; }
    Telemetry::Snapshot telemetry() const;
    RunCounts counts() const; ///< of frames, since the source was opened
    /// What keeps a source from delivering; empty: nothing.
    QString trouble() const;

signals:
    void sourceOpening(const QString& name);
    void sourceOpened();
    void sourceFailed(const QString& name, const QString& error);
    /// The source is lost for good.
    void sourceLost(const QString& error);
    /// Remarks on damage and interruptions, at the end of a source.
    void warned(const QStringList& remarks);
    void sourceClosed();
    void modelLoading(const QString& path);
    void modelChanged();
    void modelFailed(const QString& path, const QString& error);
    void pictureReady(const vigil::ui::PicturePtr& picture);
    void playbackChanged();
    void recordingChanged();
    /// A recording is over. `file` is the first of its files; `error` is empty if all are complete.
    void recordingEnded(const QString& file, int frames, const QString& error);
    void troubleChanged(const QString& trouble);
    void snapshotSaved(const QString& path);
    void snapshotFailed(const QString& error);

private:
    void replacePlayer(std::unique_ptr<Source> source);
    void retireRecording();
    void endRecording(const QString& file, const Recorder::State& state);
    void pollRecording();
    void setRecording(bool active);
    void pollRemarks();
    void retirePlayer();
    void takePicture(int generation);
    void playerEnded(int generation, const QString& error, const QStringList& warnings);
    void adopt(std::shared_ptr<ModelDetector> detector, std::shared_ptr<const ModelFacts> facts);
    void applyDecodeOptions();
    void applyMode();
    void poll();

    Background background_;
    std::shared_ptr<DetectorSlot> slot_ = std::make_shared<DetectorSlot>();
    std::shared_ptr<Player> player_;
    std::shared_ptr<Mailbox> mailbox_;
    std::shared_ptr<Telemetry> telemetry_ = std::make_shared<Telemetry>();
    SourceRequest request_;
    int generation_ = 0;  ///< of the player
    int open_ticket_ = 0; ///< of the newest wish to open something
    int model_ticket_ = 0;
    bool loading_model_ = false;
    std::shared_ptr<ModelDetector> detector_;
    std::shared_ptr<const ModelFacts> facts_;
    irmb::DecodeOptions decode_options_;
    PicturePtr picture_;
    std::atomic<QSize> room_{QSize()};
    double speed_ = 1;
    bool loop_ = false;
    bool every_frame_ = false;
    bool recording_wanted_ = false;
    bool was_recording_ = false;
    QString recording_file_;
    bool remarked_ = false; ///< on this source
    PlaybackSource::State shown_state_;
    QString shown_trouble_;
    QTimer poll_timer_;
};

} // namespace vigil::ui
