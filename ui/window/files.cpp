// What the window opens and saves.

#include "detect/default_model.hpp"
#include "dialogs/output_dialog.hpp"
#include "dialogs/source_dialogs.hpp"
#include "engine/text.hpp"
#include "main_window.hpp"
#include "view/message_bar.hpp"

#include <QDateTime>
#include <QDir>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QMimeData>
#include <QPointer>
#include <QRegularExpression>

namespace vigil::ui {
namespace {

QString patternOf(const QStringList& endings) {
    QStringList patterns;
    for (const QString& ending : endings)
        patterns << "*." + ending << "*." + ending.toUpper();
    return patterns.join(QLatin1Char(' '));
}

QString videoPattern() {
    return patternOf(
        {"mp4", "mkv", "avi", "mov", "webm", "ts", "m4v", "mpg", "mpeg", "wmv", "flv"});
}

QString imagePattern() {
    return patternOf({"jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp"});
}

bool isModel(const QString& path) {
    return path.endsWith(QStringLiteral(".onnx"), Qt::CaseInsensitive);
}

} // namespace

/// A file dialog that blocks nothing. It starts where one was last.
void MainWindow::openFileDialog(const QString& title, const QString& filter, bool folder,
                                std::function<void(const QString&)> chosen) {
    static QHash<QString, QString> last_folders;
    auto* dialog =
        new QFileDialog(this, title, last_folders.value(filter, QDir::homePath()), filter);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(folder ? QFileDialog::Directory : QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, [=](const QString& path) {
        last_folders[filter] = folder ? path : QFileInfo(path).absolutePath();
        chosen(path);
    });
    dialog->open();
}

void MainWindow::chooseVideo() {
    openFileDialog(tr("Open video"),
                   tr("Videos (%1)").arg(videoPattern()) + QStringLiteral(";;") +
                       tr("Images (%1)").arg(imagePattern()) + QStringLiteral(";;") +
                       tr("All files (*)"),
                   false, [this](const QString& path) { openPath(path); });
}

void MainWindow::chooseImages() {
    openFileDialog(tr("Open a folder of images"), {}, true,
                   [this](const QString& path) { openPath(path); });
}

void MainWindow::chooseModel() {
    openFileDialog(tr("Load model"),
                   tr("ONNX models (%1)").arg(patternOf({"onnx"})) + QStringLiteral(";;") +
                       tr("All files (*)"),
                   false, [this](const QString& path) { loadModel(path); });
}

void MainWindow::chooseCamera() {
    auto* dialog = new CameraDialog(this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    const auto look = [this, dialog = QPointer<CameraDialog>(dialog)] {
        background_.run(
            this, [] { return listCameras(); },
            [dialog](Outcome<std::vector<Camera>>& cameras) {
                if (dialog)
                    dialog->setCameras(cameras.value);
            });
    };
    connect(dialog, &CameraDialog::refreshWanted, this, look);
    connect(dialog, &QDialog::accepted, this, [this, dialog] { openRequest(dialog->request()); });
    look();
    dialog->open();
}

void MainWindow::chooseStream() {
    QStringList recent;
    for (const QString& item : recent_sources_.items())
        if (isAddress(item))
            recent << item;
    auto* dialog = new StreamDialog(recent, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, dialog] { openPath(dialog->address()); });
    dialog->open();
}

void MainWindow::openDemo() {
    const QString clip = fromStd(demoClip());
    const QString model = fromStd(defaultModel());
    if (clip.isEmpty() || model.isEmpty()) {
        messages_->show({Message::Kind::Warning,
                         QStringLiteral("source"),
                         tr("The demo is not here"),
                         tr("Run tools/demo.sh once, or open a video and a model of your own."),
                         {}});
        return;
    }
    loadModel(model);
    openPath(clip);
}

/// "FOLDER/NAME_2026-01-31_12-00-00", for files that are made of the source.
QString MainWindow::outputStem() const {
    QString name = QFileInfo(fromStd(engine_.sourceInfo().name)).completeBaseName();
    name.replace(QRegularExpression(QStringLiteral("[^\\w.-]+")), QStringLiteral("_"));
    if (name.isEmpty())
        name = QStringLiteral("vigil");
    const QString time =
        QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd_HH-mm-ss"));
    return QDir(preferences_.output_folder).filePath(name + QLatin1Char('_') + time);
}

/// Desktops name a folder for videos that need not be there yet.
void MainWindow::makeOutputFolder() const {
    QDir().mkpath(preferences_.output_folder);
}

void MainWindow::snapshot(bool with_overlay) {
    const PicturePtr picture = engine_.picture();
    if (!picture)
        return;
    makeOutputFolder();
    const QString number =
        QStringLiteral("_%1").arg(picture->result.frame.index, 6, 10, QLatin1Char('0'));
    const QString ending = with_overlay ? QStringLiteral(".png") : QStringLiteral("_clean.png");
    engine_.saveSnapshot(picture, outputStem() + number + ending, with_overlay);
}

void MainWindow::toggleRecording() {
    if (engine_.recording().active) {
        engine_.stopRecording();
        return;
    }
    auto* dialog = new OutputDialog(
        tr("Record"), tr("Writes what is played from now on, every frame of it, until you stop."),
        outputStem(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, dialog] {
        makeOutputFolder();
        engine_.startRecording(dialog->outputs());
    });
    dialog->open();
}

void MainWindow::startExport() {
    if (!engine_.model() || !engine_.hasSource())
        return;
    auto* dialog = new OutputDialog(
        tr("Export"),
        tr("Works through the whole source, every frame, with the lowest score and the classes of "
           "now. You can go on watching."),
        outputStem(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, dialog] {
        makeOutputFolder();
        exporter_.start({engine_.request().spec, engine_.model()->options, engine_.decodeOptions(),
                         dialog->outputs()});
    });
    dialog->open();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls())
        event->acceptProposedAction();
}

/// A model and a source may come together.
void MainWindow::dropEvent(QDropEvent* event) {
    event->acceptProposedAction();
    QString source;
    for (const QUrl& url : event->mimeData()->urls()) {
        const QString item = url.isLocalFile() ? url.toLocalFile() : url.toString();
        if (isModel(item))
            loadModel(item);
        else if (source.isEmpty())
            source = item;
    }
    if (!source.isEmpty())
        openPath(source);
}

} // namespace vigil::ui
