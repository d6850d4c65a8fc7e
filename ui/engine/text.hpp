#pragma once

#include <QString>
#include <string>
#include <vector>

namespace vigil::ui {

/// Text of the engine for Qt: UTF-8, bytes that are none become replacement characters.
inline QString fromStd(const std::string& text) {
    return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

/// "person", or a stand-in where the model has no name for the class.
QString classLabel(const std::vector<std::string>& names, int class_id);

/// Whether a source is named by a URL.
bool isAddress(const QString& spec);

/// A source as people know it: the name of a file, an address without its password.
QString sourceLabel(const QString& spec);

/// The source itself, but of an address all except its password.
QString withoutPassword(const QString& spec);

/// The text of an action without its mnemonic, which some languages put in brackets behind it.
QString withoutMnemonic(const QString& text);

/// "640 × 480"
QString sizeText(int width, int height);

/// "01:23.4", with hours where there are any.
QString timeText(double time_ms);

/// "10.9 MB"
QString bytesText(qint64 bytes);

} // namespace vigil::ui
