#include "dialogs/output_dialog.hpp"
#include "dialogs/settings_dialog.hpp"
#include "dialogs/source_dialogs.hpp"
#include "engine/text.hpp"
#include "panels/objects_panel.hpp"
#include "tiny_models.hpp"
#include "view/transport_bar.hpp"
#include "view/video_view.hpp"
#include "window/quit_on_signal.hpp"
#include "window_test.hpp"

#include <irmb_dnn/acceleration.hpp>

#include <opencv2/imgcodecs.hpp>

#include <QAction>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDockWidget>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QMimeData>
#include <QPushButton>
#include <QSlider>
#include <QTabBar>
#include <QTest>
#include <QToolButton>
#include <QTreeWidget>
#include <csignal>
#include <fstream>
#include <set>

namespace vigil::ui::test {
namespace {

class ControlsTest : public WindowTest {
protected:
    std::vector<int> classesSeen() const {
        std::vector<int> classes;
        for (const irmb::Detection& found : engine->picture()->result.detections)
            classes.push_back(found.class_id);
        return classes;
    }
    void waitForClasses(const std::vector<int>& classes) {
        waitUntil([&] { return classesSeen() == classes; });
    }
    static int linesOf(const std::string& path) {
        std::ifstream file(path);
        return int(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
    }
};

TEST_F(ControlsTest, PlayAndPause) {
    open(clip);
    EXPECT_TRUE(engine->playback().playing);
    click("play");
    EXPECT_FALSE(engine->playback().playing);
    click("play");
    EXPECT_TRUE(engine->playback().playing);
    QTest::keyClick(window.get(), Qt::Key_Space);
    EXPECT_FALSE(engine->playback().playing);
}

TEST_F(ControlsTest, StepsGoFrameByFrame) {
    openPausedAt(20);
    click("stepForward");
    waitForFrame(21);
    click("stepBack");
    waitForFrame(20);
    click("stepBack");
    waitForFrame(19);
    QTest::keyClick(window.get(), Qt::Key_Period);
    waitForFrame(20);
    EXPECT_FALSE(engine->playback().playing);
}

TEST_F(ControlsTest, StopGoesBackToTheStart) {
    openPausedAt(20);
    engine->play();
    click("stop");
    waitForFrame(0);
    EXPECT_FALSE(engine->playback().playing);
}

TEST_F(ControlsTest, SeekBarJumpsToWhereItIsClicked) {
    openPausedAt(0);
    auto* bar = find<QSlider>("seekBar");
    QTest::mouseClick(bar, Qt::LeftButton, {}, QPoint(bar->width() / 2, bar->height() / 2));
    waitUntil([&] { return std::abs(engine->picture()->result.frame.index - 30) <= 2; });
    EXPECT_NEAR(bar->value(), 1200, 80);
}

TEST_F(ControlsTest, SeekBarEndsAtTheLastFrame) {
    openPausedAt(59);
    auto* bar = find<QSlider>("seekBar");
    waitUntil([&] { return bar->value() > 0; });
    EXPECT_EQ(bar->value(), bar->maximum());
    QTest::mouseClick(bar, Qt::LeftButton, {}, QPoint(1, bar->height() / 2));
    waitForFrame(0);
    QTest::mouseClick(bar, Qt::LeftButton, {}, QPoint(bar->width() - 1, bar->height() / 2));
    waitForFrame(59);
}

TEST_F(ControlsTest, TipsNameTheKeys) {
    open(clip);
    EXPECT_EQ(find<QToolButton>("stepBack")->toolTip(), "One frame back (Comma)");
    EXPECT_EQ(find<QToolButton>("stepBack")->accessibleName(), "One frame back");
    EXPECT_EQ(find<QToolButton>("play")->toolTip(), "Pause (Space)");
    EXPECT_FALSE(find<QSlider>("seekBar")->toolTip().isEmpty());
}

TEST_F(ControlsTest, ActionsWithoutAnEffectAreOff) {
    EXPECT_FALSE(window->action("fullScreen")->isEnabled()) << "no picture";
    open(clip);
    EXPECT_TRUE(window->action("fullScreen")->isEnabled());
    EXPECT_TRUE(window->action("scores")->isEnabled());
    window->action("labels")->trigger();
    EXPECT_FALSE(window->action("scores")->isEnabled()) << "labels tell them";
}

TEST_F(ControlsTest, MenuListsPanelsInTheOrderOfTheirTabs) {
    const auto* tabs = window->findChild<QTabBar*>();
    ASSERT_TRUE(tabs && tabs->count() == 3);
    QStringList titles;
    for (int i = 0; i < tabs->count(); ++i)
        titles << tabs->tabText(i);
    QStringList rows;
    for (const QAction* menu : window->menuBar()->actions())
        for (const QAction* row : menu->menu()->actions())
            if (titles.contains(row->text()))
                rows << row->text();
    EXPECT_EQ(rows, titles);
}

TEST_F(ControlsTest, PlaceIsShown) {
    openPausedAt(25);
    waitUntil([&] { return find<QLabel>("place")->text() == "00:01.0 / 00:02.4  ·  frame 25"; });
}

TEST_F(ControlsTest, SpeedLoopAndPaceReachThePlayer) {
    open(clip);
    auto* speed = find<QComboBox>("speed");
    EXPECT_EQ(speed->currentData().toDouble(), 1);
    speed->setCurrentIndex(speed->findData(2.0));
    emit speed->activated(speed->currentIndex());
    EXPECT_EQ(engine->playback().speed, 2);
    click("loop");
    EXPECT_TRUE(engine->playback().loop);
    EXPECT_TRUE(engine->playback().paced);
    click("everyFrame");
    EXPECT_FALSE(engine->playback().paced);
    click("everyFrame");
    EXPECT_TRUE(engine->playback().paced);
}

TEST_F(ControlsTest, EveryFrameIsShownToThePipelineWhenAsked) {
    window->action("everyFrame")->trigger();
    load(model);
    open(clip);
    waitUntil([&] { return engine->playback().ended; });
    waitForFrame(59);
    const RunCounts counts = engine->counts();
    EXPECT_LE(counts.dropped.total(), 3) << "only before the switch took hold";
    EXPECT_EQ(counts.captured, counts.processed + counts.dropped.total());
}

TEST_F(ControlsTest, ConfidenceActsOnThePausedFrame) {
    openPausedAt(10);
    waitForClasses({0, 1, 2});
    const int64_t processed = engine->counts().processed;
    find<QSlider>("confidence")->setValue(50);
    waitForClasses({0, 1});
    find<QSlider>("confidence")->setValue(95);
    waitForClasses({});
    find<QSlider>("confidence")->setValue(25);
    waitForClasses({0, 1, 2});
    EXPECT_EQ(engine->picture()->result.frame.index, 10);
    EXPECT_EQ(engine->counts().processed, processed) << "nothing ran again";
}

TEST_F(ControlsTest, ClassesActOnThePausedFrame) {
    openPausedAt(10);
    auto* list = find<QTreeWidget>("classes");
    ASSERT_EQ(list->topLevelItemCount(), 3);
    waitUntil([&] { return list->topLevelItem(1)->text(1) == "1"; });
    const auto clickName = [&](int row) {
        const QRect place = list->visualItemRect(list->topLevelItem(row));
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, place.center());
    };
    clickName(1);
    waitForClasses({1});
    clickName(1);
    waitForClasses({0, 1, 2});
    click("noClasses");
    waitForClasses({});
    list->topLevelItem(2)->setCheckState(0, Qt::Checked);
    waitForClasses({2});
    click("allClasses");
    waitForClasses({0, 1, 2});
}

TEST_F(ControlsTest, ClassesAreSearched) {
    openPausedAt(0);
    auto* list = find<QTreeWidget>("classes");
    QTest::keyClicks(find<QLineEdit>("classSearch"), "B");
    EXPECT_TRUE(list->topLevelItem(0)->isHidden());
    EXPECT_FALSE(list->topLevelItem(1)->isHidden());
    find<QLineEdit>("classSearch")->clear();
    EXPECT_FALSE(list->topLevelItem(0)->isHidden());
}

TEST_F(ControlsTest, PausedFrameFollowsANewModel) {
    openPausedAt(10);
    waitForClasses({0, 1, 2});
    const std::string other = vigil::test::writeConstantDetector({1, 2, 4, 6, 0.8f, 2});
    load(other);
    waitForClasses({2});
    EXPECT_EQ(find<QLabel>("modelName")->text().toStdString(),
              std::filesystem::path(other).filename().string());
    window->action("unloadModel")->trigger();
    waitForClasses({});
    std::filesystem::remove(other);
}

TEST_F(ControlsTest, ModelPanelSaysWhatRuns) {
    load(model);
    EXPECT_EQ(find<QLabel>("blocks")->text(), "none in this model");
    EXPECT_TRUE(find<QLabel>("runtime")->text().contains("CPU, FP32"));
    find<QDockWidget>("modelDock")->raise();
    auto* precision = find<QComboBox>("precision");
    const auto flags = [&](const char* name) {
        return precision->model()->flags(
            precision->model()->index(precision->findData(QString::fromLatin1(name)), 0));
    };
    EXPECT_TRUE(flags("fp32") & Qt::ItemIsEnabled);
    EXPECT_FALSE(flags("fp16") & Qt::ItemIsEnabled);
    EXPECT_EQ(flags("bf16").testFlag(Qt::ItemIsEnabled), irmb::accelerationSupport().bfloat16);
}

TEST_F(ControlsTest, ErrorsAreShownAndNothingIsLost) {
    openPausedAt(10);
    window->openPath("/nowhere/missing.mp4");
    waitUntil([&] { return message().contains("missing.mp4"); });
    EXPECT_EQ(engine->picture()->result.frame.index, 10) << "what was open stays open";
    std::ofstream(folder.path("text.onnx")) << "no model";
    window->loadModel(QString::fromStdString(folder.path("text.onnx")));
    waitUntil([&] { return message().contains("text.onnx"); });
    EXPECT_NE(engine->model(), nullptr);
    EXPECT_TRUE(find<QLabel>("modelName")->text().endsWith(".onnx"));
}

TEST_F(ControlsTest, WheelAndKeysZoom) {
    openPausedAt(0);
    auto* view = find<VideoView>("view");
    const QPointF middle = view->rect().center();
    QWheelEvent wheel(middle, view->mapToGlobal(middle), {}, {0, 240}, Qt::NoButton, {},
                      Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(view, &wheel);
    EXPECT_GT(view->zoom(), 1.3);
    const QTransform before = view->toWidget();
    QTest::mousePress(view, Qt::LeftButton, {}, middle.toPoint());
    QTest::mouseMove(view, middle.toPoint() + QPoint(20, 10));
    QTest::mouseRelease(view, Qt::LeftButton);
    EXPECT_NEAR(view->toWidget().dx() - before.dx(), 20, 0.5);
    QTest::keyClick(window.get(), Qt::Key_0);
    EXPECT_EQ(view->zoom(), 1);
}

TEST_F(ControlsTest, SnapshotsHaveBoxesOrNot) {
    openPausedAt(10);
    waitForClasses({0, 1, 2});
    const auto saved = [&](const char* action) {
        cv::Mat picture;
        window->action(action)->trigger();
        waitUntil([&] {
            for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
                if (entry.path().extension() == ".png") {
                    picture = cv::imread(entry.path().string());
                    if (picture.empty())
                        continue;
                    std::filesystem::remove(entry.path());
                    return true;
                }
            return false;
        });
        return picture;
    };
    const cv::Mat clean = saved("cleanSnapshot");
    ASSERT_EQ(clean.size(), cv::Size(64, 48));
    cv::Scalar mean;
    cv::Scalar spread;
    cv::meanStdDev(clean, mean, spread);
    EXPECT_LT(spread[0], 1);
    cv::meanStdDev(saved("snapshot"), mean, spread);
    EXPECT_GT(spread[0], 5);
}

TEST_F(ControlsTest, RecordingGetsEveryFrame) {
    openPausedAt(5);
    Outputs outputs;
    outputs.picture = folder.path("seen.mp4");
    outputs.data["jsonl"] = folder.path("seen.jsonl");
    engine->startRecording(outputs);
    waitUntil([&] { return engine->recording().active; });
    EXPECT_FALSE(engine->playback().paced);
    engine->play();
    waitUntil([&] { return engine->playback().ended; });
    waitForFrame(59);
    waitUntil([&] { return engine->recording().frames == 54; });
    window->action("record")->trigger();
    waitUntil([&] { return !engine->recording().active; });
    EXPECT_EQ(engine->recording().error, "");
    EXPECT_EQ(linesOf(folder.path("seen.jsonl")), 54);
    const auto seen = openSource(folder.path("seen.mp4"));
    int frames = 0;
    for (Frame frame; seen->grab(frame); ++frames)
        ;
    EXPECT_EQ(frames, 54);
    waitUntil([&] { return engine->playback().paced; });
}

TEST_F(ControlsTest, RecordingMakesItsFolderAndSaysWhenItIsComplete) {
    Preferences preferences = window->preferences();
    preferences.output_folder = QString::fromStdString(folder.path("not/there/yet"));
    window->applyPreferences(preferences);
    openPausedAt(5);
    window->action("record")->trigger();
    dialog<OutputDialog>()->accept();
    waitUntil([&] { return engine->recording().active; });
    engine->step(1);
    waitUntil([&] { return engine->recording().frames == 1; });
    window->action("record")->trigger();
    waitUntil([&] { return message().contains("recording is complete"); });
    EXPECT_TRUE(message().contains(" in " + preferences.output_folder));
}

TEST_F(ControlsTest, RecordingsWithoutAFrameAreTold) {
    openPausedAt(5);
    Outputs outputs;
    outputs.picture = folder.path("nothing.mp4");
    engine->startRecording(outputs);
    waitUntil([&] { return engine->recording().active; });
    window->action("record")->trigger();
    waitUntil([&] { return message().contains("Nothing was recorded"); });
}

TEST_F(ControlsTest, MessagesOnDifferentTopicsStandTogether) {
    window->loadModel("/nowhere/missing.onnx");
    window->openPath("/nowhere/missing.mp4");
    waitUntil(
        [&] { return message().contains("missing.onnx") && message().contains("missing.mp4"); });
    open(clip);
    EXPECT_FALSE(message().contains("missing.mp4")) << "settled";
    EXPECT_TRUE(message().contains("missing.onnx")) << "still true";
}

TEST_F(ControlsTest, FilesThatEndTooSoonAreTold) {
    std::filesystem::create_directory(folder.path("images"));
    for (int i = 0; i < 4; ++i)
        std::ofstream(folder.path("images/" + std::to_string(i) + ".png")) << "no image";
    cv::imwrite(folder.path("images/1.png"), cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(80)));
    open(folder.path("images"));
    EXPECT_EQ(engine->picture()->result.frame.index, 1) << "the first one that can be read";
    click("stepForward");
    waitUntil([&] { return message().contains("damaged or incomplete"); });
    EXPECT_TRUE(message().contains("3.png"));
}

TEST_F(ControlsTest, PasswordsOfStreamsAreNotShown) {
    EXPECT_EQ(sourceLabel("rtsp://me:secret@camera/1"), "rtsp://me@camera/1");
    EXPECT_EQ(sourceLabel("/videos/street #1.mp4"), "street #1.mp4");
    EXPECT_EQ(withoutPassword("/videos/street #1.mp4"), "/videos/street #1.mp4");
}

TEST_F(ControlsTest, RecordDialogProposesFilesAndFailuresAreShown) {
    openPausedAt(5);
    window->action("record")->trigger();
    auto* record = dialog<OutputDialog>();
    EXPECT_TRUE(record->outputs().picture.find(folder.path()) == 0) << record->outputs().picture;
    record->findChild<QLineEdit*>("videoPath")->setText("/nowhere/seen.mp4");
    record->accept();
    waitUntil([&] { return message().contains("/nowhere/seen.mp4"); });
    EXPECT_FALSE(engine->recording().active);
}

TEST_F(ControlsTest, WhatIsPlayedIsNotOverwritten) {
    openPausedAt(5);
    Outputs outputs;
    outputs.picture = clip;
    engine->startRecording(outputs);
    waitUntil([&] { return message().contains("overwritten"); });
}

TEST_F(ControlsTest, ExportWorksThroughEverything) {
    openPausedAt(40);
    Outputs outputs;
    outputs.data["csv"] = folder.path("all.csv");
    outputs.data["jsonl"] = folder.path("all.jsonl");
    window->exporter().start({clip, engine->model()->options, engine->decodeOptions(), outputs});
    waitUntil([&] { return message().contains("export is complete"); });
    EXPECT_EQ(linesOf(folder.path("all.jsonl")), 60);
    EXPECT_EQ(linesOf(folder.path("all.csv")), 1 + 3 * 60);
    EXPECT_EQ(engine->picture()->result.frame.index, 40) << "what is shown stays";
}

TEST_F(ControlsTest, DroppedFilesAreOpened) {
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(QString::fromStdString(model)),
                  QUrl::fromLocalFile(QString::fromStdString(clip))});
    QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, {});
    QCoreApplication::sendEvent(window.get(), &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, {});
    QCoreApplication::sendEvent(window.get(), &drop);
    waitUntil([&] { return engine->model() && engine->picture(); });
}

TEST_F(ControlsTest, ImagesComeOneByOne) {
    std::filesystem::create_directory(folder.path("images"));
    for (int i = 0; i < 3; ++i)
        cv::imwrite(folder.path("images/" + std::to_string(i) + ".png"),
                    cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(80)));
    open(folder.path("images"));
    waitForFrame(0);
    EXPECT_FALSE(engine->playback().playing);
    EXPECT_EQ(find<QLabel>("place")->text(), "image 1 of 3");
    EXPECT_TRUE(window->windowTitle().startsWith("0.png"));
    click("stepForward");
    waitForFrame(1);
    click("stepBack");
    waitForFrame(0);
    engine->setSpeed(8);
    click("play");
    waitForFrame(2);
    EXPECT_EQ(find<QLabel>("place")->text(), "image 3 of 3");
    EXPECT_EQ(engine->counts().dropped.total(), 0);
}

TEST_F(ControlsTest, RecentItemsAndPreferencesSurvive) {
    openPausedAt(0);
    window->action("boxes")->trigger();
    find<QSlider>("confidence")->setValue(40);
    restart();
    EXPECT_FALSE(window->preferences().overlay.boxes);
    EXPECT_FALSE(window->action("boxes")->isChecked());
    EXPECT_EQ(find<QSlider>("confidence")->value(), 40);
    auto* recent = find<QPushButton>("recent");
    EXPECT_EQ(recent->text(), "clip.mp4");
    click(recent);
    waitUntil([&] { return engine->picture() != nullptr; });
    window->loadUsualModel();
    waitUntil([&] { return engine->model() != nullptr; });
}

TEST_F(ControlsTest, SettingsActAtOnce) {
    window->action("settings")->trigger();
    auto* settings = dialog<SettingsDialog>();
    auto* choice = settings->findChild<QComboBox*>("theme");
    for (const auto& [index, dark] : {std::pair(2, true), std::pair(1, false)}) {
        choice->setCurrentIndex(index);
        emit choice->activated(index);
        EXPECT_EQ(QApplication::palette().color(QPalette::Window).lightness() < 128, dark);
    }
    settings->findChild<QSlider*>("lineWidth")->setValue(5);
    EXPECT_EQ(window->preferences().overlay.line_width, 5);
    settings->reject();
}

TEST_F(ControlsTest, SettingsLeaveAloneWhatTheyDoNotShow) {
    window->action("settings")->trigger();
    auto* settings = dialog<SettingsDialog>();
    load(model);
    window->action("boxes")->trigger();
    settings->findChild<QSlider*>("lineWidth")->setValue(5);
    settings->reject();
    EXPECT_EQ(window->preferences().model, QString::fromStdString(model));
    EXPECT_FALSE(window->preferences().overlay.boxes);
    EXPECT_EQ(window->preferences().overlay.line_width, 5);
}

TEST_F(ControlsTest, StreamDialogWantsAnAddress) {
    window->action("openStream")->trigger();
    auto* stream = dialog<StreamDialog>();
    QPushButton* button = stream->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Open);
    EXPECT_FALSE(button->isEnabled());
    stream->findChild<QComboBox*>("address")->setEditText("rtsp://127.0.0.1:1/x");
    EXPECT_TRUE(button->isEnabled());
    click(button);
    waitUntil([&] { return message().contains("rtsp://127.0.0.1:1/x"); });
}

TEST_F(ControlsTest, CameraDialogListsCamerasWithTheirSizes) {
    CameraDialog cameras;
    cameras.setCameras(
        {{"/dev/video0", "Cam", {{1280, 720}, {640, 480}}}, {"/dev/video2", "B", {}}});
    auto* sizes = cameras.findChild<QComboBox*>("cameraSize");
    EXPECT_EQ(sizes->count(), 3);
    sizes->setCurrentIndex(1);
    EXPECT_EQ(cameras.request().spec, "/dev/video0");
    EXPECT_EQ(cameras.request().live.camera_size, cv::Size(1280, 720));
    cameras.findChild<QComboBox*>("camera")->setCurrentIndex(1);
    EXPECT_EQ(cameras.request().spec, "/dev/video2");
    EXPECT_TRUE(cameras.request().live.camera_size.empty());
}

TEST_F(ControlsTest, FullScreenHidesAndRestores) {
    openPausedAt(0);
    auto* dock = find<QDockWidget>("objectsDock");
    window->action("fullScreen")->trigger();
    EXPECT_TRUE(window->isFullScreen());
    EXPECT_FALSE(dock->isVisible());
    QTest::keyClick(window.get(), Qt::Key_Escape);
    EXPECT_FALSE(window->isFullScreen());
    waitUntil([&] { return dock->isVisible(); });
}

TEST_F(ControlsTest, PanelsCanBeResetAfterMoving) {
    auto* dock = find<QDockWidget>("objectsDock");
    dock->setFloating(true);
    find<QDockWidget>("modelDock")->hide();
    window->action("resetLayout")->trigger();
    EXPECT_FALSE(dock->isFloating());
    EXPECT_FALSE(find<QDockWidget>("modelDock")->isHidden());
}

TEST_F(ControlsTest, PanelsStayWhereTheyAreAfterASignal) {
    find<QDockWidget>("objectsDock")->setFloating(true);
    restart(); // the panel's window is now older than that of the program
    const QuitOnSignal quit_on_signal;
    std::raise(SIGTERM);
    waitUntil([&] { return !window->isVisible(); });
    restart();
    EXPECT_TRUE(find<QDockWidget>("objectsDock")->isFloating());
    EXPECT_FALSE(find<QDockWidget>("objectsDock")->isHidden());
}

TEST_F(ControlsTest, CloseGoesBackToTheStartPage) {
    openPausedAt(10);
    window->action("close")->trigger();
    EXPECT_FALSE(engine->hasSource());
    EXPECT_TRUE(find<QWidget>("startPage")->isVisible());
    EXPECT_FALSE(window->action("play")->isEnabled());
}

TEST_F(ControlsTest, ShortcutsAreUnique) {
    std::set<QString> taken;
    for (const QAction* action : window->findChildren<QAction*>()) {
        const QString keys = action->shortcut().toString();
        EXPECT_TRUE(keys.isEmpty() || taken.insert(keys).second) << action->text().toStdString();
    }
    EXPECT_GT(taken.size(), 25U);
}

} // namespace
} // namespace vigil::ui::test
