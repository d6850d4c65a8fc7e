// How evenly the window paints while a model keeps all processors busy: figures, no verdict.

#include "view/video_view.hpp"
#include "window/main_window.hpp"

#include <QApplication>
#include <QSettings>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr int tick_ms = 10;
constexpr double warm_up_s = 5;

double msSince(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Prints places of the sorted values.
void report(const char* name, std::vector<double> values) {
    if (values.empty()) {
        std::printf("%-34s nothing was measured\n", name);
        return;
    }
    std::sort(values.begin(), values.end());
    const auto at = [&](double part) {
        return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
    };
    std::printf("%-34s n %5zu  median %7.2f  95 %% %7.2f  99 %% %7.2f  most %7.2f ms\n", name,
                values.size(), at(0.5), at(0.95), at(0.99), values.back());
}

} // namespace

int main(int argc, char** argv) {
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("vigil-test"));
    QApplication::setApplicationName(QStringLiteral("ui_jitter"));
    if (argc < 4) {
        std::fprintf(stderr, "usage: ui_jitter MODEL VIDEO SECONDS\n");
        return 2;
    }
    const double seconds = std::atof(argv[3]);
    QSettings().clear();
    QSettings().setValue(QStringLiteral("loop"), true);
    vigil::ui::Theme theme;
    vigil::ui::MainWindow window(theme);
    window.showMaximized();
    window.loadModel(QString::fromLocal8Bit(argv[1]));
    QObject::connect(&window.engine(), &vigil::ui::MediaEngine::modelChanged, &window,
                     [&] { window.openPath(QString::fromLocal8Bit(argv[2])); });

    std::vector<double> lateness;
    std::vector<double> intervals;
    std::vector<double> paints;
    const auto* view = window.findChild<vigil::ui::VideoView*>();
    const Clock::time_point start = Clock::now();
    const auto counts = [&] { return msSince(start) > 1000 * warm_up_s; };
    Clock::time_point last_tick = start;
    Clock::time_point last_picture = start;
    QTimer ticks;
    ticks.setTimerType(Qt::PreciseTimer);
    QObject::connect(&ticks, &QTimer::timeout, &window, [&] {
        if (counts())
            lateness.push_back(std::max(0.0, msSince(last_tick) - tick_ms));
        last_tick = Clock::now();
    });
    ticks.start(tick_ms);
    QObject::connect(&window.engine(), &vigil::ui::MediaEngine::pictureReady, &window, [&] {
        if (counts()) {
            intervals.push_back(msSince(last_picture));
            paints.push_back(view->paintMs()); // of the picture before
        }
        last_picture = Clock::now();
    });
    QTimer::singleShot(static_cast<int>(1000 * (seconds + warm_up_s)), &application,
                       &QApplication::quit);
    QApplication::exec();
    const QSize size = view->size() * view->devicePixelRatioF();
    std::printf("view %d x %d pixels, %.1f pictures a second\n", size.width(), size.height(),
                static_cast<double>(intervals.size()) / seconds);
    report("between pictures", intervals);
    report("painting", paints);
    report("lateness of the window's thread", lateness);
}
