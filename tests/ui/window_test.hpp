#pragma once

#include "support/scratch_folder.hpp"
#include "window/main_window.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace vigil::ui::test {

/// Lets the window work until `condition` holds; fails the test after half a minute.
bool waitUntil(const std::function<bool()>& condition);

/// A clip of `frames` grey pictures, 40 ms apart, whose brightness tells their number.
std::string writeClip(const vigil::test::ScratchFolder& folder, const std::string& name, int frames,
                      cv::Size size = {64, 48});

/// A window with a real pipeline behind it, a clip, and a model that finds three objects in every
/// picture: "a" (score 0.9) at 8,8 24x32, "b" (0.6) and "c" (0.3).
class WindowTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    /// Closes the window and opens another one.
    void restart();

    /// Opens a source or a model and waits until it is there.
    void open(const std::string& path);
    void load(const std::string& path);
    /// The clip with the model, paused at a frame.
    void openPausedAt(int frame);
    PicturePtr waitForFrame(int index);

    QString message() const; ///< of the message bar
    template <typename T>
    T* find(const char* name) {
        T* found = window->findChild<T*>(QString::fromLatin1(name));
        EXPECT_NE(found, nullptr) << name;
        return found;
    }
    void click(QWidget* widget);
    void click(const char* name) { click(find<QWidget>(name)); }
    /// The dialog that is open; fails the test if there is none.
    template <typename T>
    T* dialog() {
        T* found = nullptr;
        waitUntil([&] { return (found = window->findChild<T*>()) && found->isVisible(); });
        return found;
    }

    vigil::test::ScratchFolder folder;
    std::string clip;
    std::string model;
    std::unique_ptr<Theme> theme;
    std::unique_ptr<MainWindow> window;
    MediaEngine* engine = nullptr;
};

} // namespace vigil::ui::test
