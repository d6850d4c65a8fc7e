#include "engine_text.hpp"

#include "text.hpp"

#include <QCoreApplication>
#include <QRegularExpression>
#include <QStringList>

namespace vigil::ui {
namespace {

constexpr const char* context = "Engine";

/// What the engine says most, with %1, %2 ... for names and figures.
constexpr const char* messages[] = {
    QT_TRANSLATE_NOOP("Engine", "'%1' does not exist; check the path"),
    QT_TRANSLATE_NOOP("Engine", "'%1' is a folder without images; give a video or a folder of "
                                "images"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be opened as a video; it is damaged, holds no video "
                                "stream or its codec is unknown, check it with ffprobe"),
    QT_TRANSLATE_NOOP("Engine", "'%1' holds no frame that can be decoded; the file is damaged or "
                                "its codec is unknown, check it with ffprobe"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be read as an image"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be opened; check the address, the network and that "
                                "the server is up"),
    QT_TRANSLATE_NOOP("Engine", "'%1' fell silent and could not be opened again in %2 tries; check "
                                "the camera and the network"),
    QT_TRANSLATE_NOOP("Engine", "'%1': %2 damaged parts were skipped"),
    QT_TRANSLATE_NOOP("Engine", "'%1': the header announces about %2 frames, %3 could be decoded"),
    QT_TRANSLATE_NOOP("Engine", "'%1': the picture size changes midway; an annotated video keeps "
                                "the first size"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be opened for writing: %2; create its folder first"),
    QT_TRANSLATE_NOOP("Engine", "'%1' cannot be opened for writing: %2; choose a place that you "
                                "may write to"),
    QT_TRANSLATE_NOOP("Engine", "'%1' is what is being played and would be overwritten; choose "
                                "another name"),
    QT_TRANSLATE_NOOP("Engine", "'%1' is named for two outputs; give each its own"),
    QT_TRANSLATE_NOOP("Engine",
                      "%1: not an ONNX file, or a damaged or truncated one: export or copy "
                      "it again"),
    QT_TRANSLATE_NOOP("Engine", "%1 is not a known detector; give a YOLOv10 with a [1, 4 + "
                                "classes, N] or [1, K, 6] output"),
    QT_TRANSLATE_NOOP("Engine", "OpenCV %1 was built without CUDA for DNN"),
    QT_TRANSLATE_NOOP("Engine", "no CUDA device was found"),
    QT_TRANSLATE_NOOP("Engine", "the processor has no AVX512-BF16"),
    QT_TRANSLATE_NOOP("Engine", "the processor has no AVX2"),
    QT_TRANSLATE_NOOP("Engine", "irmb_dnn was built without oneDNN"),
};

/// Matches what a message becomes when its placeholders are filled in.
QRegularExpression filledIn(const QString& message) {
    static const QRegularExpression placeholder(QStringLiteral("\\\\%\\d"));
    return QRegularExpression(QRegularExpression::anchoredPattern(
        QRegularExpression::escape(message).replace(placeholder, QStringLiteral("(.+)"))));
}

} // namespace

QString engineText(const std::string& message) {
    const QString text = fromStd(message);
    for (const char* known : messages) {
        const auto match = filledIn(QString::fromLatin1(known)).match(text);
        if (!match.hasMatch())
            continue;
        QString translated = QCoreApplication::translate(context, known);
        for (int i = 1; i <= match.lastCapturedIndex(); ++i)
            translated.replace(QStringLiteral("%%1").arg(i), match.captured(i));
        return translated;
    }
    return text;
}

} // namespace vigil::ui
