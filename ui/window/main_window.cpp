#include "main_window.hpp"

#include "detect/default_model.hpp"
#include "engine/text.hpp"
#include "icons.hpp"
#include "panels/model_panel.hpp"
#include "panels/objects_panel.hpp"
#include "panels/performance_panel.hpp"
#include "start_page.hpp"
#include "view/message_bar.hpp"
#include "view/transport_bar.hpp"
#include "view/video_view.hpp"

#include <QAction>
#include <QCloseEvent>
#include <QDesktopServices>
#include <QDockWidget>
#include <QFileInfo>
#include <QLabel>
#include <QMenuBar>
#include <QProgressBar>
#include <QPushButton>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QToolBar>
#include <QToolButton>
#include <QUrl>
#include <QVBoxLayout>
#include <algorithm>

namespace vigil::ui {
namespace {

constexpr int panel_interval_ms = 250;
constexpr int stall_ms = 3000;
constexpr int panel_width = 300;
constexpr int layout_version = 1;
constexpr int most_remarks = 3; ///< to list of a source

// Topics of messages.
const QString about_source = QStringLiteral("source");
const QString about_model = QStringLiteral("model");
const QString about_recording = QStringLiteral("recording");
const QString about_export = QStringLiteral("export");
const QString about_snapshot = QStringLiteral("snapshot");
const QString about_nothing_to_do = QStringLiteral("no model");

} // namespace

MainWindow::MainWindow(Theme& theme, QWidget* parent)
    : QMainWindow(parent), theme_(theme), preferences_(Preferences::load()) {
    theme_.choose(preferences_.theme);
    setWindowTitle(QStringLiteral("Vigil"));
    setWindowIcon(QIcon(QStringLiteral(":/icons/vigil.svg")));
    setAcceptDrops(true);
    // Not AnimatedDocks: Qt 6.4 may crash when a layout is restored while a panel moves.
    setDockOptions(AllowTabbedDocks | AllowNestedDocks);
    makeCentre();
    makeDocks();
    makeFileActions();
    makePlaybackActions();
    makeViewActions();
    makeHelpActions();
    makeMenus();
    makeToolBar();
    makeStatusBar();
    connectEngine();
    connectExporter();
    connectControls();
    usual_layout_ = saveState(layout_version);
    restoreLayout();
    applyPreferences(preferences_);
    objects_->setConfidence(preferences_.confidence);
    start_->setRecent(recent_sources_.items());
    start_->setDemo(!defaultModel().empty() && !demoClip().empty());
    connect(&panel_timer_, &QTimer::timeout, this, &MainWindow::updateLive);
    panel_timer_.start(panel_interval_ms);
    background_.run(
        this, [] { return probeCuda(); },
        [this](Outcome<CudaProbe>& probe) { model_->setCuda(probe.value); });
    showStart();
    showModel();
}

MainWindow::~MainWindow() = default;

void MainWindow::makeCentre() {
    start_ = new StartPage(this);
    start_->setObjectName(QStringLiteral("startPage"));
    view_ = new VideoView(this);
    view_->setObjectName(QStringLiteral("view"));
    transport_ = new TransportBar(this);
    messages_ = new MessageBar(this);
    player_page_ = new QWidget(this);
    auto* player = new QVBoxLayout(player_page_);
    player->setContentsMargins(0, 0, 0, 0);
    player->setSpacing(0);
    player->addWidget(view_, 1);
    player->addWidget(transport_);
    pages_ = new QStackedWidget(this);
    pages_->addWidget(start_);
    pages_->addWidget(player_page_);
    auto* centre = new QWidget(this);
    auto* column = new QVBoxLayout(centre);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(messages_);
    column->addWidget(pages_, 1);
    setCentralWidget(centre);
}

void MainWindow::makeDocks() {
    const auto add = [this](const QString& name, const QString& title, QWidget* content) {
        auto* dock = new QDockWidget(title, this);
        dock->setObjectName(name);
        dock->setWidget(content);
        content->setMinimumWidth(std::max(panel_width - 40, content->minimumSizeHint().width()));
        addDockWidget(Qt::RightDockWidgetArea, dock);
        docks_ << dock;
        return dock;
    };
    objects_ = new ObjectsPanel(this);
    model_ = new ModelPanel(this);
    performance_ = new PerformancePanel(this);
    QDockWidget* objects = add("objectsDock", tr("Objects"), objects_);
    QDockWidget* model = add("modelDock", tr("Model"), model_);
    QDockWidget* performance = add("performanceDock", tr("Performance"), performance_);
    tabifyDockWidget(objects, model);
    tabifyDockWidget(objects, performance);
    setTabPosition(Qt::RightDockWidgetArea, QTabWidget::North);
    objects->raise();
    resizeDocks({objects}, {panel_width}, Qt::Horizontal);
}

void MainWindow::makeStatusBar() {
    status_model_ = new QLabel(this);
    status_zoom_ = new QLabel(this);
    status_speed_ = new QLabel(this);
    status_recording_ = new QLabel(this);
    status_recording_->setObjectName(QStringLiteral("recordingState"));
    export_box_ = new QWidget(this);
    export_progress_ = new QProgressBar(export_box_);
    export_progress_->setMaximumWidth(160);
    auto* cancel = new QToolButton(export_box_);
    cancel->setIcon(icon(QStringLiteral("close")));
    cancel->setToolTip(tr("Cancel the export; what was written stays"));
    cancel->setAccessibleName(cancel->toolTip());
    connect(cancel, &QToolButton::clicked, this, [this] { exporter_.cancel(); });
    auto* row = new QHBoxLayout(export_box_);
    row->setContentsMargins(0, 0, 0, 0);
    row->addWidget(new QLabel(tr("Exporting"), export_box_));
    row->addWidget(export_progress_);
    row->addWidget(cancel);
    export_box_->hide();
    status_model_->setContentsMargins(8, 0, 0, 0);
    statusBar()->setContentsMargins(0, 0, 8, 0);
    statusBar()->addWidget(status_model_, 1);
    for (QWidget* widget : std::initializer_list<QWidget*>{status_recording_, export_box_,
                                                           status_speed_, status_zoom_})
        statusBar()->addPermanentWidget(widget);
    statusBar()->setSizeGripEnabled(false);
}

void MainWindow::connectEngine() {
    connect(&engine_, &MediaEngine::sourceOpening, this, [this](const QString& name) {
        statusBar()->showMessage(tr("Opening %1 …").arg(sourceLabel(name)));
    });
    connect(&engine_, &MediaEngine::sourceOpened, this, &MainWindow::showSource);
    connect(&engine_, &MediaEngine::sourceFailed, this,
            [this](const QString& name, const QString& error) {
                statusBar()->clearMessage();
                if (!isAddress(name) && !QFileInfo::exists(name))
                    recent_sources_.remove(name); // a stream may come back
                updateRecentMenus();
                start_->setRecent(recent_sources_.items());
                Message message{Message::Kind::Error,
                                about_source,
                                tr("%1 could not be opened").arg(sourceLabel(name)),
                                error,
                                {}};
                if (isAddress(name)) { // its server may come up
                    message.action = tr("Open it again");
                    message.work = [this, name] { openPath(name); };
                }
                messages_->show(message);
            });
    connect(&engine_, &MediaEngine::sourceLost, this, [this](const QString& error) {
        lost_ = tr("The source is lost");
        messages_->show({Message::Kind::Error, about_source, lost_, error, tr("Open it again"),
                         [this] { openRequest(engine_.request()); }});
        updateLive();
    });
    connect(&engine_, &MediaEngine::warned, this, [this](const QStringList& remarks) {
        QStringList list = remarks.mid(0, most_remarks);
        if (const auto more = int(remarks.size() - list.size()); more > 0)
            list << tr("and %n more", nullptr, more);
        messages_->show({Message::Kind::Warning,
                         about_source,
                         tr("The source is damaged or incomplete"),
                         list.join(QLatin1Char('\n')),
                         {}});
    });
    connect(&engine_, &MediaEngine::sourceClosed, this, &MainWindow::showStart);
    connect(&engine_, &MediaEngine::pictureReady, this, &MainWindow::showPicture);
    connect(&engine_, &MediaEngine::playbackChanged, this,
            [this] { transport_->setState(engine_.playback()); });
    connect(&engine_, &MediaEngine::troubleChanged, this, [this](const QString& trouble) {
        trouble_ = trouble;
        updateLive();
    });
    connect(&engine_, &MediaEngine::modelLoading, this, [this](const QString& path) {
        model_->setLoading(path);
        status_model_->setText(tr("Loading %1 …").arg(QFileInfo(path).fileName()));
    });
    connect(&engine_, &MediaEngine::modelChanged, this, &MainWindow::showModel);
    connect(&engine_, &MediaEngine::modelFailed, this,
            [this](const QString& path, const QString& error) {
                showModel();
                if (!QFileInfo::exists(path))
                    recent_models_.remove(path);
                updateRecentMenus();
                showError(about_model,
                          tr("The model %1 could not be loaded").arg(QFileInfo(path).fileName()),
                          error);
            });
    connect(&engine_, &MediaEngine::recordingChanged, this, [this] {
        if (engine_.recording().active)
            messages_->dismiss(about_recording);
        updateRecording();
    });
    connect(&engine_, &MediaEngine::recordingEnded, this,
            [this](const QString& file, int frames, const QString& error) {
                if (!error.isEmpty())
                    showError(about_recording, tr("The recording failed"), error);
                else if (frames == 0)
                    messages_->show({Message::Kind::Warning,
                                     about_recording,
                                     tr("Nothing was recorded"),
                                     tr("No frame was played meanwhile: %1 holds none.").arg(file),
                                     {}});
                else
                    showWritten(about_recording, tr("The recording is complete"), file,
                                tr("%n frame(s) in %1", nullptr, frames).arg(file));
            });
    connect(&engine_, &MediaEngine::snapshotSaved, this, [this](const QString& path) {
        showWritten(about_snapshot, tr("The snapshot was saved"), path, path);
    });
    connect(&engine_, &MediaEngine::snapshotFailed, this, [this](const QString& error) {
        showError(about_snapshot, tr("The snapshot could not be saved"), error);
    });
}

void MainWindow::connectExporter() {
    const auto end = [this] {
        export_box_->hide();
        updateActions();
    };
    connect(&exporter_, &Exporter::started, this, [this] {
        messages_->dismiss(about_export);
        export_progress_->setRange(0, 0);
        export_box_->show();
        updateActions();
    });
    connect(&exporter_, &Exporter::progressed, this, [this](qint64 done, qint64 total) {
        export_progress_->setRange(0, int(std::max<qint64>(total, 0)));
        export_progress_->setValue(int(std::min(done, std::max<qint64>(total, 0))));
    });
    connect(
        &exporter_, &Exporter::finished, this,
        [this, end](const QString& file, int frames, double seconds, bool cancelled) {
            end();
            showWritten(
                about_export,
                cancelled ? tr("The export was cancelled") : tr("The export is complete"), file,
                tr("%n frame(s) in %1 s: %2", nullptr, frames).arg(seconds, 0, 'f', 1).arg(file));
        });
    connect(&exporter_, &Exporter::failed, this, [this, end](const QString& error) {
        end();
        showError(about_export, tr("The export failed"), error);
    });
}

void MainWindow::showError(const QString& topic, const QString& title, const QString& error) {
    messages_->show({Message::Kind::Error, topic, title, error, {}});
}

void MainWindow::showWritten(const QString& topic, const QString& title, const QString& file,
                             const QString& details) {
    const QUrl folder = QUrl::fromLocalFile(QFileInfo(file).absolutePath());
    messages_->show({Message::Kind::Info, topic, title, details, tr("Show the folder"),
                     [folder] { QDesktopServices::openUrl(folder); }, topic != about_snapshot});
}

void MainWindow::connectControls() {
    connect(start_, &StartPage::videoWanted, this, &MainWindow::chooseVideo);
    connect(start_, &StartPage::cameraWanted, this, &MainWindow::chooseCamera);
    connect(start_, &StartPage::streamWanted, this, &MainWindow::chooseStream);
    connect(start_, &StartPage::imagesWanted, this, &MainWindow::chooseImages);
    connect(start_, &StartPage::modelWanted, this, &MainWindow::chooseModel);
    connect(start_, &StartPage::demoWanted, this, &MainWindow::openDemo);
    connect(start_, &StartPage::recentWanted, this, &MainWindow::openPath);
    connect(transport_, &TransportBar::playToggled, &engine_, &MediaEngine::togglePlaying);
    connect(transport_, &TransportBar::stopped, &engine_, &MediaEngine::stop);
    connect(transport_, &TransportBar::stepped, &engine_, &MediaEngine::step);
    connect(transport_, &TransportBar::jumped, &engine_, &MediaEngine::seek);
    connect(transport_, &TransportBar::speedChosen, &engine_, &MediaEngine::setSpeed);
    connect(transport_, &TransportBar::loopChosen, action("loop"), &QAction::trigger);
    connect(transport_, &TransportBar::everyFrameChosen, action("everyFrame"), &QAction::trigger);
    connect(view_, &VideoView::zoomChanged, this, [this](double zoom) {
        status_zoom_->setText(zoom > 1 ? tr("zoom %1%").arg(qRound(100 * zoom)) : QString());
    });
    connect(view_, &VideoView::roomChanged, &engine_, &MediaEngine::setRoom);
    connect(view_, &VideoView::doubleClicked, action("fullScreen"), &QAction::trigger);
    connect(objects_, &ObjectsPanel::confidenceChanged, this, [this](double confidence) {
        preferences_.confidence = confidence;
        engine_.setConfidence(confidence);
    });
    connect(objects_, &ObjectsPanel::classesChanged, &engine_, &MediaEngine::setClasses);
    connect(model_, &ModelPanel::loadWanted, this, &MainWindow::chooseModel);
    connect(model_, &ModelPanel::choiceChanged, this,
            [this](const QString& backend, const QString& precision, const QString& engine) {
                preferences_.backend = backend;
                preferences_.precision = precision;
                preferences_.engine = engine;
                reloadModel();
            });
}

void MainWindow::restoreLayout() {
    const QSettings settings;
    if (!restoreGeometry(settings.value("window/geometry").toByteArray()))
        resize(1180, 680);
    restoreState(settings.value("window/layout").toByteArray(), layout_version);
}

void MainWindow::resetLayout() {
    for (QDockWidget* dock : docks_)
        dock->setFloating(false); // Qt 6.4 may crash where restoreState() has to do this
    restoreState(usual_layout_, layout_version);
    for (QDockWidget* dock : docks_)
        dock->show();
    docks_.front()->raise();
    resizeDocks({docks_.front()}, {panel_width}, Qt::Horizontal);
}

void MainWindow::setFullScreen(bool full) {
    if (full == isFullScreen() || (full && pages_->currentWidget() != player_page_)) {
        action("fullScreen")->setChecked(isFullScreen());
        return;
    }
    if (full) {
        was_maximized_ = isMaximized();
        docks_before_full_screen_.clear();
        for (QDockWidget* dock : docks_)
            if (dock->toggleViewAction()->isChecked())
                docks_before_full_screen_.push_back(dock);
    }
    for (QDockWidget* dock : docks_before_full_screen_)
        dock->setVisible(!full);
    for (QWidget* bar : {static_cast<QWidget*>(menuBar()), static_cast<QWidget*>(statusBar()),
                         findChild<QWidget*>(QStringLiteral("tools"))})
        bar->setVisible(!full);
    if (full) {
        showFullScreen();
    } else {
        was_maximized_ ? showMaximized() : showNormal();
    }
    action("fullScreen")->setChecked(full);
}

void MainWindow::openPath(const QString& path) {
    SourceRequest request;
    request.spec = path.toStdString();
    openRequest(request);
}

void MainWindow::openRequest(const SourceRequest& request) {
    engine_.open(request);
}

void MainWindow::loadModel(const QString& path) {
    ModelOptions options;
    options.path = path.toStdString();
    options.backend = preferences_.backend.toStdString();
    options.precision = preferences_.precision.toStdString();
    options.engine = preferences_.engine.toStdString();
    engine_.loadModel(options);
}

void MainWindow::loadUsualModel() {
    const QString last = preferences_.model;
    const QString model =
        !last.isEmpty() && QFileInfo::exists(last) ? last : fromStd(defaultModel());
    if (!model.isEmpty())
        loadModel(model);
}

void MainWindow::reloadModel() {
    if (engine_.model())
        loadModel(fromStd(engine_.model()->options.path));
}

void MainWindow::showSource() {
    statusBar()->clearMessage();
    lost_.clear();
    trouble_.clear();
    messages_->dismiss(about_source);
    last_picture_.start();
    noteOpened(engine_.request());
    const SourceInfo info = engine_.sourceInfo();
    setWindowTitle(QStringLiteral("%1 – Vigil").arg(sourceLabel(fromStd(info.name))));
    view_->clear();
    transport_->setSource(info);
    transport_->setState(engine_.playback());
    pages_->setCurrentWidget(player_page_);
    view_->setFocus();
    updateActions();
    updateLive();
    if (!engine_.model() && !engine_.loadingModel())
        messages_->show({Message::Kind::Info, about_nothing_to_do, tr("No model is loaded"),
                         tr("The video plays, but nothing is looked for."), tr("Load model…"),
                         [this] { chooseModel(); }});
}

void MainWindow::noteOpened(const SourceRequest& request) {
    const QString spec = fromStd(request.spec);
    recent_sources_.add(QFileInfo::exists(spec) ? QFileInfo(spec).absoluteFilePath() : spec);
    updateRecentMenus();
    start_->setRecent(recent_sources_.items());
}

void MainWindow::showStart() {
    setFullScreen(false);
    setWindowTitle(QStringLiteral("Vigil"));
    lost_.clear();
    messages_->dismiss(about_source);
    view_->clear();
    transport_->setNoSource();
    pages_->setCurrentWidget(start_);
    start_->setFocus();
    updateActions();
    updateLive();
}

void MainWindow::showPicture(const PicturePtr& picture) {
    last_picture_.restart();
    if (const std::string& name = picture->result.frame.name; !name.empty())
        setWindowTitle(QStringLiteral("%1 – %2 – Vigil")
                           .arg(fromStd(name), sourceLabel(fromStd(engine_.sourceInfo().name))));
    const bool current = engine_.isCurrent(*picture);
    const auto age = Telemetry::Clock::now() - picture->result.captured_at;
    const double latency_ms = std::chrono::duration<double, std::milli>(age).count();
    view_->show(picture);
    transport_->setPlace(*picture, latency_ms, current);
}

void MainWindow::showModel() {
    const std::shared_ptr<const ModelFacts> facts = engine_.model();
    model_->setModel(facts);
    model_->setChoice(preferences_.backend, preferences_.precision, preferences_.engine);
    std::vector<std::string> names;
    if (facts) {
        names = facts->info.class_names;
        for (int i = int(names.size()); i < facts->info.num_classes; ++i)
            names.push_back(classLabel(names, i).toStdString());
        const QString path = fromStd(facts->options.path);
        preferences_.model = QFileInfo(path).absoluteFilePath();
        recent_models_.add(preferences_.model);
        updateRecentMenus();
        const QString file = QFileInfo(path).fileName();
        status_model_->setText(
            tr("%1 on %2").arg(file, facts->backend.name == "cuda" ? tr("CUDA") : tr("CPU")));
        start_->setModelText(tr("Model: %1").arg(file));
        messages_->dismiss(about_model);
        messages_->dismiss(about_nothing_to_do);
    } else {
        status_model_->setText(tr("No model"));
        start_->setModelText({});
    }
    objects_->setClasses(names);
    updateActions();
}

/// What changes all the time: figures, charts, and what is wrong with the source.
void MainWindow::updateLive() {
    const Telemetry::Snapshot snapshot = engine_.telemetry();
    const std::vector<std::string> names =
        engine_.model() ? engine_.model()->info.class_names : std::vector<std::string>();
    const SourceInfo info = engine_.sourceInfo();
    if (engine_.hasSource())
        objects_->setCounts(snapshot.objects);
    else
        objects_->setNoPicture();
    if (performance_->isVisible())
        performance_->update(snapshot, engine_.counts(), names, info.live);
    status_speed_->setText(speedText(snapshot.fps));
    QString notice = lost_;
    const bool silent = engine_.hasSource() && info.live && engine_.playback().playing &&
                        last_picture_.elapsed() > stall_ms;
    if (notice.isEmpty() && !trouble_.isEmpty())
        notice = tr("No picture: the source is being opened again");
    else if (notice.isEmpty() && silent)
        notice = tr("No picture for %n s", nullptr, int(last_picture_.elapsed() / 1000));
    if (notice != view_->notice())
        view_->setNotice(notice);
    transport_->setSilent(!notice.isEmpty());
    if (engine_.recording().active)
        updateRecording();
}

QString MainWindow::speedText(double fps) const {
    if (!engine_.hasSource())
        return {};
    const PlaybackSource::State state = engine_.playback();
    if (state.playing)
        return tr("%1 fps").arg(fps, 0, 'f', 1);
    return state.ended ? tr("at the end") : tr("paused");
}

void MainWindow::updateRecording() {
    const Recorder::State state = engine_.recording();
    action("record")->setIcon(state.active ? icon(QStringLiteral("record"), QColor(0xd64545))
                                           : icon(QStringLiteral("record")));
    action("record")->setText(state.active ? tr("Stop &recording") : tr("&Record…"));
    action("record")->setIconText(state.active ? tr("Stop") : tr("Record"));
    status_recording_->setText(state.active
                                   ? QStringLiteral("<span style=\"color:#d64545\">●</span> ") +
                                         tr("recording, %n frame(s)", nullptr, int(state.frames))
                                   : QString());
}

void MainWindow::setOverlayStyle(const OverlayStyle& style) {
    preferences_.overlay = style;
    applyPreferences(preferences_);
}

void MainWindow::changeOverlay(const std::function<void(OverlayStyle&)>& change) {
    OverlayStyle style = preferences_.overlay;
    change(style);
    setOverlayStyle(style);
}

void MainWindow::applyPreferences(const Preferences& preferences) {
    preferences_ = preferences;
    theme_.choose(preferences.theme);
    view_->setOverlayStyle(preferences.overlay);
    action("boxes")->setChecked(preferences.overlay.boxes);
    action("labels")->setChecked(preferences.overlay.labels);
    action("scores")->setChecked(preferences.overlay.scores);
    action("scores")->setEnabled(preferences.overlay.labels); // which tell them
    action("info")->setChecked(preferences.overlay.info);
    action("loop")->setChecked(preferences.loop);
    action("everyFrame")->setChecked(preferences.every_frame);
    transport_->setLoop(preferences.loop);
    transport_->setEveryFrame(preferences.every_frame);
    engine_.setLoop(preferences.loop);
    engine_.setEveryFrame(preferences.every_frame);
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::WindowStateChange && actions_.contains("fullScreen"))
        action("fullScreen")->setChecked(isFullScreen());
}

/// Panels that were torn off last time were shown before this window and lie below it.
void MainWindow::showEvent(QShowEvent* event) {
    QMainWindow::showEvent(event);
    for (QDockWidget* dock : docks_)
        if (dock->isFloating())
            QTimer::singleShot(0, dock, &QWidget::raise);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    setFullScreen(false);
    preferences_.save();
    QSettings settings;
    settings.setValue("window/geometry", saveGeometry());
    settings.setValue("window/layout", saveState(layout_version));
    event->accept();
}

} // namespace vigil::ui
