// Messages of the engine are recognised by their words. Here each of them is provoked, so that a
// changed wording shows.

#include "accelerate/region_runner.hpp"
#include "detect/backend.hpp"
#include "detect/model_detector.hpp"
#include "engine/engine_text.hpp"
#include "engine/outputs.hpp"
#include "model/import_net.hpp"
#include "onnx/file/io.hpp"
#include "sink/output_file.hpp"
#include "sink/video_encoder.hpp"
#include "source/live_source.hpp"
#include "support/graph_builder.hpp"
#include "support/scratch_folder.hpp"
#include "support/street_model.hpp"
#include "window/translations.hpp"
#include "window_test.hpp"

#include <irmb_dnn/acceleration.hpp>
#include <irmb_dnn/layers.hpp>

#include <opencv2/videoio.hpp>

#include <QFile>
#include <QRegularExpression>
#include <QXmlStreamReader>
#include <csignal>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace vigil::ui::test {
namespace {

namespace fs = std::filesystem;
using irmb::onnx::OnnxModel;
using irmb::onnx::Shape;
using irmb::test::makeNode;
using irmb::test::makeSmallModel;
using irmb::test::makeValue;

/// Notes which texts are looked up.
class Listener : public QTranslator {
public:
    QString translate(const char* context, const char* source, const char*, int) const override {
        if (qstrcmp(context, "Engine") == 0)
            heard.insert(QString::fromUtf8(source));
        return {};
    }
    mutable QSet<QString> heard;
};

QSet<QString> translatedMessages() {
    QFile file(QStringLiteral(VIGIL_TRANSLATIONS "/vigil_zh_CN.ts"));
    EXPECT_TRUE(file.open(QIODevice::ReadOnly));
    QXmlStreamReader xml(&file);
    QSet<QString> messages;
    QString context;
    while (!xml.atEnd()) {
        xml.readNext();
        if (xml.isStartElement() && xml.name() == QLatin1String("name"))
            context = xml.readElementText();
        else if (xml.isStartElement() && xml.name() == QLatin1String("source") &&
                 context == QLatin1String("Engine"))
            messages.insert(xml.readElementText());
    }
    return messages;
}

class EngineTextTest : public testing::Test {
protected:
    void SetUp() override {
        translations.install(QLocale("zh_CN"));
        QCoreApplication::installTranslator(&listener);
        std::signal(SIGPIPE, SIG_IGN);
    }
    void TearDown() override { QLocale::setDefault(QLocale::c()); }

    static void expectChinese(const std::string& message) {
        const QString text = engineText(message);
        EXPECT_TRUE(text.contains(QRegularExpression("[\\x{4e00}-\\x{9fff}]")))
            << message << "\n"
            << text.toStdString();
    }

    template <typename Work>
    static void expectError(Work work) {
        try {
            work();
        } catch (const cv::Exception& error) {
            return expectChinese(error.err);
        }
        ADD_FAILURE() << "nothing was thrown";
    }

    static void expectAll(const std::vector<std::string>& remarks, std::size_t count = 1) {
        EXPECT_EQ(remarks.size(), count);
        for (const std::string& remark : remarks)
            expectChinese(remark);
    }

    std::string write(const std::string& name, const std::string& bytes) {
        std::ofstream(folder.path(name), std::ios::binary) << bytes;
        return folder.path(name);
    }

    /// What a source remarks while it is read to its end.
    static void expectRemark(const std::string& path) {
        SCOPED_TRACE(path);
        const auto source = openSource(path);
        for (Frame frame; source->grab(frame);)
            source->retrieve(frame);
        expectAll(source->warnings());
    }

    static void open(const std::string& spec) {
        expectError([&] { openSource(spec); });
    }
    static void load(const std::string& path, const irmb::ReadOptions& options = {}) {
        expectError([&] { ModelDetector(irmb::readModel(path, options), {}); });
    }
    std::string saved(const OnnxModel& model) {
        save(model, folder.path("model.onnx"));
        return folder.path("model.onnx");
    }
    /// A video of 30 JPEGs, of which those from `begin` up to `end` are zeros.
    std::string writeDamaged(const std::string& name, int begin, int end);

    void provokeSources();
    void provokeDamage();
    void provokeInterruptions();
    void provokeOutputs();
    void provokeModelFiles();
    void provokeModels();
    void provokeRemarksOnModels();
    void provokeBackends();

    vigil::test::ScratchFolder folder;
    Translations translations;
    Listener listener;
};

void EngineTextTest::provokeSources() {
    open("/nowhere/missing.mp4");
    fs::create_symlink(folder.path("circle"), folder.path("circle"));
    open(folder.path("circle"));
    fs::create_directory(folder.path("empty"));
    open(folder.path("empty"));
    open(folder.path("*.nothing"));
    write("a.txt", "no video");
    write("b.txt", "no video");
    open(folder.path("?.txt"));
    open(folder.path("a.txt"));
    open("http://127.0.0.1:1/nobody-listens");
    open("999"); // a camera
}

std::string EngineTextTest::writeDamaged(const std::string& name, int begin, int end) {
    cv::VideoWriter writer(folder.path(name), cv::CAP_OPENCV_MJPEG,
                           cv::VideoWriter::fourcc('M', 'J', 'P', 'G'), 25, {64, 48});
    for (int i = 0; i < 30; ++i)
        writer.write(cv::Mat(48, 64, CV_8UC3, cv::Scalar::all(8 * i)));
    writer.release();
    std::string bytes = folder.read(name);
    std::size_t place = bytes.find("movi");
    for (int i = 0; i < end; ++i) {
        place = bytes.find("00dc", place) + 4; // the picture follows its length of four bytes
        const std::size_t length = bytes.find("00dc", place) - place - 4;
        if (i >= begin)
            bytes.replace(place + 4, length, length, '\0');
    }
    return write(name, bytes);
}

void EngineTextTest::provokeDamage() {
    expectRemark(write("text.jpg", "no image"));
    open(writeDamaged("zeros.avi", 0, 30));
    expectRemark(writeDamaged("hole.avi", 10, 11));
    const std::string cut = writeDamaged("cut.avi", 0, 0);
    fs::resize_file(cut, fs::file_size(cut) / 2);
    expectRemark(cut);
}

/// Delivers a number of frames and falls silent.
class BriefConnection : public Connection {
public:
    explicit BriefConnection(int frames) : frames_(frames) {}
    bool grab() override { return frames_-- > 0; }
    bool retrieve(cv::Mat&) override { return true; }
    double fps() const override { return 25; }

private:
    int frames_;
};

void EngineTextTest::provokeInterruptions() {
    int connections = 0;
    LiveSource source(
        "camera",
        [&]() -> std::unique_ptr<Connection> {
            return ++connections <= 3 ? std::make_unique<BriefConnection>(2) : nullptr;
        },
        "", LiveOptions(), [](std::chrono::milliseconds) {});
    Frame frame;
    EXPECT_TRUE(source.grab(frame));
    EXPECT_TRUE(source.grab(frame));
    for (int interruptions = 1; interruptions <= 2; ++interruptions) {
        EXPECT_TRUE(source.grab(frame));
        expectAll(source.warnings());
    }
    expectError([&] { source.grab(frame); });
}

void EngineTextTest::provokeOutputs() {
    const auto record = [this](const std::string& path, cv::Size size = {64, 48}) {
        expectError([&] {
            SourceInfo source;
            source.name = "clip.mp4";
            Outputs outputs;
            outputs.picture = path;
            FrameResult result;
            result.frame.image = cv::Mat(size, CV_8UC3, cv::Scalar::all(0));
            const auto sinks = makeSinks(outputs, {source, {}});
            sinks.front()->write(result);
            sinks.front()->finish();
        });
    };
    record(folder.path("missing/a.mp4"));
    record("/sys/vigil.mp4"); // nobody may write there
    fs::create_directory(folder.path("folder.mp4"));
    fs::create_directory(folder.path("frames"));
    fs::create_directory(folder.path("frames/frame_000000.jpg"));
    record(folder.path("frames/"));
    record(folder.path("missing/frames/"));
    record(write("file", "") + "/");
    record(folder.path("one.png"));
    record(folder.path("a.xyz"));
    record(folder.path("wide.mp4"), {40000, 16}); // more than any encoder takes
    expectError([] { OutputFile("/dev/full").write("much"); });
    expectError([this] {
        const std::string pipe = folder.path("pipe");
        ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
        const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        OutputFile file(pipe);
        ::close(reader);
        file.write("nobody reads this");
    });
    Outputs same;
    same.picture = "a.mp4";
    same.data = {{"csv", "a.mp4"}};
    expectError([&] { checkOutputs(same, "b.mp4"); });
    expectError([&] { checkOutputs(same, "a.mp4"); });
}

/// A field of a protobuf message that holds bytes or another message.
std::string field(int number, const std::string& bytes) {
    return std::string{char(number << 3 | 2), char(bytes.size())} + bytes;
}

/// An ONNX file with one node and one initializer, whose parts can be what our writer never writes.
std::string rawModel(const std::string& attribute, const std::string& data) {
    const std::string shape = field(2, field(1, "\x08\x01")); // one dimension of 1
    const std::string type = field(2, field(1, "\x08\x01" + shape));
    const std::string node =
        field(1, "x") + field(1, "w") + field(2, "y") + field(4, "Add") + attribute;
    const std::string weight = field(8, "w") + "\x08\x01\x10\x01" + data;
    const std::string graph = field(1, node) + field(2, "g") + field(5, weight) +
                              field(11, field(1, "x") + type) + field(12, field(1, "y") + type);
    return "\x08\x08" + field(7, graph) + field(8, "\x10\x0d");
}

void EngineTextTest::provokeModelFiles() {
    load("/nowhere/missing.onnx");
    load(folder.path());
    load("/dev/null");
    load(write("empty.onnx", ""));
    load(write("text.onnx", "this is text"));
    load(write("none.onnx", std::string("\x08\x08", 2))); // the version of the format, and no more
    const std::string zero = field(9, std::string(4, '\0'));
    const std::string branch =
        field(5, field(1, "then") + field(6, field(2, "b")) + "\xA0\x01\x05");
    load(write("branch.onnx", rawModel(branch, zero)));
    const std::string elsewhere = field(13, field(1, "location") + field(2, "gone")) + "\x70\x01";
    load(write("elsewhere.onnx", rawModel("", elsewhere)));
    const std::string large = write("large.onnx", "");
    fs::resize_file(large, std::uintmax_t{3} << 30);
    load(large);
}

void EngineTextTest::provokeModels() {
    load(saved(makeSmallModel()));
    OnnxModel model = makeSmallModel();
    model.opsets[""] = 9;
    load(saved(model));
    model = makeSmallModel();
    model.graph.inputs.push_back(makeValue("other", {1, 2, 6, 6}));
    model.graph.nodes[1] = makeNode("Add", {"map", "other"}, {"positive"});
    load(saved(model));
    model = makeSmallModel();
    model.graph.inputs.front().type = irmb::onnx::DataType::Uint8;
    load(saved(model));
    model = makeSmallModel();
    model.graph.inputs.front().shape = {-1, 3, -1, -1};
    load(saved(model));
    model.graph.inputs.front().shape = {1, 3, 65536, 65536};
    load(saved(model));
    model.graph.inputs.front().shape = {1, 3, 4000, 4000};
    model.graph.initializers["weight"] = irmb::test::makeRamp({3000, 3, 3, 3});
    model.graph.initializers["bias"] = irmb::test::makeRamp({3000});
    model.graph.nodes.pop_back();
    model.graph.outputs = {makeValue("positive", {-1, 3000, -1, -1})};
    load(saved(model));
    model = makeSmallModel();
    model.graph.nodes[1].op = "NoSuchOp";
    load(saved(model));
    irmb::ReadOptions silent; // the new engine does not tell what it lacks; 4.x has none
    silent.engine = irmb::Engine::New;
    load(saved(model), silent);

    irmb::ReadOptions classic; // the new engine computes something from any input
    classic.engine = irmb::Engine::Classic;
    irmb::Model runs = irmb::readModel(saved(makeSmallModel()), classic);
    runs.net.setInput(cv::Mat(std::vector<int>{1, 5, 6, 6}, CV_32F, cv::Scalar(0)));
    expectError([&] { irmb::forward(runs); });
}

/// A model without weights: `input` to a map of rows.
OnnxModel detectorOf(const Shape& input, const Shape& output) {
    OnnxModel model = irmb::test::makeModel(makeValue("image", input), makeValue("out", output));
    model.graph.initializers["rows"] = irmb::test::makeRamp(output);
    model.graph.initializers["zero"] = irmb::test::makeFloats({1}, {0});
    model.graph.nodes = {makeNode("ReduceMean", {"image"}, {"mean"}, {{"keepdims", int64_t{0}}}),
                         makeNode("Mul", {"mean", "zero"}, {"nothing"}),
                         makeNode("Add", {"rows", "nothing"}, {"out"})};
    return model;
}

void EngineTextTest::provokeRemarksOnModels() {
    load(saved(detectorOf({1, 1, 8, 8}, {1, 10, 6})));
    load(saved(detectorOf({2, 3, 8, 8}, {1, 10, 6})));
    const auto remarks = [this](const OnnxModel& model) {
        expectAll(irmb::readModel(saved(model)).report.notes);
    };
    const OnnxModel plain = detectorOf({1, 3, 8, 8}, {1, 10, 6});
    OnnxModel model = plain;
    model.metadata = {{"names", "{0: person, ["}};
    remarks(model);
    model.metadata = {{"stride", "no"}};
    remarks(model);
    model.metadata = {{"imgsz", "[-640, 640]"}};
    remarks(model);
    model.metadata = {{"task", "segment"}};
    remarks(model);
    model = plain;
    model.graph.outputs.push_back(makeValue("nothing", {1}));
    remarks(model);
    model = detectorOf({1, 3, 8, 8}, {1, 5, 40});
    remarks(model);
    model = detectorOf({1, 3, 8, 8}, {1, 5, 40});
    model.metadata = {{"names", "['a', 'b', 'c']"}};
    expectAll(irmb::readModel(saved(model)).report.notes, 2);
    expectChinese(irmb::classic_instead);
    irmb::ReadOptions options;
    options.for_cuda = true;
    const irmb::Model street = irmb::readModel(vigil_test::street_model, options);
    for (const irmb::BlockReport& block : street.report.blocks)
        if (!block.reason.empty())
            expectChinese(block.reason);
}

void EngineTextTest::provokeBackends() {
    expectChinese(cudaHindrance(false, 0, false));
    expectChinese(cudaHindrance(true, -1, false));
    expectChinese(cudaHindrance(true, 0, false));
    expectChinese(cudaHindrance(true, 1, false));
    if (!probeCuda().usable)
        expectError([] { chooseBackend("cuda"); });
    expectError([] { chooseBackend("cpu", "fp16"); });
    BackendChoice cuda;
    cuda.backend = cv::dnn::DNN_BACKEND_CUDA;
    expectError([&] { chooseEngine(cuda, irmb::Engine::New); });
    expectChinese(irmb::accelerate::no_onednn);
    expectChinese(irmb::accelerate::no_avx2);
    expectChinese(irmb::accelerate::no_bfloat16);
    const std::string nothing_to_do = saved(detectorOf({1, 3, 8, 8}, {1, 10, 6}));
    expectChinese(irmb::readModel(nothing_to_do).acceleration.reason);
    irmb::ReadOptions options;
    options.precision = irmb::Precision::Bfloat16;
    expectError([&] { irmb::readModel(nothing_to_do, options); });
}

TEST_F(EngineTextTest, EveryMessageIsTranslated) {
    provokeSources();
    provokeDamage();
    provokeInterruptions();
    provokeOutputs();
    provokeModelFiles();
    provokeModels();
    provokeRemarksOnModels();
    provokeBackends();
    QSet<QString> messages = translatedMessages();
    EXPECT_GT(messages.size(), 60);
    if (irmb::hasCudaLayer()) // then nothing is replaced
        messages.remove("this build has no CUDA layer: standard operators run on the GPU instead");
    if (irmb::accelerationSupport().library.empty())
        messages.remove("the network has no part that can be accelerated");
    for (const QString& never : messages - listener.heard)
        ADD_FAILURE() << "was not provoked, or is worded otherwise: " << never.toStdString();
}

TEST_F(EngineTextTest, ValuesStayAsTheyAre) {
    EXPECT_EQ(engineText("'100 %2.mp4' does not exist; check the path"),
              "“100 %2.mp4”不存在；请检查路径");
    EXPECT_EQ(engineText("'a': the header announces about 12 frames, 3 could be decoded"),
              "“a”：文件头声明约有 12 帧，实际可解码 3 帧");
    EXPECT_EQ(engineText("something new"), "something new");
}

} // namespace
} // namespace vigil::ui::test
