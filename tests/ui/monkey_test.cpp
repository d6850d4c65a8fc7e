// A thousand random actions of a user who reads nothing, the same ones in each run.

#include "tiny_models.hpp"
#include "view/video_view.hpp"
#include "window_test.hpp"

#include <opencv2/imgcodecs.hpp>

#include <QAbstractButton>
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QDesktopServices>
#include <QDialog>
#include <QDockWidget>
#include <QDropEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QMimeData>
#include <QSlider>
#include <QTest>
#include <QTreeWidget>
#include <QUrl>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>

namespace vigil::ui::test {
namespace {

constexpr int actions = 1000;
constexpr unsigned usual_seed = 20240;

/// VIGIL_MONKEY_SEED picks other actions, VIGIL_MONKEY_LOG names them as they come.
unsigned chosenSeed() {
    const char* text = std::getenv("VIGIL_MONKEY_SEED");
    return text ? unsigned(std::strtoul(text, nullptr, 10)) : usual_seed;
}

/// Swallows addresses that the window wants the desktop to open.
class Desktop : public QObject {
    Q_OBJECT

public:
    Desktop() { QDesktopServices::setUrlHandler(QStringLiteral("file"), this, "open"); }
    ~Desktop() override { QDesktopServices::unsetUrlHandler(QStringLiteral("file")); }

public slots:
    void open(const QUrl&) {}
};

class MonkeyTest : public WindowTest {
protected:
    void SetUp() override {
        WindowTest::SetUp();
        other_model_ = vigil::test::writeConstantDetector({1, 2, 4, 6, 0.8f, 2});
        std::filesystem::create_directory(folder.path("images"));
        for (int i = 0; i < 5; ++i)
            cv::imwrite(folder.path("images/" + std::to_string(i) + ".png"),
                        cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(40 * i)));
        std::ofstream(folder.path("text.mp4")) << "no video";
        std::ofstream(folder.path("text.onnx")) << "no model";
        sources_ = {clip, writeClip(folder, "upright.mp4", 40, {48, 64}), folder.path("images"),
                    folder.path("text.mp4"), "/nowhere/missing.mp4"};
        models_ = {model, other_model_, folder.path("text.onnx")};
    }
    void TearDown() override {
        WindowTest::TearDown();
        std::filesystem::remove(other_model_);
    }

    int random(int count) { return int(generator_() % unsigned(std::max(1, count))); }
    template <typename T>
    const T& oneOf(const std::vector<T>& things) {
        return things[std::size_t(random(int(things.size())))];
    }
    QPoint somewhere(const QWidget* widget) {
        return {random(widget->width()), random(widget->height())};
    }
    /// Children of the window, or of the dialog in front of it, that can be used.
    template <typename T>
    std::vector<T*> usable() {
        QWidget* place = QApplication::activeModalWidget();
        std::vector<T*> found;
        for (T* widget : (place ? place : window.get())->template findChildren<T*>())
            if (widget->isVisible() && widget->isEnabled())
                found.push_back(widget);
        return found;
    }
    void note(const QString& what) {
        if (std::getenv("VIGIL_MONKEY_LOG"))
            std::cerr << what.toStdString() << std::endl;
    }

    void act();
    void triggerAction();
    void pressKey();
    void clickButton();
    void dropSomething();
    void useMouseOnView();
    void useField();
    void moveWindow();

    std::mt19937 generator_{chosenSeed()};
    Desktop desktop_;
    std::string other_model_;
    std::vector<std::string> sources_;
    std::vector<std::string> models_;
};

/// Each dialog for files is left at once: what it shows is not the test's to change.
void MonkeyTest::act() {
    for (QFileDialog* dialog : window->findChildren<QFileDialog*>())
        dialog->reject();
    switch (random(9)) {
    case 0:
    case 1:
        return triggerAction();
    case 2:
        return pressKey();
    case 3:
    case 4:
        return clickButton();
    case 5:
        return dropSomething();
    case 6:
        return useMouseOnView();
    case 7:
        return useField();
    default:
        return moveWindow();
    }
}

void MonkeyTest::triggerAction() {
    std::vector<QAction*> possible;
    for (QAction* action : window->findChildren<QAction*>())
        if (action->isEnabled() && action != window->action("quit"))
            possible.push_back(action);
    QAction* action = oneOf(possible);
    note("action " + action->text());
    if (!QApplication::activeModalWidget())
        action->trigger();
}

void MonkeyTest::pressKey() {
    static const std::vector<int> keys = {
        Qt::Key_Space, Qt::Key_Comma,  Qt::Key_Period, Qt::Key_B,    Qt::Key_L,     Qt::Key_S,
        Qt::Key_I,     Qt::Key_Plus,   Qt::Key_Minus,  Qt::Key_0,    Qt::Key_F11,   Qt::Key_Escape,
        Qt::Key_Tab,   Qt::Key_Return, Qt::Key_Up,     Qt::Key_Down, Qt::Key_PageUp};
    const int key = oneOf(keys);
    QWidget* target = QApplication::activeModalWidget();
    note(QStringLiteral("key %1").arg(key));
    QTest::keyClick(target ? target : window.get(), Qt::Key(key));
}

void MonkeyTest::clickButton() {
    const std::vector<QAbstractButton*> buttons = usable<QAbstractButton>();
    if (buttons.empty())
        return;
    QAbstractButton* button = oneOf(buttons);
    note("button " + button->objectName() + " " + button->text());
    QTest::mouseClick(button, Qt::LeftButton);
}

void MonkeyTest::dropSomething() {
    QMimeData data;
    QList<QUrl> urls;
    if (random(2))
        urls << QUrl::fromLocalFile(QString::fromStdString(oneOf(models_)));
    if (random(2) || urls.isEmpty())
        urls << QUrl::fromLocalFile(QString::fromStdString(oneOf(sources_)));
    data.setUrls(urls);
    note("drop " + urls.last().fileName());
    QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, {});
    QCoreApplication::sendEvent(window.get(), &drop);
}

void MonkeyTest::useMouseOnView() {
    auto* view = find<VideoView>("view");
    if (!view->isVisible() || QApplication::activeModalWidget())
        return;
    const QPoint from = somewhere(view);
    const QPoint to = somewhere(view);
    note(QStringLiteral("view %1, %2").arg(from.x()).arg(from.y()));
    QWheelEvent wheel(from, view->mapToGlobal(from), {}, {0, random(2) ? 240 : -240}, Qt::NoButton,
                      {}, Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(view, &wheel);
    QTest::mousePress(view, Qt::LeftButton, {}, from);
    QTest::mouseMove(view, to);
    QTest::mouseRelease(view, Qt::LeftButton, {}, to);
    if (random(4) == 0)
        QTest::mouseDClick(view, Qt::LeftButton, {}, to);
}

void MonkeyTest::useField() {
    const int kind = random(4);
    note(QStringLiteral("field %1").arg(kind));
    if (const auto sliders = usable<QSlider>(); kind == 0 && !sliders.empty()) {
        QSlider* slider = oneOf(sliders);
        QTest::mouseClick(slider, Qt::LeftButton, {}, somewhere(slider));
    } else if (const auto boxes = usable<QComboBox>(); kind == 1 && !boxes.empty()) {
        QComboBox* box = oneOf(boxes);
        const int item = random(box->count());
        if (!(box->model()->flags(box->model()->index(item, 0)) & Qt::ItemIsEnabled))
            return; // grey
        box->setCurrentIndex(item);
        emit box->activated(item);
    } else if (auto* search = find<QLineEdit>("classSearch"); kind == 2 && search->isVisible()) {
        search->setText(random(2) ? QStringLiteral("b") : QString());
    } else if (auto* list = find<QTreeWidget>("classes"); list->isVisible()) {
        QTest::mouseClick(list->viewport(), Qt::LeftButton, {}, somewhere(list->viewport()));
    }
}

void MonkeyTest::moveWindow() {
    const auto docks = window->findChildren<QDockWidget*>();
    note("window");
    if (random(3) == 0)
        window->resize(600 + random(900), 400 + random(600));
    else if (random(2))
        docks[random(int(docks.size()))]->setFloating(random(2) == 1);
    else
        docks[random(int(docks.size()))]->setVisible(random(2) == 1);
}

TEST_F(MonkeyTest, AThousandActionsEndInASaneState) {
    for (int i = 0; i < actions; ++i) {
        act();
        if (random(3) == 0)
            QTest::qWait(random(12));
        ASSERT_TRUE(window->isVisible()) << "after action " << i;
    }
    for (QDialog* dialog : window->findChildren<QDialog*>())
        dialog->reject();
    window->action("leaveFullScreen")->trigger();
    window->action("resetLayout")->trigger();
    window->exporter().cancel();
    {
        SCOPED_TRACE("dialogs close and the export ends");
        waitUntil([&] { return !window->findChild<QDialog*>() && !window->exporter().active(); });
    }

    engine->stopRecording();
    auto* precision = find<QComboBox>("precision"); // BF16 is refused for so small a model
    precision->setCurrentIndex(0);
    emit precision->activated(0);
    {
        SCOPED_TRACE("model and clip open");
        openPausedAt(10);
    }
    for (const char* layer : {"boxes", "labels"})
        if (!window->action(layer)->isChecked())
            window->action(layer)->trigger();
    click("allClasses");
    engine->setConfidence(0.25);
    {
        SCOPED_TRACE("all objects are found");
        waitUntil([&] { return engine->picture()->result.detections.size() == 3; });
    }
    EXPECT_TRUE(find<QDockWidget>("objectsDock")->isVisible());
    EXPECT_FALSE(window->isFullScreen());
    engine->play();
    waitUntil([&] { return engine->picture()->result.frame.index > 20; });
}

} // namespace
} // namespace vigil::ui::test

#include "monkey_test.moc"
