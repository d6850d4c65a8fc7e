#include "view/video_view.hpp"
#include "window_test.hpp"

#include <opencv2/imgcodecs.hpp>

#include <QLabel>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTest>
#include <algorithm>

namespace vigil::ui::test {
namespace {

/// A camera on the network: MJPEG over HTTP, 25 pictures a second.
class CameraServer : public QObject {
public:
    CameraServer() {
        std::vector<uchar> bytes;
        cv::imencode(".jpg", cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(120)), bytes);
        picture_ = QByteArray(reinterpret_cast<const char*>(bytes.data()), int(bytes.size()));
        QObject::connect(&server_, &QTcpServer::newConnection, this, [this] {
            QTcpSocket* socket = server_.nextPendingConnection();
            socket->write("HTTP/1.0 200 OK\r\n"
                          "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n");
            sockets_ << socket;
        });
        timer_ = startTimer(40);
        server_.listen(QHostAddress::LocalHost);
        port_ = server_.serverPort();
    }
    std::string address() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

    void stop() {
        server_.close();
        for (QTcpSocket* socket : sockets_)
            socket->abort();
        qDeleteAll(sockets_);
        sockets_.clear();
    }
    /// Sends nothing more to those who are connected.
    void fallSilent() {
        silent_ += sockets_;
        sockets_.clear();
    }
    bool isLeft() const {
        return std::all_of(silent_.begin(), silent_.end(), [](const QTcpSocket* socket) {
            return socket->state() == QAbstractSocket::UnconnectedState;
        });
    }
    void startAgain() { ASSERT_TRUE(server_.listen(QHostAddress::LocalHost, port_)); }

protected:
    void timerEvent(QTimerEvent*) override {
        for (QTcpSocket* socket : sockets_) {
            socket->write("--frame\r\nContent-Type: image/jpeg\r\nContent-Length: " +
                          QByteArray::number(picture_.size()) + "\r\n\r\n" + picture_ + "\r\n");
            socket->flush();
        }
    }

private:
    QTcpServer server_;
    QList<QTcpSocket*> sockets_;
    QList<QTcpSocket*> silent_;
    QByteArray picture_;
    quint16 port_ = 0;
    int timer_ = 0;
};

class StreamTest : public WindowTest {};

TEST_F(StreamTest, StopsIsSaidOnThePictureAndComesBack) {
    CameraServer server;
    load(model);
    open(server.address());
    EXPECT_TRUE(engine->sourceInfo().live);
    EXPECT_TRUE(find<QLabel>("live")->isVisible());
    waitUntil([&] { return engine->picture()->result.detections.size() == 3; });
    EXPECT_TRUE(find<QLabel>("place")->text().startsWith("latency"));
    server.stop();
    auto* view = find<VideoView>("view");
    waitUntil([&] { return view->notice().contains("opened again"); });
    EXPECT_FALSE(find<QLabel>("live")->isVisible());
    EXPECT_EQ(find<QLabel>("place")->text(), "");
    click("play"); // the window still answers
    EXPECT_FALSE(engine->playback().playing);
    click("play");
    server.startAgain();
    const int64_t before = engine->counts().captured;
    waitUntil([&] { return view->notice().isEmpty() && engine->counts().captured > before + 3; });
    EXPECT_TRUE(find<QLabel>("live")->isVisible());
    server.stop();
}

TEST_F(StreamTest, LeavesAConnectionThatFellSilent) {
    CameraServer server;
    SourceRequest request;
    request.spec = server.address();
    request.live.read_timeout_ms = 500;
    window->openRequest(request);
    waitUntil([&] { return engine->picture() != nullptr; });
    server.fallSilent();
    const int64_t before = engine->counts().captured;
    waitUntil([&] { return engine->counts().captured > before + 3; });
    EXPECT_TRUE(waitUntil([&] { return server.isLeft(); }));
}

TEST_F(StreamTest, CanBeTriedAgainWhenTheServerIsUp) {
    CameraServer server;
    const std::string address = server.address();
    server.stop();
    window->openPath(QString::fromStdString(address));
    waitUntil([&] { return message().contains("could not be opened"); });
    server.startAgain();
    click("messageAction");
    waitUntil([&] { return engine->picture() != nullptr; });
}

TEST_F(StreamTest, ASilentStreamDoesNotHoldUpAnotherSource) {
    CameraServer server;
    open(server.address());
    server.stop();
    waitUntil([&] { return !engine->trouble().isEmpty(); });
    open(clip);
    EXPECT_FALSE(engine->sourceInfo().live);
    EXPECT_EQ(find<VideoView>("view")->notice(), "");
}

} // namespace
} // namespace vigil::ui::test
