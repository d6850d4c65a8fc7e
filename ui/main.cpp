#include "window/main_window.hpp"
#include "window/quit_on_signal.hpp"
#include "window/translations.hpp"

#include <opencv2/core/utils/logger.hpp>

#include <QApplication>
#include <QCommandLineParser>
#include <csignal>
#include <cstdlib>

namespace {

/// Messages of FFmpeg's libraries and OpenCV would only clutter the terminal; what matters reaches
/// the user as a message of the window. A level set in the environment is kept.
void quietLibraries() {
    ::setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
    cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
}

} // namespace

int main(int argc, char** argv) {
    quietLibraries();
    std::signal(SIGPIPE, SIG_IGN); // a reader that goes away is an error of the recording
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("vigil"));
    QApplication::setApplicationName(QStringLiteral("vigil-gui"));
    QApplication::setApplicationVersion(QStringLiteral(VIGIL_VERSION));
    QApplication::setDesktopFileName(QStringLiteral("vigil-gui"));
    vigil::ui::Translations translations;
    translations.install();

    QCommandLineParser parser;
    parser.setApplicationDescription(
        QCoreApplication::translate("main", "Finds objects in videos, cameras and streams."));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption model(QStringLiteral("model"),
                                   QCoreApplication::translate("main", "ONNX file of a YOLOv10."),
                                   QStringLiteral("FILE"));
    const QCommandLineOption source(
        QStringLiteral("source"),
        QCoreApplication::translate("main", "Video, image, folder, camera or URL to open."),
        QStringLiteral("WHAT"));
    parser.addOptions({model, source});
    parser.addPositionalArgument(
        QStringLiteral("WHAT"),
        QCoreApplication::translate("main", "A model or a source, as with the options."),
        QStringLiteral("[WHAT ...]"));
    parser.process(application);

    vigil::ui::Theme theme;
    vigil::ui::MainWindow window(theme);
    QString model_path = parser.value(model);
    QString source_name = parser.value(source);
    for (const QString& argument : parser.positionalArguments())
        (argument.endsWith(QStringLiteral(".onnx"), Qt::CaseInsensitive) ? model_path
                                                                         : source_name) = argument;
    if (model_path.isEmpty())
        window.loadUsualModel();
    else
        window.loadModel(model_path);
    if (!source_name.isEmpty())
        window.openPath(source_name);
    window.show();
    const vigil::ui::QuitOnSignal quit_on_signal;
    return QApplication::exec();
}
