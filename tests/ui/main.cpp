#include "support/scratch_folder.hpp"

#include <gtest/gtest.h>
#include <opencv2/core/utils/logger.hpp>

#include <QApplication>
#include <QSettings>
#include <cstdlib>

/// fontconfig keeps its tables for ever, which LeakSanitizer takes for lost.
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libfontconfig";
}

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    ::setenv("QT_QPA_PLATFORM", "offscreen", 0);
    ::setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
    ::unsetenv("DBUS_SESSION_BUS_ADDRESS"); // the desktop of whoever runs the tests has no say
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
    QApplication::setAttribute(Qt::AA_DontUseNativeDialogs);
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("vigil-test"));
    QApplication::setApplicationName(QStringLiteral("ui_test"));
    const vigil::test::ScratchFolder settings;
    ::setenv("HOME", settings.path().c_str(), 1); // where file dialogs begin and make folders
    QSettings::setDefaultFormat(QSettings::IniFormat);
    QSettings::setPath(QSettings::IniFormat, QSettings::UserScope,
                       QString::fromStdString(settings.path()));
    return RUN_ALL_TESTS();
}
