#include "preferences.hpp"

#include <QSettings>
#include <QStandardPaths>
#include <algorithm>

namespace vigil::ui {
namespace {

QString defaultFolder() {
    const QString movies = QStandardPaths::writableLocation(QStandardPaths::MoviesLocation);
    return movies.isEmpty() ? QStandardPaths::writableLocation(QStandardPaths::HomeLocation)
                            : movies;
}

} // namespace

Preferences Preferences::load() {
    const QSettings settings;
    Preferences p;
    const auto flag = [&](const char* key, bool fallback) {
        return settings.value(QLatin1String(key), fallback).toBool();
    };
    const auto text = [&](const char* key, const QString& fallback) {
        return settings.value(QLatin1String(key), fallback).toString();
    };
    const auto number = [&](const char* key, int fallback, int least, int most) {
        return std::clamp(settings.value(QLatin1String(key), fallback).toInt(), least, most);
    };
    p.language = text("language", {});
    p.theme = Theme::Choice(number("theme", int(p.theme), 0, int(Theme::Choice::Dark)));
    p.overlay.boxes = flag("overlay/boxes", p.overlay.boxes);
    p.overlay.labels = flag("overlay/labels", p.overlay.labels);
    p.overlay.scores = flag("overlay/scores", p.overlay.scores);
    p.overlay.info = flag("overlay/info", p.overlay.info);
    p.overlay.line_width = number("overlay/line_width", p.overlay.line_width, 1, 8);
    p.overlay.font_size = number("overlay/font_size", p.overlay.font_size, 8, 32);
    p.confidence = std::clamp(settings.value("confidence", p.confidence).toDouble(), 0.0, 1.0);
    p.loop = flag("loop", p.loop);
    p.every_frame = flag("every_frame", p.every_frame);
    p.output_folder = text("output_folder", defaultFolder());
    p.model = text("model", {});
    p.backend = text("backend", p.backend);
    p.precision = text("precision", p.precision);
    p.engine = text("engine", p.engine);
    return p;
}

void Preferences::save() const {
    QSettings settings;
    settings.setValue("language", language);
    settings.setValue("theme", int(theme));
    settings.setValue("overlay/boxes", overlay.boxes);
    settings.setValue("overlay/labels", overlay.labels);
    settings.setValue("overlay/scores", overlay.scores);
    settings.setValue("overlay/info", overlay.info);
    settings.setValue("overlay/line_width", overlay.line_width);
    settings.setValue("overlay/font_size", overlay.font_size);
    settings.setValue("confidence", confidence);
    settings.setValue("loop", loop);
    settings.setValue("every_frame", every_frame);
    settings.setValue("output_folder", output_folder);
    settings.setValue("model", model);
    settings.setValue("backend", backend);
    settings.setValue("precision", precision);
    settings.setValue("engine", engine);
}

RecentItems::RecentItems(const QString& key)
    : key_(key), items_(QSettings().value(key).toStringList().mid(0, most_items)) {}

void RecentItems::add(const QString& item) {
    items_.removeAll(item);
    items_.prepend(item);
    items_ = items_.mid(0, most_items);
    save();
}

void RecentItems::remove(const QString& item) {
    items_.removeAll(item);
    save();
}

void RecentItems::clear() {
    items_.clear();
    save();
}

void RecentItems::save() const {
    QSettings().setValue(key_, items_);
}

} // namespace vigil::ui
