#include "media_engine.hpp"

#include "detect/model_detector.hpp"
#include "outputs.hpp"
#include "text.hpp"

#include <opencv2/imgproc.hpp>

#include <QFileInfo>

namespace vigil::ui {
namespace {

constexpr int poll_interval_ms = 100;

/// May be written to as long as nothing shares the image.
cv::Mat pixelsOf(const QImage& image) {
    return cv::Mat(image.height(), image.width(), CV_8UC4, const_cast<uchar*>(image.constBits()),
                   static_cast<std::size_t>(image.bytesPerLine()));
}

QImage toImage(const cv::Mat& bgr) {
    QImage image(bgr.cols, bgr.rows, QImage::Format_RGB32);
    cv::cvtColor(bgr, pixelsOf(image), cv::COLOR_BGR2BGRA);
    return image;
}

QImage scaled(const QImage& image, const QSize& size) {
    QImage result(size, image.format());
    cv::Mat target = pixelsOf(result);
    const bool shrinks_much = size.width() * 2 < image.width();
    cv::resize(pixelsOf(image), target, target.size(), 0, 0,
               shrinks_much ? cv::INTER_AREA : cv::INTER_LINEAR);
    return result;
}

std::vector<std::string> namesOf(const FrameResult& result) {
    const auto detector = std::dynamic_pointer_cast<ModelDetector>(result.inference.detector);
    return detector ? detector->info().class_names : std::vector<std::string>();
}

struct Loaded {
    std::shared_ptr<ModelDetector> detector;
    std::shared_ptr<const ModelFacts> facts;
};

Loaded load(const ModelOptions& options) {
    LoadedModel loaded = vigil::loadModel(options);
    Loaded result;
    result.detector = std::make_shared<ModelDetector>(std::move(loaded.model), loaded.backend);
    ModelDetector& detector = *result.detector;
    // What cannot run is refused here, not in the midst of a video.
    const cv::Mat black = cv::Mat::zeros(detector.info().input_size, CV_8UC3);
    detector.decode(detector.infer(detector.prepare(black)));
    result.facts = std::make_shared<ModelFacts>(
        ModelFacts{detector.info(), detector.report(), detector.engine(), detector.backend(),
                   detector.fallbackLayers(), detector.acceleration(), options,
                   QFileInfo(fromStd(options.path)).size()});
    return result;
}

} // namespace

/// Hands the newest picture from the pipeline to the window.
class Mailbox {
public:
    /// True when the receiver is to be told; it was told already of an older one otherwise.
    bool put(PicturePtr picture) {
        const std::lock_guard<std::mutex> lock(mutex_);
        const bool was_empty = picture_ == nullptr;
        picture_.swap(picture);
        return was_empty;
    }
    PicturePtr take() {
        const std::lock_guard<std::mutex> lock(mutex_);
        return std::move(picture_);
    }

private:
    std::mutex mutex_;
    PicturePtr picture_;
};

MediaEngine::MediaEngine(QObject* parent) : QObject(parent) {
    connect(&poll_timer_, &QTimer::timeout, this, &MediaEngine::poll);
    poll_timer_.start(poll_interval_ms);
}

MediaEngine::~MediaEngine() {
    retirePlayer();
    background_.wait();
}

void MediaEngine::open(const SourceRequest& request) {
    const int ticket = ++open_ticket_;
    const QString name = fromStd(request.spec);
    emit sourceOpening(name);
    background_.run(
        this, [request] { return openSource(request.spec, request.live); },
        [=](Outcome<std::unique_ptr<Source>>& opened) {
            if (ticket != open_ticket_) { // something else is wanted by now
                background_.dispose(std::shared_ptr<Source>(std::move(opened.value)));
                return;
            }
            if (!opened.value) {
                emit sourceFailed(name, opened.error);
                return;
            }
            request_ = request;
            replacePlayer(std::move(opened.value));
            emit sourceOpened();
        });
}

void MediaEngine::close() {
    ++open_ticket_;
    if (!player_)
        return;
    retirePlayer();
    picture_.reset();
    telemetry_->clear();
    emit sourceClosed();
}

SourceInfo MediaEngine::sourceInfo() const {
    return player_ ? player_->playback().info() : SourceInfo();
}

void MediaEngine::replacePlayer(std::unique_ptr<Source> source) {
    retirePlayer();
    const int generation = ++generation_;
    remarked_ = false;
    mailbox_ = std::make_shared<Mailbox>();
    telemetry_ = std::make_shared<Telemetry>();
    Player::Observers observers;
    observers.on_result = [this, generation, mailbox = mailbox_,
                           telemetry = telemetry_](const FrameResult& result, const RunCounts&) {
        telemetry->add(result, Telemetry::Clock::now());
        auto picture = std::make_shared<Picture>();
        picture->image = toImage(result.frame.image);
        if (const QSize room = room_; !room.isEmpty())
            picture->fitted = scaled(picture->image, fittedSize(picture->image.size(), room));
        picture->result = result;
        picture->class_names = namesOf(result);
        picture->result.inference = Inference(); // large, and of no use to the window
        if (mailbox->put(std::move(picture)))
            QMetaObject::invokeMethod(
                this, [this, generation] { takePicture(generation); }, Qt::QueuedConnection);
    };
    observers.on_end = [this, generation](const std::string& error,
                                          const std::vector<std::string>& warnings) {
        QStringList list;
        for (const std::string& warning : warnings)
            list << engineText(warning);
        QMetaObject::invokeMethod(
            this,
            [this, generation, text = engineText(error), list] {
                playerEnded(generation, text, list);
            },
            Qt::QueuedConnection);
    };
    player_ = std::make_shared<Player>(std::move(source), slot_, std::move(observers));
    setSpeed(speed_);
    player_->playback().setLoop(loop_);
    applyMode();
}

void MediaEngine::retirePlayer() {
    if (!player_)
        return;
    if (was_recording_ || recording().active)
        retireRecording();
    player_->cancel();
    background_.dispose(std::move(player_));
    ++generation_;
}

/// The files are completed in the background, and the outcome is told even though the player is
/// gone.
void MediaEngine::retireRecording() {
    was_recording_ = false;
    recording_wanted_ = false;
    background_.run(
        this,
        [player = player_] {
            player->recorder().stop();
            return player->recorder().state();
        },
        [this, file = recording_file_](Outcome<Recorder::State>& state) {
            endRecording(file, state.value);
        });
    QMetaObject::invokeMethod(this, &MediaEngine::recordingChanged, Qt::QueuedConnection);
}

void MediaEngine::takePicture(int generation) {
    if (generation != generation_)
        return;
    if (PicturePtr newest = mailbox_->take()) {
        picture_ = std::move(newest);
        emit pictureReady(picture_);
    }
}

void MediaEngine::playerEnded(int generation, const QString& error, const QStringList& warnings) {
    if (generation != generation_)
        return;
    if (!warnings.isEmpty() && !remarked_)
        emit warned(warnings);
    if (!error.isEmpty())
        emit sourceLost(error);
}

void MediaEngine::loadModel(const ModelOptions& options) {
    const int ticket = ++model_ticket_;
    const QString path = fromStd(options.path);
    loading_model_ = true;
    emit modelLoading(path);
    background_.run(
        this, [options] { return load(options); },
        [=](Outcome<Loaded>& loaded) {
            if (ticket != model_ticket_) {
                background_.dispose(std::move(loaded.value.detector));
                return;
            }
            loading_model_ = false;
            if (!loaded.value.detector)
                emit modelFailed(path, loaded.error);
            else
                adopt(std::move(loaded.value.detector), std::move(loaded.value.facts));
        });
}

void MediaEngine::unloadModel() {
    ++model_ticket_;
    loading_model_ = false;
    adopt(nullptr, nullptr);
}

void MediaEngine::adopt(std::shared_ptr<ModelDetector> detector,
                        std::shared_ptr<const ModelFacts> facts) {
    if (recording().active)
        stopRecording(); // its files have the names of the classes of before
    background_.dispose(std::move(detector_));
    detector_ = std::move(detector);
    facts_ = std::move(facts);
    decode_options_.classes.clear();
    if (detector_)
        detector_->setOptions(decode_options_);
    slot_->set(detector_);
    if (player_)
        player_->refresh(Redo::Inference);
    emit modelChanged();
}

void MediaEngine::play() {
    if (player_)
        player_->playback().play();
    poll();
}

void MediaEngine::pause() {
    if (player_)
        player_->playback().pause();
    poll();
}

void MediaEngine::togglePlaying() {
    playback().playing ? pause() : play();
}

void MediaEngine::stop() {
    pause();
    seek(0);
}

void MediaEngine::seek(double time_ms) {
    if (player_)
        player_->playback().jumpTo(time_ms);
}

void MediaEngine::step(int frames) {
    if (player_ && frames > 0)
        player_->playback().stepForward();
    else if (player_)
        player_->playback().stepBack();
    poll();
}

void MediaEngine::setSpeed(double speed) {
    speed_ = speed;
    if (!player_)
        return;
    const SourceInfo info = sourceInfo();
    player_->playback().setSpeed(info.stills ? speed / info.fps : speed); // an image a second
}

void MediaEngine::setLoop(bool loop) {
    loop_ = loop;
    if (player_)
        player_->playback().setLoop(loop);
}

void MediaEngine::setEveryFrame(bool every_frame) {
    every_frame_ = every_frame;
    applyMode();
}

/// A recording gets every frame, whatever the window shows; of images in a row none is skipped.
void MediaEngine::applyMode() {
    if (!player_)
        return;
    const bool all = every_frame_ || recording_wanted_ || sourceInfo().stills;
    player_->setMode(all ? Mode::Synchronous : Mode::RealTime);
    if (sourceInfo().stills)
        player_->playback().setPaced(!every_frame_);
}

PlaybackSource::State MediaEngine::playback() const {
    return player_ ? player_->playback().state() : PlaybackSource::State();
}

bool MediaEngine::isCurrent(const Picture& picture) const {
    return player_ && picture.result.frame.jumps >= player_->playback().jumpsAsked();
}

void MediaEngine::setConfidence(double confidence) {
    decode_options_.confidence = static_cast<float>(confidence);
    applyDecodeOptions();
}

void MediaEngine::setClasses(const std::optional<std::vector<int>>& classes) {
    constexpr int no_class = -1; // an empty list means all
    decode_options_.classes = classes.value_or(std::vector<int>());
    if (classes && classes->empty())
        decode_options_.classes = {no_class};
    applyDecodeOptions();
}

void MediaEngine::applyDecodeOptions() {
    if (detector_)
        detector_->setOptions(decode_options_);
    if (player_)
        player_->refresh(Redo::Decoding);
}

void MediaEngine::startRecording(const Outputs& outputs) {
    if (!player_)
        return;
    const SinkContext context{sourceInfo(),
                              facts_ ? facts_->info.class_names : std::vector<std::string>()};
    const std::string input = request_.spec;
    recording_wanted_ = true;
    recording_file_ = firstFile(outputs);
    applyMode();
    background_.run(
        this,
        [player = player_, outputs, context, input, since = Recorder::Clock::now()] {
            checkOutputs(outputs, input);
            player->recorder().start(makeSinks(outputs, context), makeRenderer(context.class_names),
                                     since);
            return true;
        },
        [this, file = recording_file_](Outcome<bool>& started) {
            if (!started.error.isEmpty()) {
                recording_wanted_ = false;
                applyMode();
                emit recordingEnded(file, 0, started.error);
            } else if (recording_wanted_) {
                setRecording(true); // it may have ended since, before anybody looked
            }
            poll();
        });
}

void MediaEngine::stopRecording() {
    if (!player_)
        return;
    background_.run(
        this,
        [player = player_] {
            player->recorder().stop();
            return player->recorder().state();
        },
        [this](Outcome<Recorder::State>&) { poll(); });
}

Recorder::State MediaEngine::recording() const {
    return player_ ? player_->recorder().state() : Recorder::State();
}

void MediaEngine::saveSnapshot(const PicturePtr& picture, const QString& path, bool with_overlay) {
    background_.run(
        this,
        [picture, path, with_overlay] {
            writeImage(*picture, path.toStdString(), with_overlay);
            return true;
        },
        [this, path](Outcome<bool>& saved) {
            if (saved.error.isEmpty())
                emit snapshotSaved(path);
            else
                emit snapshotFailed(saved.error);
        });
}

Telemetry::Snapshot MediaEngine::telemetry() const {
    return telemetry_->snapshot(Telemetry::Clock::now());
}

RunCounts MediaEngine::counts() const {
    return player_ ? player_->counts() : RunCounts();
}

QString MediaEngine::trouble() const {
    return player_ ? fromStd(player_->playback().trouble()) : QString();
}

void MediaEngine::poll() {
    const PlaybackSource::State state = playback();
    if (state.playing != shown_state_.playing || state.ended != shown_state_.ended) {
        shown_state_ = state;
        emit playbackChanged();
    }
    pollRecording();
    pollRemarks();
    if (trouble() != shown_trouble_) {
        shown_trouble_ = trouble();
        emit troubleChanged(shown_trouble_);
    }
}

void MediaEngine::pollRecording() {
    const Recorder::State recorder = recording();
    if (recorder.active == was_recording_)
        return;
    setRecording(recorder.active);
    if (!recorder.active)
        endRecording(recording_file_, recorder);
}

void MediaEngine::setRecording(bool active) {
    if (active == was_recording_)
        return;
    was_recording_ = active;
    recording_wanted_ = active;
    applyMode();
    emit recordingChanged();
}

void MediaEngine::endRecording(const QString& file, const Recorder::State& state) {
    emit recordingEnded(file, int(state.frames), engineText(state.error));
}

void MediaEngine::pollRemarks() {
    if (!player_ || remarked_)
        return;
    QStringList remarks;
    for (const std::string& remark : player_->playback().remarksAtEnd())
        remarks << engineText(remark);
    remarked_ = !remarks.isEmpty();
    if (remarked_)
        emit warned(remarks);
}

} // namespace vigil::ui
