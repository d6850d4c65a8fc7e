#include "text.hpp"

#include "detect/model_detector.hpp"
#include "source/address.hpp"

#include <QFileInfo>
#include <QLocale>
#include <QRegularExpression>
#include <cmath>

namespace vigil::ui {

bool isAddress(const QString& spec) {
    return isUrl(spec.toStdString());
}

QString classLabel(const std::vector<std::string>& names, int class_id) {
    return fromStd(className(names, class_id));
}

QString sourceLabel(const QString& spec) {
    if (isAddress(spec))
        return withoutPassword(spec);
    const QString name = QFileInfo(spec).fileName();
    return name.isEmpty() || spec.startsWith(QStringLiteral("/dev/")) ? spec : name;
}

QString withoutPassword(const QString& spec) {
    return fromStd(vigil::withoutPassword(spec.toStdString()));
}

QString withoutMnemonic(const QString& text) {
    static const QRegularExpression mnemonic(QStringLiteral("\\(&.\\)|&"));
    return QString(text).remove(mnemonic);
}

QString sizeText(int width, int height) {
    return QStringLiteral("%1 × %2").arg(width).arg(height);
}

QString timeText(double time_ms) {
    const auto tenths = static_cast<qint64>(std::max(0.0, time_ms) / 100);
    const qint64 minutes = tenths / 600;
    const QString tail = QStringLiteral("%1:%2.%3")
                             .arg(minutes % 60, 2, 10, QLatin1Char('0'))
                             .arg(tenths / 10 % 60, 2, 10, QLatin1Char('0'))
                             .arg(tenths % 10);
    return minutes < 60 ? tail : QStringLiteral("%1:%2").arg(minutes / 60).arg(tail);
}

QString bytesText(qint64 bytes) {
    return QLocale().formattedDataSize(bytes, 1, QLocale::DataSizeSIFormat);
}

} // namespace vigil::ui
