#include "engine_text.hpp"

#include "text.hpp"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QStringList>

namespace vigil::ui {
namespace {

constexpr const char* context = "Engine";

/// What the engine says to users of the window, with %1, %2 ... for what varies, which may be
/// messages again. The first that fits counts. A test provokes each of them.
constexpr const char* messages[] = {
    // remedies behind other messages
    QT_TRANSLATE_NOOP("Engine", "%1; create its folder first"),
    QT_TRANSLATE_NOOP("Engine", "%1; choose a place that you may write to"),
    QT_TRANSLATE_NOOP("Engine", "%1; name a file in it"),
    QT_TRANSLATE_NOOP("Engine", "%1; make room or choose another disk"),
    QT_TRANSLATE_NOOP("Engine", "%1; the reader of the pipe went away"),
    QT_TRANSLATE_NOOP("Engine", "%1; try another container, such as .mkv"),
    QT_TRANSLATE_NOOP("Engine", "%1; export or copy the model again"),
    // sources
    QT_TRANSLATE_NOOP("Engine", "'%1' does not exist; check the path"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be read: %2"),
    QT_TRANSLATE_NOOP("Engine", "'%1' is a folder without images; give a video or a folder of "
                                "images"),
    QT_TRANSLATE_NOOP("Engine", "'%1' matches no file; check the pattern"),
    QT_TRANSLATE_NOOP("Engine", "'%1' matches '%2', which is not an image; give videos one at a "
                                "time"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be opened as a video; it is damaged, holds no video "
                                "stream or its codec is unknown, check it with ffprobe"),
    QT_TRANSLATE_NOOP("Engine", "'%1' holds no frame that can be decoded; the file is damaged or "
                                "its codec is unknown, check it with ffprobe"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be read as an image"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be opened; check the address, the network and that "
                                "the server is up"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be opened; is the camera plugged in, free and "
                                "readable? 'v4l2-ctl --list-devices' lists cameras"),
    QT_TRANSLATE_NOOP("Engine", "'%1' fell silent and could not be opened again in %2 tries; check "
                                "the camera and the network"),
    QT_TRANSLATE_NOOP("Engine", "'%1': interrupted 1 time"),
    QT_TRANSLATE_NOOP("Engine", "'%1': interrupted %2 times"),
    QT_TRANSLATE_NOOP("Engine", "'%1': %2 damaged parts were skipped"),
    QT_TRANSLATE_NOOP("Engine", "'%1': the header announces about %2 frames, %3 could be decoded"),
    // files to write
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be opened for writing: %2"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be written: %2"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be created: %2; create its parent folder first"),
    QT_TRANSLATE_NOOP("Engine", "'%1' is one image, but '%2' may hold many frames; name a video, a "
                                "folder such as frames/ or numbered images such as f_%05d.png"),
    QT_TRANSLATE_NOOP("Engine", "'%1' does not say which kind of file to write; end it in .mp4, "
                                ".mkv, .mov, .webm, .ts or .avi for a video, in .jpg or .png for "
                                "images, in / for a folder"),
    QT_TRANSLATE_NOOP("Engine", "'%1' is what is being played and would be overwritten; choose "
                                "another name"),
    QT_TRANSLATE_NOOP("Engine", "'%1' is named for two outputs; give each its own"),
    QT_TRANSLATE_NOOP("Engine", "'%1': %2 cannot be started: %3"),
    // models
    QT_TRANSLATE_NOOP("Engine", "cannot open '%1': %2; check the path"),
    QT_TRANSLATE_NOOP("Engine", "cannot read '%1': it is a folder, not a file; give an ONNX file"),
    QT_TRANSLATE_NOOP("Engine", "cannot read '%1': it is not a regular file; give an ONNX file"),
    QT_TRANSLATE_NOOP("Engine", "%1: larger than 2 GiB; use a smaller model"),
    QT_TRANSLATE_NOOP("Engine", "%1: the file is empty"),
    QT_TRANSLATE_NOOP("Engine", "%1: there is no graph in it: not an ONNX model"),
    QT_TRANSLATE_NOOP("Engine", "%1: not an ONNX file, or a damaged or truncated one"),
    QT_TRANSLATE_NOOP("Engine", "%1: external data file '%2' is missing (%3): keep it beside the "
                                ".onnx file"),
    QT_TRANSLATE_NOOP("Engine", "%1: opset %2 is not supported (only 11 to 20): export the model "
                                "with opset 17"),
    QT_TRANSLATE_NOOP("Engine", "%1: node %2 has an attribute %3 of a kind that is not supported "
                                "(a subgraph?): export the model without control flow"),
    QT_TRANSLATE_NOOP("Engine", "%1: the network has %2 inputs; export it with the image "
                                "alone"),
    QT_TRANSLATE_NOOP("Engine", "%1: input %2 takes %3: export the network with a float32 input"),
    QT_TRANSLATE_NOOP("Engine", "%1: the size of input %2 is open: give the input size, such as "
                                "640x640 (--input-size, ReadOptions::input_size)"),
    QT_TRANSLATE_NOOP("Engine", "%1: an input of %2 is too large: nothing beyond 1 GiB is "
                                "supported, use a smaller input"),
    QT_TRANSLATE_NOOP("Engine", "%1: tensor %2 would be %3: nothing beyond 1 GiB is supported, use "
                                "a smaller input"),
    QT_TRANSLATE_NOOP("Engine", "%1: OpenCV %2 has no operator %3 (node %4); export the model with "
                                "standard operators"),
    QT_TRANSLATE_NOOP("Engine", "%1: OpenCV %2 cannot import this network: %3; try another engine, "
                                "or export the model again, simplified"),
    QT_TRANSLATE_NOOP("Engine", "%1: OpenCV %2 cannot run this network: %3"),
    QT_TRANSLATE_NOOP("Engine", "model '%1' is not a known detector; give a YOLOv10 with a [1, 4 + "
                                "classes, N] or [1, K, 6] output"),
    QT_TRANSLATE_NOOP("Engine", "model '%1' does not take colour images; its input must be [1, 3, "
                                "height, width]"),
    QT_TRANSLATE_NOOP("Engine", "model '%1' is made for batches of %2; export it with batch 1 or "
                                "an open batch"),
    // what runs them
    QT_TRANSLATE_NOOP("Engine", "--backend cuda: %1; use --backend cpu, or auto"),
    QT_TRANSLATE_NOOP("Engine", "--engine new: the new engine runs on the CPU only; use --engine "
                                "classic with CUDA, or --backend cpu"),
    QT_TRANSLATE_NOOP("Engine", "--precision fp16: the CPU backend computes in fp32 or bf16 only; "
                                "use one of these, or auto"),
    QT_TRANSLATE_NOOP("Engine", "%1: precision bf16 cannot be had: %2; use fp32"),
    QT_TRANSLATE_NOOP("Engine", "OpenCV %1 was built without CUDA for DNN"),
    QT_TRANSLATE_NOOP("Engine", "the NVIDIA driver is missing, or too old for the CUDA that OpenCV "
                                "was built with"),
    QT_TRANSLATE_NOOP("Engine", "no CUDA device was found"),
    QT_TRANSLATE_NOOP("Engine", "OpenCV was not built for the architecture of this machine's GPU"),
    QT_TRANSLATE_NOOP("Engine", "the processor has no AVX512-BF16"),
    QT_TRANSLATE_NOOP("Engine", "the processor has no AVX2"),
    QT_TRANSLATE_NOOP("Engine", "irmb_dnn was built without oneDNN"),
    QT_TRANSLATE_NOOP("Engine", "the network has no part that can be accelerated"),
    // remarks on them
    QT_TRANSLATE_NOOP("Engine", "this build has no CUDA layer: standard operators run on the GPU "
                                "instead"),
    QT_TRANSLATE_NOOP("Engine", "OpenCV's new engine cannot run this network: the classic one "
                                "does"),
    QT_TRANSLATE_NOOP("Engine", "of %1 outputs only %2 is used"),
    QT_TRANSLATE_NOOP("Engine", "how output %1 (%2) writes boxes does not show in the graph: read "
                                "as centre and size, as YOLOv8 does"),
    QT_TRANSLATE_NOOP("Engine", "class names in the metadata cannot be read: %1"),
    QT_TRANSLATE_NOOP("Engine", "the metadata name %1 classes, the network has %2"),
    QT_TRANSLATE_NOOP("Engine", "stride in the metadata makes no sense: %1"),
    QT_TRANSLATE_NOOP("Engine", "imgsz in the metadata makes no sense: %1"),
    QT_TRANSLATE_NOOP("Engine", "the metadata say that the task is %1, not detection: of its "
                                "results only boxes are read, if there are any"),
};

/// "%1" to "%9", but not the "%05d" of a file name.
const QString placeholder = QStringLiteral("%([1-9])");

/// Matches what a message becomes when its placeholders are filled in.
QRegularExpression filledIn(const QString& message) {
    static const QRegularExpression escaped(QStringLiteral("\\\\") + placeholder);
    return QRegularExpression(QRegularExpression::anchoredPattern(
        QRegularExpression::escape(message).replace(escaped, QStringLiteral("(.+)"))));
}

QString fill(const QString& message, const QStringList& values) {
    static const QRegularExpression place(placeholder);
    QString filled;
    qsizetype done = 0;
    for (auto found = place.globalMatch(message); found.hasNext();) {
        const QRegularExpressionMatch match = found.next();
        filled += message.mid(done, match.capturedStart() - done);
        filled += values.value(match.captured(1).toInt());
        done = match.capturedEnd();
    }
    return filled + message.mid(done);
}

QString translate(const QString& text) {
    for (const char* known : messages) {
        const auto match = filledIn(QString::fromLatin1(known)).match(text);
        if (!match.hasMatch())
            continue;
        QStringList values;
        for (const QString& value : match.capturedTexts())
            values << (values.isEmpty() ? value : translate(value)); // the first is all of it
        return fill(QCoreApplication::translate(context, known), values);
    }
    return text;
}

} // namespace

QString engineText(const std::string& message) {
    return translate(fromStd(message));
}

} // namespace vigil::ui
