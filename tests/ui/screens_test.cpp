#include "tiny_models.hpp"
#include "view/icon_label.hpp"
#include "view/message_bar.hpp"
#include "view/video_view.hpp"
#include "window/translations.hpp"
#include "window_test.hpp"

#include <opencv2/imgcodecs.hpp>

#include <QAbstractButton>
#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDialog>
#include <QDockWidget>
#include <QFile>
#include <QLabel>
#include <QMenu>
#include <QRegularExpression>
#include <QSlider>
#include <QTest>
#include <QToolBar>
#include <QXmlStreamReader>

namespace vigil::ui::test {
namespace {

/// Pictures of the window, judged by facts.
class ScreensTest : public WindowTest {
protected:
    QImage viewImage() {
        auto* view = find<VideoView>("view");
        return view->grab().toImage();
    }
    /// A place of the picture in the image of the view.
    QPoint place(double x, double y) {
        auto* view = find<VideoView>("view");
        return (view->toWidget().map(QPointF(x, y)) * view->devicePixelRatioF()).toPoint();
    }
    void waitForObjects(std::size_t count) {
        waitUntil([&] {
            const PicturePtr shown = find<VideoView>("view")->picture();
            return shown && shown->result.detections.size() == count;
        });
    }
};

/// Whether all of a widget's text can be read.
bool showsItsText(const QWidget* widget) {
    if (const auto* label = qobject_cast<const QLabel*>(widget)) {
        if (label->wordWrap())
            return label->height() + 1 >= label->heightForWidth(label->width());
        return label->width() + 1 >= label->sizeHint().width() &&
               label->height() + 1 >= label->minimumSizeHint().height();
    }
    if (const auto* button = qobject_cast<const QAbstractButton*>(widget))
        return button->text().isEmpty() ||
               (button->width() + 1 >= button->minimumSizeHint().width() &&
                button->height() + 1 >= button->minimumSizeHint().height());
    return true;
}

std::string describe(const QWidget* widget) {
    const auto* label = qobject_cast<const QLabel*>(widget);
    const auto* button = qobject_cast<const QAbstractButton*>(widget);
    const QString text = label ? label->text() : button ? button->text() : QString();
    return (QString::fromLatin1(widget->metaObject()->className()) + " " + widget->objectName() +
            " '" + text + "'")
        .toStdString();
}

void expectReadable(QWidget* window) {
    for (const QWidget* widget : window->findChildren<QWidget*>())
        EXPECT_TRUE(!widget->isVisibleTo(window) || widget->visibleRegion().isEmpty() ||
                    showsItsText(widget))
            << describe(widget);
}

TEST_F(ScreensTest, BoxesLieWhereTheDetectionsAre) {
    openPausedAt(10);
    waitForObjects(3);
    const QImage image = viewImage();
    const QColor green = classColor(0);
    // The best detection: 8,8 to 32,40.
    for (const auto& [x, y] : {std::pair(8.0, 24.0), std::pair(16.0, 40.0), std::pair(32.0, 36.0)})
        EXPECT_EQ(image.pixelColor(place(x, y)), green) << x << ", " << y;
    EXPECT_NE(image.pixelColor(place(12, 36)), green) << "inside there is the picture";
}

TEST_F(ScreensTest, EachLayerCanBeSwitchedOff) {
    openPausedAt(10);
    waitForObjects(3);
    const QImage all = viewImage();
    for (const char* layer : {"boxes", "labels", "scores"}) {
        window->action(layer)->trigger();
        EXPECT_NE(viewImage(), all) << layer;
        window->action(layer)->trigger();
        EXPECT_EQ(viewImage(), all) << layer;
    }
    window->action("boxes")->trigger();
    window->action("labels")->trigger();
    const QColor inside = viewImage().pixelColor(place(8, 24));
    EXPECT_EQ(inside.red(), inside.green()) << "a grey picture alone";
    window->action("info")->trigger();
    EXPECT_EQ(viewImage().pixelColor(2, viewImage().height() / 2), viewImage().pixelColor(2, 2));
}

TEST_F(ScreensTest, ZoomedBoxesStayWhereTheyBelong) {
    openPausedAt(10);
    waitForObjects(3);
    find<VideoView>("view")->setZoom(1.6);
    EXPECT_EQ(viewImage().pixelColor(place(32, 24)), classColor(0));
}

/// Largest difference of a channel.
int difference(const QImage& a, const QImage& b) {
    int most = a.size() == b.size() ? 0 : 255;
    for (int y = 0; y < a.height() && most < 255; ++y)
        for (int x = 0; x < a.width(); ++x) {
            const QRgb p = a.pixel(x, y);
            const QRgb q = b.pixel(x, y);
            most = std::max({most, std::abs(qRed(p) - qRed(q)), std::abs(qGreen(p) - qGreen(q)),
                             std::abs(qBlue(p) - qBlue(q))});
        }
    return most;
}

TEST_F(ScreensTest, PicturesThatComeScaledLookLikeThoseThatDoNot) {
    open(clip); // now the view has its size
    for (const cv::Size size : {cv::Size(64, 48), cv::Size(37, 53), cv::Size(1001, 701)}) {
        cv::Mat ramp(size, CV_8UC3);
        for (int y = 0; y < size.height; ++y)
            for (int x = 0; x < size.width; ++x)
                ramp.at<cv::Vec3b>(y, x) =
                    cv::Vec3b(uchar(255 * x / size.width), uchar(255 * y / size.height), 128);
        const std::string path = folder.path(std::to_string(size.width) + ".png");
        cv::imwrite(path, ramp);
        open(path);
        auto* view = find<VideoView>("view");
        waitUntil([&] { return view->picture() != nullptr; });
        auto plain = std::make_shared<Picture>(*view->picture());
        EXPECT_EQ(plain->fitted.size(),
                  fittedSize(plain->image.size(), view->size() * view->devicePixelRatio()));
        const QImage ahead = viewImage();
        plain->fitted = QImage();
        view->show(plain);
        const QRect inner =
            QRect(place(0, 0), place(size.width, size.height)).adjusted(3, 3, -3, -3);
        const int step = 255 / std::min(size.width, size.height) + 1; // between pixels
        EXPECT_LE(difference(ahead.copy(inner), viewImage().copy(inner)), step) << size;
    }
}

TEST_F(ScreensTest, HoveredBoxesTellTheirDetails) {
    openPausedAt(10);
    waitForObjects(3);
    auto* view = find<VideoView>("view");
    QTest::mouseMove(view, QPoint(1, 1)); // wherever the last test left it
    QTest::qWait(50);
    const QImage before = viewImage();
    const QPoint inside = view->toWidget().map(QPointF(12, 36)).toPoint();
    EXPECT_EQ(view->detectionAt(inside), 0);
    EXPECT_EQ(view->detectionAt(QPointF(1, 1)), -1);
    QTest::mouseMove(view, inside);
    waitUntil([&] { return viewImage() != before; });
    QCursor::setPos(view->mapToGlobal(QPoint(1, 1)));
    view->resize(view->width() - 10, view->height());
    const QImage resized = viewImage();
    QEvent leave(QEvent::Leave);
    QCoreApplication::sendEvent(view, &leave);
    EXPECT_EQ(resized, viewImage()) << "nothing is under the mouse any more";
}

class ReadableTest : public ScreensTest, public testing::WithParamInterface<const char*> {
protected:
    void SetUp() override {
        translations.install(QLocale(QString::fromLatin1(GetParam())));
        ScreensTest::SetUp();
    }
    void TearDown() override {
        ScreensTest::TearDown();
        QLocale::setDefault(QLocale::c());
    }

    Translations translations;
};

TEST_P(ReadableTest, NoTextIsClipped) {
    window->resize(1280, 720);
    expectReadable(window.get());
    openPausedAt(10);
    waitForObjects(3);
    for (const char* dock : {"objectsDock", "modelDock", "performanceDock"}) {
        SCOPED_TRACE(dock);
        find<QDockWidget>(dock)->raise();
        QTest::qWait(300);
        expectReadable(window.get());
    }
}

TEST_P(ReadableTest, NoTextIsClippedInTheSmallestWindow) {
    openPausedAt(10);
    waitForObjects(3);
    window->resize(100, 100);
    waitUntil([&] { return window->width() == window->minimumWidth(); });
    for (const char* dock : {"objectsDock", "modelDock", "performanceDock"}) {
        SCOPED_TRACE(dock);
        find<QDockWidget>(dock)->raise();
        QTest::qWait(300);
        expectReadable(window.get());
    }
    EXPECT_LE(window->width(), 960) << "half of a usual screen, where everything is twice as large";
    EXPECT_LE(window->height(), 540);
    EXPECT_GE(find<QSlider>("seekBar")->width(), 100);
    for (const char* last : {"openVideo", "export", "shortcuts"})
        EXPECT_TRUE(find<QToolBar>("tools")->widgetForAction(window->action(last))->isVisible())
            << last;
}

TEST_P(ReadableTest, DialogsFitOnASmallScreen) {
    openPausedAt(10);
    for (const char* name :
         {"openCamera", "openStream", "record", "export", "settings", "shortcuts", "about"}) {
        SCOPED_TRACE(name);
        window->action(name)->trigger();
        auto* open = dialog<QDialog>();
        ASSERT_NE(open, nullptr);
        QTest::qWait(50);
        expectReadable(open);
        EXPECT_LE(open->width(), 1280);
        EXPECT_LE(open->height(), 720);
        open->reject();
        waitUntil([&] { return window->findChild<QDialog*>() == nullptr; });
    }
}

INSTANTIATE_TEST_SUITE_P(Languages, ReadableTest, testing::Values("en", "zh_CN"));

/// Difference of two colours in lightness, 0 to 255.
int contrast(const QColor& a, const QColor& b) {
    return std::abs(qGray(a.rgb()) - qGray(b.rgb()));
}

TEST_F(ScreensTest, FieldsAndIconsCanBeSeenInEachTheme) {
    for (const Theme::Choice choice : {Theme::Choice::Light, Theme::Choice::Dark}) {
        theme->choose(choice);
        auto* box = find<QCheckBox>("seenOnly");
        const QImage image = box->grab().toImage();
        const QColor ground = image.pixelColor(image.width() - 1, image.height() - 1);
        int most = 0;
        for (int x = 0; x < 4; ++x)
            most = std::max(most, contrast(image.pixelColor(x, image.height() / 2), ground));
        EXPECT_GE(most, 50) << "the edge of a box, theme " << int(choice);
        auto* page = find<QWidget>("startPage");
        for (const QWidget* part : page->findChildren<IconLabel*>()) {
            const QImage drawn = const_cast<QWidget*>(part)->grab().toImage();
            most = 0;
            for (int y = 0; y < drawn.height(); ++y)
                for (int x = 0; x < drawn.width(); ++x)
                    most = std::max(most, contrast(drawn.pixelColor(x, y), drawn.pixelColor(0, 0)));
            EXPECT_GE(most, 60) << "an icon, theme " << int(choice);
        }
    }
}

/// Texts that are the same in every language.
bool isNeutral(const QString& text) {
    static const QRegularExpression letters(QStringLiteral("[A-Za-z]{2,}"));
    static const QStringList names = {"Vigil",   "CUDA", "CPU", "FP32", "FP16", "BF16",
                                      "English", "clip", "mp4", "ms",   "fps"};
    QString rest = text;
    for (const QString& name : names)
        rest.remove(name);
    return !rest.contains(letters);
}

TEST(TranslationTest, ChineseIsComplete) {
    QFile file(QStringLiteral(VIGIL_TRANSLATIONS "/vigil_zh_CN.ts"));
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    QXmlStreamReader xml(&file);
    int messages = 0;
    QString source;
    while (!xml.atEnd()) {
        xml.readNext();
        if (!xml.isStartElement())
            continue;
        if (xml.name() == QLatin1String("source"))
            source = xml.readElementText();
        else if (xml.name() == QLatin1String("translation")) {
            ++messages;
            EXPECT_FALSE(xml.attributes().hasAttribute("type")) << source.toStdString();
            const QString text = xml.readElementText(QXmlStreamReader::IncludeChildElements);
            EXPECT_FALSE(text.trimmed().isEmpty()) << source.toStdString();
        }
    }
    EXPECT_FALSE(xml.hasError());
    EXPECT_GT(messages, 150);
}

TEST_F(ScreensTest, ErrorsOfTheEngineAreTranslated) {
    Translations translations;
    translations.install(QLocale("zh_CN"));
    window->openPath("/nowhere/missing.mp4");
    waitUntil([&] { return message().contains("“/nowhere/missing.mp4”不存在"); });
    QLocale::setDefault(QLocale::c());
}

TEST_F(ScreensTest, NothingIsLeftInEnglish) {
    Translations translations;
    translations.install(QLocale("zh_CN"));
    restart();
    QStringList texts;
    for (const QLabel* label : window->findChildren<QLabel*>())
        texts << label->text();
    for (const QAction* action : window->findChildren<QAction*>())
        texts << action->text();
    const QRegularExpression chinese("[\\x{4e00}-\\x{9fff}]");
    for (const QString& text : texts)
        EXPECT_TRUE(isNeutral(text) || text.contains(chinese)) << text.toStdString();
    QLocale::setDefault(QLocale::c());
}

} // namespace
} // namespace vigil::ui::test
