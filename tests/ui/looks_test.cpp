#include "dialogs/info_dialogs.hpp"
#include "dialogs/output_dialog.hpp"
#include "panels/chart.hpp"
#include "panels/performance_panel.hpp"
#include "window/icons.hpp"
#include "window/theme.hpp"
#include "window/translations.hpp"

#include <gtest/gtest.h>

#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QMenu>
#include <QPushButton>
#include <QRegularExpression>
#include <QSet>
#include <QStyle>
#include <cmath>

namespace vigil::ui::test {
namespace {

/// Parts of the window by themselves.
class LooksTest : public testing::Test {
protected:
    Theme theme;
};

/// How many pixels of a part of an image have a colour, or nearly so.
int count(const QImage& image, const QRect& part, const QColor& colour) {
    int found = 0;
    for (int y = part.top(); y <= part.bottom(); ++y)
        for (int x = part.left(); x <= part.right(); ++x) {
            const QColor pixel = image.pixelColor(x, y);
            found += pixel.alpha() > 200 && std::abs(pixel.red() - colour.red()) < 30 &&
                     std::abs(pixel.green() - colour.green()) < 30 &&
                     std::abs(pixel.blue() - colour.blue()) < 30;
        }
    return found;
}

TEST_F(LooksTest, ChartsHaveGaps) {
    Chart chart;
    chart.resize(101, 40);
    const double gap = std::nan("");
    chart.setLines({{{}, Qt::red, {1, 1, gap, gap, gap, 1, gap, gap, gap, 1, 1}}}, 11);
    const QImage image = chart.grab().toImage();
    const auto red = [&](int left, int right) {
        return count(image, QRect(QPoint(left, 0), QPoint(right, 39)), Qt::red);
    };
    EXPECT_GT(red(0, 10), 5);
    EXPECT_EQ(red(15, 45), 0);
    EXPECT_GT(red(48, 52), 2) << "a value by itself is a dot";
    EXPECT_EQ(red(55, 85), 0);
    EXPECT_GT(red(91, 100), 5);
}

TEST_F(LooksTest, LegendsKeepNamesBesideTheirDots) {
    PerformancePanel panel;
    Telemetry::Snapshot snapshot;
    snapshot.per_second[0] = {1, std::nan(""), 2};
    panel.update(snapshot, {}, {"traffic light"}, false);
    const QString legend = panel.findChild<QLabel*>("legend")->text();
    EXPECT_TRUE(legend.contains(QStringLiteral("●</span>&nbsp;traffic\u00a0light")))
        << legend.toStdString();
}

TEST_F(LooksTest, HighlightedRowsOfMenusHaveIconsThatCanBeSeen) {
    theme.choose(Theme::Choice::Dark);
    QMenu menu;
    QAction* first = menu.addAction(icon(QStringLiteral("stop")), QStringLiteral("Stop"));
    menu.addAction(icon(QStringLiteral("stop")), QStringLiteral("Stop"));
    menu.setActiveAction(first);
    const QImage image = menu.grab().toImage();
    QRect part = menu.actionGeometry(first);
    part.setWidth(part.height() + 4);
    const QPalette palette = QApplication::palette();
    EXPECT_GT(count(image, part, palette.color(QPalette::HighlightedText)), 20);
    EXPECT_EQ(count(image, part, palette.color(QPalette::ButtonText)), 0);
}

TEST_F(LooksTest, ButtonsOfPanelsHaveTheColourOfTexts) {
    for (const Theme::Choice choice : {Theme::Choice::Light, Theme::Choice::Dark}) {
        theme.choose(choice);
        for (const auto which : {QStyle::SP_TitleBarNormalButton, QStyle::SP_TitleBarCloseButton}) {
            const QImage image =
                QApplication::style()->standardIcon(which).pixmap(QSize(32, 32), 2.0).toImage();
            EXPECT_EQ(image.width(), 64);
            EXPECT_GT(count(image, image.rect(), QApplication::palette().color(QPalette::Text)),
                      50);
        }
    }
}

TEST_F(LooksTest, ButtonsLeaveRoomBesideTheirText) {
    QPushButton button(QStringLiteral("A text that is longer than most"));
    const int text = button.fontMetrics().horizontalAdvance(button.text());
    EXPECT_GE(button.sizeHint().width(), text + 16);
}

TEST_F(LooksTest, AboutIsTranslatedAndAligned) {
    Translations translations;
    translations.install(QLocale("zh_CN"));
    AboutDialog about;
    about.setCuda({false, "OpenCV 5.0.0 was built without CUDA for DNN", {}});
    about.show();
    const QRegularExpression english("[a-z]{3,}");
    QSet<int> columns;
    QStringList values;
    for (const QLabel* caption : about.findChildren<QLabel*>("muted")) {
        QString text = caption->text();
        EXPECT_FALSE(text.remove("OpenCV").contains(english)) << text.toStdString();
        columns << caption->x();
    }
    for (const QLabel* label : about.findChildren<QLabel*>())
        values << label->text();
    EXPECT_EQ(columns.size(), 1);
    EXPECT_TRUE(values.contains(QStringLiteral("不可用：OpenCV 5.0.0 的 DNN 模块未启用 CUDA")))
        << values.join('\n').toStdString();
    EXPECT_LE(about.height(), about.layout()->totalHeightForWidth(about.width()));
    QLocale::setDefault(QLocale::c());
}

TEST_F(LooksTest, PathsOfOutputsCanBeRead) {
    OutputDialog dialog(QStringLiteral("Record"), QString(), QStringLiteral("/home/someone/clip"));
    dialog.show();
    EXPECT_GE(dialog.findChild<QLineEdit*>("videoPath")->width(), 480);
}

} // namespace
} // namespace vigil::ui::test
