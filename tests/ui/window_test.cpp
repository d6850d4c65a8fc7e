#include "window_test.hpp"

#include "sink/video_encoder.hpp"
#include "tiny_models.hpp"
#include "view/message_bar.hpp"

#include <QSettings>
#include <QTest>

namespace vigil::ui::test {
namespace {

constexpr int patience_ms = 30000;
constexpr double step_ms = 40;

} // namespace

bool waitUntil(const std::function<bool()>& condition) {
    const bool held = QTest::qWaitFor(condition, patience_ms);
    EXPECT_TRUE(held) << "waited in vain";
    return held;
}

std::string writeClip(const vigil::test::ScratchFolder& folder, const std::string& name, int frames,
                      cv::Size size) {
    const std::string path = folder.path(name);
    OutputFile file(path);
    VideoEncoder encoder(file, "mp4", size, 1000 / step_ms);
    for (int i = 0; i < frames; ++i)
        encoder.encode(cv::Mat(size, CV_8UC3, cv::Scalar::all(20 + i % 100)), step_ms * i);
    encoder.finish();
    file.close();
    return path;
}

void WindowTest::SetUp() {
    QSettings().clear();
    QSettings().setValue("output_folder", QString::fromStdString(folder.path()));
    clip = writeClip(folder, "clip.mp4", 60);
    model = vigil::test::writeConstantDetector(
        {1, 2, 4, 6, 0.9f, 0, 4, 2, 7, 5, 0.6f, 1, 2, 3, 3, 4, 0.3f, 2});
    theme = std::make_unique<Theme>();
    restart();
}

void WindowTest::TearDown() {
    window->close();
    window.reset();
    std::filesystem::remove(model);
}

void WindowTest::restart() {
    if (window)
        window->close();
    window.reset();
    window = std::make_unique<MainWindow>(*theme);
    engine = &window->engine();
    window->show();
    EXPECT_TRUE(QTest::qWaitForWindowExposed(window.get()));
}

void WindowTest::open(const std::string& path) {
    bool opened = false;
    const auto watch =
        QObject::connect(engine, &MediaEngine::sourceOpened, window.get(), [&] { opened = true; });
    window->openPath(QString::fromStdString(path));
    waitUntil([&] { return opened && engine->picture(); });
    QObject::disconnect(watch);
}

void WindowTest::load(const std::string& path) {
    bool loaded = false;
    const auto watch =
        QObject::connect(engine, &MediaEngine::modelChanged, window.get(), [&] { loaded = true; });
    window->loadModel(QString::fromStdString(path));
    waitUntil([&] { return loaded; });
    QObject::disconnect(watch);
}

void WindowTest::openPausedAt(int frame) {
    load(model);
    open(clip);
    engine->pause();
    engine->seek(step_ms * frame);
    waitUntil([&] {
        const PicturePtr picture = engine->picture();
        return engine->isCurrent(*picture) && picture->result.frame.index == frame;
    });
}

PicturePtr WindowTest::waitForFrame(int index) {
    waitUntil([&] { return engine->picture()->result.frame.index == index; });
    return engine->picture();
}

QString WindowTest::message() const {
    return window->findChild<MessageBar*>()->text();
}

void WindowTest::click(QWidget* widget) {
    ASSERT_NE(widget, nullptr);
    ASSERT_TRUE(widget->isVisible()) << widget->objectName().toStdString();
    ASSERT_TRUE(widget->isEnabled()) << widget->objectName().toStdString();
    QTest::mouseClick(widget, Qt::LeftButton);
}

} // namespace vigil::ui::test
