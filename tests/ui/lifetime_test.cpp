#include "tiny_models.hpp"
#include "window_test.hpp"

#include <opencv2/imgcodecs.hpp>

#include <QTest>

namespace vigil::ui::test {
namespace {

int entriesOf(const char* folder) {
    int count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder))
        ++count;
    return count;
}

int threads() {
    return entriesOf("/proc/self/task");
}

int openFiles() {
    return entriesOf("/proc/self/fd");
}

class LifetimeTest : public WindowTest {};

TEST_F(LifetimeTest, FiftySwapsOfModelAndSourceLeaveNothingBehind) {
    const std::string other_clip = writeClip(folder, "other.mp4", 40, {48, 64});
    const std::string other_model = vigil::test::writeConstantDetector({1, 2, 4, 6, 0.8f, 2});
    load(model);
    open(clip);
    window->action("close")->trigger();
    QTest::qWait(500); // threads that libraries keep for ever have been made by now
    const int threads_before = threads();
    const int files_before = openFiles();
    for (int i = 0; i < 50; ++i) {
        load(i % 2 ? model : other_model);
        open(i % 2 ? other_clip : clip);
    }
    window->action("close")->trigger();
    // Pool threads live on for a while, but they are few and do not grow with the swaps.
    waitUntil([&] { return threads() <= threads_before + 4 && openFiles() <= files_before; });
    std::filesystem::remove(other_model);
}

TEST_F(LifetimeTest, OnlyTheNewestWishCounts) {
    const std::string other = writeClip(folder, "other.mp4", 40, {48, 64});
    for (int i = 0; i < 10; ++i) {
        window->openPath(QString::fromStdString(clip));
        window->openPath(QString::fromStdString(other));
    }
    waitUntil([&] { return engine->picture() && engine->request().spec == other; });
    QTest::qWait(200);
    EXPECT_EQ(engine->picture()->image.size(), QSize(48, 64));
}

TEST_F(LifetimeTest, FilesThatVanishWhilePlayingAreCounted) {
    std::filesystem::create_directory(folder.path("images"));
    for (int i = 0; i < 40; ++i)
        cv::imwrite(folder.path("images/" + std::to_string(i) + ".png"),
                    cv::Mat(480, 640, CV_8UC3, cv::Scalar::all(80)));
    load(model);
    open(folder.path("images"));
    engine->setEveryFrame(true);
    engine->play();
    std::filesystem::remove_all(folder.path("images"));
    waitUntil([&] { return engine->playback().ended; });
    const auto balance = [&] {
        const RunCounts counts = engine->counts();
        return counts.captured - counts.processed - counts.dropped.total();
    };
    waitUntil([&] { return balance() <= 0; });
    engine->seek(0); // to a file that is gone
    EXPECT_TRUE(window->isVisible());
}

TEST_F(LifetimeTest, ClosingInTheMiddleOfEverythingIsClean) {
    for (int i = 0; i < 5; ++i) {
        window->loadModel(QString::fromStdString(model));
        window->openPath(QString::fromStdString(clip));
        if (i % 2)
            waitUntil([&] { return engine->picture() != nullptr; });
        Outputs outputs;
        outputs.picture = folder.path("cut" + std::to_string(i) + ".mkv");
        engine->startRecording(outputs);
        QTest::qWait(10 * i);
        restart();
    }
}

TEST_F(LifetimeTest, RecordingIsCompletedWhenTheSourceIsReplaced) {
    openPausedAt(0);
    Outputs outputs;
    outputs.data["jsonl"] = folder.path("seen.jsonl");
    engine->startRecording(outputs);
    waitUntil([&] { return engine->recording().active; });
    engine->step(1);
    waitUntil([&] { return engine->recording().frames == 1; });
    open(clip);
    EXPECT_FALSE(engine->recording().active);
    waitUntil([&] { return folder.read("seen.jsonl").size() > 10; });
}

} // namespace
} // namespace vigil::ui::test
