// The actions of the window, with their menus, tool bar and shortcuts.

#include "detect/backend.hpp"
#include "dialogs/info_dialogs.hpp"
#include "dialogs/settings_dialog.hpp"
#include "engine/text.hpp"
#include "icons.hpp"
#include "key_text.hpp"
#include "main_window.hpp"
#include "view/transport_bar.hpp"
#include "view/video_view.hpp"

#include <QAction>
#include <QDockWidget>
#include <QMenu>
#include <QMenuBar>
#include <QPointer>
#include <QToolBar>
#include <QToolButton>

namespace vigil::ui {
namespace {

constexpr double short_jump_ms = 5000;
constexpr int tool_icon_side = 20;

} // namespace

QAction* MainWindow::addAction(const QString& name, const QString& text, const QString& icon_name,
                               const QKeySequence& keys, Slot slot) {
    auto* made = new QAction(text, this);
    made->setObjectName(name);
    made->setShortcut(keys);
    if (!icon_name.isEmpty())
        made->setIcon(icon(icon_name));
    if (!keys.isEmpty())
        made->setToolTip(QStringLiteral("%1 (%2)").arg(withoutMnemonic(text), keyText(keys)));
    connect(made, &QAction::triggered, this, [slot = std::move(slot)] { slot(); });
    QMainWindow::addAction(made); // shortcuts work while the menus are hidden, too
    actions_.insert(name, made);
    return made;
}

QAction* MainWindow::addSwitch(const QString& name, const QString& text, const QString& icon_name,
                               const QKeySequence& keys, std::function<void(bool)> slot) {
    QAction* made = addAction(name, text, icon_name, keys, [] {});
    made->setCheckable(true);
    connect(made, &QAction::triggered, this, slot);
    return made;
}

void MainWindow::makeFileActions() {
    addAction("openVideo", tr("Open &video…"), "video", QKeySequence::Open,
              [this] { chooseVideo(); });
    addAction("openImages", tr("Open &images…"), "images", QKeySequence(QStringLiteral("Ctrl+I")),
              [this] { chooseImages(); });
    addAction("openCamera", tr("Open &camera…"), "camera", QKeySequence(QStringLiteral("Ctrl+K")),
              [this] { chooseCamera(); });
    addAction("openStream", tr("Open &stream…"), "stream", QKeySequence(QStringLiteral("Ctrl+U")),
              [this] { chooseStream(); });
    addAction("openDemo", tr("Open the &demo"), "demo", {}, [this] { openDemo(); });
    addAction("close", tr("Close"), "close", QKeySequence::Close, [this] { engine_.close(); });
    addAction("loadModel", tr("Load &model…"), "model", QKeySequence(QStringLiteral("Ctrl+M")),
              [this] { chooseModel(); });
    addAction("unloadModel", tr("Unload model"), {}, {}, [this] {
        preferences_.model.clear();
        engine_.unloadModel();
    });
    addAction("snapshot", tr("Save snapshot"), "snapshot", QKeySequence::Save,
              [this] { snapshot(true); });
    addAction("cleanSnapshot", tr("Save snapshot without boxes"), {},
              QKeySequence(QStringLiteral("Ctrl+Shift+S")), [this] { snapshot(false); });
    addAction("record", tr("&Record…"), "record", QKeySequence(QStringLiteral("Ctrl+R")),
              [this] { toggleRecording(); });
    addAction("export", tr("&Export…"), "export", QKeySequence(QStringLiteral("Ctrl+E")),
              [this] { startExport(); });
    addAction("settings", tr("Se&ttings…"), "settings", QKeySequence(QStringLiteral("Ctrl+,")),
              [this] {
                  auto* dialog = new SettingsDialog(preferences_, this);
                  dialog->setAttribute(Qt::WA_DeleteOnClose);
                  connect(dialog, &SettingsDialog::changed, this, [this, dialog] {
                      Preferences preferences = preferences_;
                      dialog->apply(preferences);
                      applyPreferences(preferences);
                  });
                  dialog->open();
              });
    addAction("quit", tr("&Quit"), {}, QKeySequence::Quit, [this] { QMainWindow::close(); });
}

void MainWindow::makePlaybackActions() {
    const auto jump = [this](double by_ms) {
        if (const PicturePtr picture = engine_.picture())
            engine_.seek(std::max(0.0, picture->result.frame.time_ms + by_ms));
    };
    addAction("play", tr("&Play or pause"), "play", QKeySequence(Qt::Key_Space),
              [this] { engine_.togglePlaying(); });
    addAction("stop", tr("&Stop"), "stop", {}, [this] { engine_.stop(); });
    addAction("stepBack", tr("One frame &back"), "step-back", QKeySequence(Qt::Key_Comma),
              [this] { engine_.step(-1); });
    addAction("stepForward", tr("One frame &forward"), "step-forward", QKeySequence(Qt::Key_Period),
              [this] { engine_.step(1); });
    addAction("jumpBack", tr("Five seconds back"), {}, QKeySequence(QStringLiteral("Ctrl+Left")),
              [jump] { jump(-short_jump_ms); });
    addAction("jumpForward", tr("Five seconds forward"), {},
              QKeySequence(QStringLiteral("Ctrl+Right")), [jump] { jump(short_jump_ms); });
    addAction("toStart", tr("To the start"), {}, QKeySequence(QStringLiteral("Ctrl+Home")),
              [this] { engine_.seek(0); });
    addSwitch("loop", tr("Start again at the end"), "loop", QKeySequence(QStringLiteral("Ctrl+L")),
              [this](bool on) {
                  preferences_.loop = on;
                  applyPreferences(preferences_);
              });
    addSwitch("everyFrame", tr("Show every frame"), "every-frame",
              QKeySequence(QStringLiteral("Ctrl+Y")), [this](bool on) {
                  preferences_.every_frame = on;
                  applyPreferences(preferences_);
              });
    QHash<QString, QString> keys;
    for (const char* name : {"play", "stop", "stepBack", "stepForward", "loop", "everyFrame"})
        keys[name] = keyText(action(name)->shortcut());
    transport_->setKeys(keys);
}

void MainWindow::makeViewActions() {
    addSwitch("boxes", tr("&Boxes"), {}, QKeySequence(Qt::Key_B),
              [this](bool on) { changeOverlay([on](OverlayStyle& style) { style.boxes = on; }); });
    addSwitch("labels", tr("&Labels"), {}, QKeySequence(Qt::Key_L),
              [this](bool on) { changeOverlay([on](OverlayStyle& style) { style.labels = on; }); });
    addSwitch("scores", tr("&Scores"), {}, QKeySequence(Qt::Key_S),
              [this](bool on) { changeOverlay([on](OverlayStyle& style) { style.scores = on; }); });
    addSwitch("info", tr("Frame &number and time"), {}, QKeySequence(Qt::Key_I),
              [this](bool on) { changeOverlay([on](OverlayStyle& style) { style.info = on; }); });
    addAction("zoomIn", tr("Zoom in"), {}, QKeySequence(Qt::Key_Plus),
              [this] { view_->setZoom(view_->zoom() * 1.5); });
    addAction("zoomOut", tr("Zoom out"), {}, QKeySequence(Qt::Key_Minus),
              [this] { view_->setZoom(view_->zoom() / 1.5); });
    addAction("fit", tr("Fit into the window"), "fit", QKeySequence(Qt::Key_0),
              [this] { view_->resetZoom(); });
    addSwitch("fullScreen", tr("&Full screen"), "fullscreen", QKeySequence(Qt::Key_F11),
              [this](bool on) { setFullScreen(on); });
    addAction("leaveFullScreen", tr("Leave full screen"), {}, QKeySequence(Qt::Key_Escape),
              [this] { setFullScreen(false); });
    addAction("resetLayout", tr("&Reset the panels"), {}, {}, [this] { resetLayout(); });
}

void MainWindow::makeHelpActions() {
    addAction("shortcuts", tr("&Keyboard and mouse"), "help", QKeySequence(Qt::Key_F1),
              [this] { showShortcuts(); });
    addAction("about", tr("&About Vigil"), "info", {}, [this] { showAbout(); });
}

void MainWindow::addToMenu(QMenu* menu, const QStringList& names) {
    for (const QString& name : names)
        name.isEmpty() ? menu->addSeparator() : (menu->addAction(action(name)), nullptr);
}

void MainWindow::makeMenus() {
    QMenu* file = menuBar()->addMenu(tr("&File"));
    addToMenu(file, {"openVideo", "openImages", "openCamera", "openStream", "openDemo"});
    recent_sources_menu_ = file->addMenu(tr("Open &recent"));
    addToMenu(file, {"close", "", "loadModel"});
    recent_models_menu_ = file->addMenu(tr("Recent m&odels"));
    addToMenu(file, {"unloadModel", "", "snapshot", "cleanSnapshot", "record", "export", "",
                     "settings", "", "quit"});
    QMenu* playback = menuBar()->addMenu(tr("&Playback"));
    addToMenu(playback, {"play", "stop", "", "stepBack", "stepForward", "jumpBack", "jumpForward",
                         "toStart", "", "loop", "everyFrame"});
    QMenu* view = menuBar()->addMenu(tr("&View"));
    addToMenu(view, {"boxes", "labels", "scores", "info", "", "zoomIn", "zoomOut", "fit",
                     "fullScreen", ""});
    for (QDockWidget* dock : docks_)
        view->addAction(dock->toggleViewAction());
    addToMenu(view, {"resetLayout"});
    addToMenu(menuBar()->addMenu(tr("&Help")), {"shortcuts", "about"});
    updateRecentMenus();
}

void MainWindow::makeToolBar() {
    QToolBar* bar = addToolBar(tr("Tools"));
    bar->setObjectName(QStringLiteral("tools"));
    bar->setMovable(false);
    bar->setIconSize({tool_icon_side, tool_icon_side});
    bar->setContextMenuPolicy(Qt::PreventContextMenu);
    const auto add = [&](const QString& name, const QString& text) {
        bar->addAction(action(name));
        auto* button = qobject_cast<QToolButton*>(bar->widgetForAction(action(name)));
        action(name)->setIconText(text);
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setAccessibleName(text);
    };
    add("openVideo", tr("Video"));
    add("openCamera", tr("Camera"));
    add("openStream", tr("Stream"));
    add("openImages", tr("Images"));
    bar->addSeparator();
    add("loadModel", tr("Model"));
    bar->addSeparator();
    add("snapshot", tr("Snapshot"));
    add("record", tr("Record"));
    add("export", tr("Export"));
    auto* space = new QWidget(bar);
    space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    bar->addWidget(space);
    for (const char* name : {"fit", "fullScreen", "settings", "shortcuts"})
        bar->addAction(action(name));
    bar->setMinimumWidth(bar->sizeHint().width()); // no narrower window hides some of them
}

void MainWindow::updateRecentMenus() {
    const auto fill = [this](QMenu* menu, RecentItems& recent, auto open) {
        menu->clear();
        for (const QString& item : recent.items()) {
            QAction* entry = menu->addAction(sourceLabel(item), this, [=] { open(item); });
            entry->setToolTip(withoutPassword(item));
        }
        if (!recent.items().isEmpty()) {
            menu->addSeparator();
            menu->addAction(tr("Forget these"), this, [this, &recent] {
                recent.clear();
                updateRecentMenus();
            });
        }
        menu->setToolTipsVisible(true);
        menu->setEnabled(!recent.items().isEmpty());
    };
    fill(recent_sources_menu_, recent_sources_, [this](const QString& item) { openPath(item); });
    fill(recent_models_menu_, recent_models_, [this](const QString& item) { loadModel(item); });
}

void MainWindow::updateActions() {
    const bool has_source = engine_.hasSource();
    const SourceInfo info = engine_.sourceInfo();
    const bool recording = has_source && !info.live;
    for (const char* name : {"close", "play", "snapshot", "cleanSnapshot", "record", "zoomIn",
                             "zoomOut", "fit", "fullScreen"})
        action(name)->setEnabled(has_source);
    for (const char* name : {"stop", "stepBack", "jumpBack", "jumpForward", "toStart", "loop"})
        action(name)->setEnabled(recording && info.seekable);
    action("stepForward")->setEnabled(recording);
    action("everyFrame")->setEnabled(recording);
    action("export")->setEnabled(recording && engine_.model() && !exporter_.active());
    action("unloadModel")->setEnabled(engine_.model() != nullptr);
}

void MainWindow::showShortcuts() {
    const auto pick = [this](const QStringList& names) {
        QList<QAction*> picked;
        for (const QString& name : names)
            picked << action(name);
        return picked;
    };
    auto* sheet = new ShortcutSheet(
        {{tr("Files"),
          pick({"openVideo", "openImages", "openCamera", "openStream", "close", "loadModel",
                "snapshot", "cleanSnapshot", "record", "export", "settings", "quit"})},
         {tr("Playback"), pick({"play", "stepBack", "stepForward", "jumpBack", "jumpForward",
                                "toStart", "loop", "everyFrame"})},
         {tr("View"), pick({"boxes", "labels", "scores", "info", "zoomIn", "zoomOut", "fit",
                            "fullScreen", "leaveFullScreen", "shortcuts"})}},
        this);
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->open();
}

void MainWindow::showAbout() {
    auto* about = new AboutDialog(this);
    about->setAttribute(Qt::WA_DeleteOnClose);
    about->open();
    background_.run(
        this, [] { return probeCuda(); },
        [about = QPointer<AboutDialog>(about)](Outcome<CudaProbe>& probe) {
            if (about)
                about->setCuda(probe.value);
        });
}

} // namespace vigil::ui
