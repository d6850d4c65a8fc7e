#pragma once

#include "engine/exporter.hpp"
#include "engine/media_engine.hpp"
#include "preferences.hpp"

#include <QElapsedTimer>
#include <QMainWindow>
#include <QTimer>

class QLabel;
class QMenu;
class QProgressBar;
class QStackedWidget;
class QToolButton;

namespace vigil::ui {

class MessageBar;
class ModelPanel;
class ObjectsPanel;
class PerformancePanel;
class StartPage;
class TransportBar;
class VideoView;

/// The window: puts the parts together and hands what the user does to the engine.
class MainWindow : public QMainWindow {
    Q_OBJECT

public:
    explicit MainWindow(Theme& theme, QWidget* parent = nullptr);
    ~MainWindow() override;

    void openPath(const QString& path);
    void openRequest(const SourceRequest& request);
    void loadModel(const QString& path);
    /// Loads the model of last time, or the one that came with the program.
    void loadUsualModel();

    MediaEngine& engine() { return engine_; }
    Exporter& exporter() { return exporter_; }
    /// Actions by name, as in actions.cpp.
    QAction* action(const QString& name) const { return actions_.value(name); }

    void setOverlayStyle(const OverlayStyle& style);
    void applyPreferences(const Preferences& preferences);
    const Preferences& preferences() const { return preferences_; }

protected:
    void showEvent(QShowEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    using Slot = std::function<void()>;

    // actions.cpp
    QAction* addAction(const QString& name, const QString& text, const QString& icon_name,
                       const QKeySequence& keys, Slot slot);
    QAction* addSwitch(const QString& name, const QString& text, const QString& icon_name,
                       const QKeySequence& keys, std::function<void(bool)> slot);
    void makeFileActions();
    void makePlaybackActions();
    void makeViewActions();
    void makeHelpActions();
    void makeMenus();
    void makeToolBar();
    void addToMenu(QMenu* menu, const QStringList& names);
    void updateRecentMenus();
    void updateActions();
    void showShortcuts();
    void showAbout();

    // main_window.cpp
    void makeCentre();
    void makeDocks();
    void makeStatusBar();
    void connectEngine();
    void connectExporter();
    void connectControls();
    void restoreLayout();
    void resetLayout();
    void setFullScreen(bool full);
    void showSource();
    void showStart();
    void showPicture(const PicturePtr& picture);
    void showModel();
    void updateLive();
    QString speedText(double fps) const;
    void showError(const QString& topic, const QString& title, const QString& error);
    /// Tells of a file that was written.
    void showWritten(const QString& topic, const QString& title, const QString& file,
                     const QString& details);
    void updateRecording();
    void changeOverlay(const std::function<void(OverlayStyle&)>& change);
    void reloadModel();
    void noteOpened(const SourceRequest& request);

    // files.cpp
    void chooseVideo();
    void chooseImages();
    void chooseCamera();
    void chooseStream();
    void chooseModel();
    void openDemo();
    void snapshot(bool with_overlay);
    void toggleRecording();
    void startExport();
    void openFileDialog(const QString& title, const QString& filter, bool folder,
                        std::function<void(const QString&)> chosen);
    QString outputStem() const;
    void makeOutputFolder() const;

    Theme& theme_;
    Preferences preferences_;
    RecentItems recent_sources_{QStringLiteral("recent/sources")};
    RecentItems recent_models_{QStringLiteral("recent/models")};
    Background background_;
    MediaEngine engine_;
    Exporter exporter_;
    QHash<QString, QAction*> actions_;
    QMenu* recent_sources_menu_ = nullptr;
    QMenu* recent_models_menu_ = nullptr;
    QStackedWidget* pages_ = nullptr;
    StartPage* start_ = nullptr;
    QWidget* player_page_ = nullptr;
    VideoView* view_ = nullptr;
    TransportBar* transport_ = nullptr;
    MessageBar* messages_ = nullptr;
    ObjectsPanel* objects_ = nullptr;
    ModelPanel* model_ = nullptr;
    PerformancePanel* performance_ = nullptr;
    QList<QDockWidget*> docks_;
    QByteArray usual_layout_;
    std::vector<QDockWidget*> docks_before_full_screen_; ///< those that were open
    bool was_maximized_ = false;
    QLabel* status_model_ = nullptr;
    QLabel* status_zoom_ = nullptr;
    QLabel* status_speed_ = nullptr;
    QLabel* status_recording_ = nullptr;
    QWidget* export_box_ = nullptr;
    QProgressBar* export_progress_ = nullptr;
    QTimer panel_timer_;
    QElapsedTimer last_picture_;
    QString trouble_;
    QString lost_;
};

} // namespace vigil::ui
